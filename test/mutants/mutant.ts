/** A small break of one rule in one ledger, and the contract test that has to notice it. */
export interface Mutant {
  /** The rule of PRODUCT.md or decision of DECISIONS.md that it breaks. */
  readonly rule: string;
  /** What is wrong with the ledger then. */
  readonly name: string;
  readonly ledger: 'redis' | 'embedded';
  /** From the package's root: Lua as it is, TypeScript as it was compiled. */
  readonly file: string;
  /** Stands in the file exactly once. */
  readonly search: string;
  readonly replace: string;
  /** Name of a test in test/ledger/contract. */
  readonly killedBy: string;
}

type Patch = readonly [file: string, search: string, replace: string];

/** The same break in both ledgers: a file under `lua`, and a compiled one of `ledger/memory` (or another, as `../…`). */
export function broken(rule: string, name: string, killedBy: string, lua: Patch, memory: Patch): Mutant[] {
  return [inLua(rule, name, killedBy, lua), inMemory(rule, name, killedBy, memory)];
}

export function inLua(rule: string, name: string, killedBy: string, patch: Patch): Mutant {
  const [file, search, replace] = patch;
  return { rule, name, ledger: 'redis', file: `lua/${file}.lua`, search, replace, killedBy };
}

export function inMemory(rule: string, name: string, killedBy: string, patch: Patch): Mutant {
  const [file, search, replace] = patch;
  const path = file.startsWith('../') ? file.slice('../'.length) : `ledger/memory/${file}`;
  return { rule, name, ledger: 'embedded', file: `dist/src/${path}.js`, search, replace, killedBy };
}
