/** A small break of one rule in a ledger or the meter of tokens, and the test that has to notice it. */
export interface Mutant {
  /** The rule of PRODUCT.md or decision of DECISIONS.md that it breaks. */
  readonly rule: string;
  /** What is wrong then. */
  readonly name: string;
  readonly ledger: 'redis' | 'embedded' | 'meter';
  /** From the package's root: Lua as it is, TypeScript as it was compiled. */
  readonly file: string;
  /** Stands in the file exactly once. */
  readonly search: string;
  readonly replace: string;
  /** Name of a test in the folder of its kind. */
  readonly killedBy: string;
}

/** Where the tests are that notice breaks of each kind. */
export const TEST_FOLDERS: Readonly<Record<Mutant['ledger'], string>> = {
  redis: 'ledger/contract',
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

/** In the meter of tokens; the file is one of `meter/llm`. */
export function inMeter(rule: string, name: string, killedBy: string, patch: Patch): Mutant {
  const [file, search, replace] = patch;
  return { rule, name, ledger: 'meter', file: `dist/src/meter/llm/${file}.js`, search, replace, killedBy };
}
