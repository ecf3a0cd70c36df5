/** A small break of one rule in a ledger or the AI token meter, and the test that must notice it. */
export interface Mutant {
  /** The rule of `docs/rules.md` that it breaks, such as `rule 9`, or the part of the ledger. */
  readonly rule: string;
  /** The wrong behaviour. */
  readonly name: string;
  /** `redis`: on its full path; `common`: on its common path. */
  readonly ledger: 'redis' | 'common' | 'embedded' | 'meter';
  /** Path from the root of the package: Lua source, or compiled TypeScript. */
  readonly file: string;
  /** Occurs in the file exactly once. */
  readonly search: string;
  readonly replace: string;
  /** Name of a test file in the folder of its kind. */
  readonly killedBy: string;
}

/** Folder of the tests for each kind. */
export const TEST_FOLDERS: Readonly<Record<Mutant['ledger'], string>> = {
  redis: 'ledger/contract',
  common: 'ledger/contract',
  embedded: 'ledger/contract',
  meter: 'meter/llm',
};

type Patch = readonly [file: string, search: string, replace: string];

/** The same break in both ledgers: a file under `lua`, and a compiled one of `ledger/embedded` (or another, as `../…`). */
export function broken(rule: string, name: string, killedBy: string, lua: Patch, memory: Patch): Mutant[] {
  return [inLua(rule, name, killedBy, lua), inMemory(rule, name, killedBy, memory)];
}

export function inLua(rule: string, name: string, killedBy: string, patch: Patch): Mutant {
  const [file, search, replace] = patch;
  return { rule, name, ledger: 'redis', file: `lua/${file}.lua`, search, replace, killedBy };
}

export function inMemory(rule: string, name: string, killedBy: string, patch: Patch): Mutant {
  const [file, search, replace] = patch;
  const path = file.startsWith('../') ? file.slice('../'.length) : `ledger/embedded/${file}`;
  return { rule, name, ledger: 'embedded', file: `dist/src/${path}.js`, search, replace, killedBy };
}

/** A break of the AI token meter; the file is one of `meter/llm`. */
export function inMeter(rule: string, name: string, killedBy: string, patch: Patch): Mutant {
  const [file, search, replace] = patch;
  return { rule, name, ledger: 'meter', file: `dist/src/meter/llm/${file}.js`, search, replace, killedBy };
}

/** A break of the common path of apply.lua. */
export function inCommonPath(
  rule: string,
  name: string,
  killedBy: string,
  search: string,
  replace: string,
): Mutant {
  return { rule, name, ledger: 'common', file: 'lua/include/common-path.lua', search, replace, killedBy };
}
