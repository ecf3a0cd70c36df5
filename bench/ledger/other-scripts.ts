/** Replaces the Lua scripts with those of another folder, to compare two versions in the same rounds. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ScriptOptions } from '../../src/ledger/redis/scripts.js';

const INCLUDE = /^ *--- @include "([a-z-]+)"$/gm;
export function scriptsOf(folder: string): ScriptOptions {
  const read = (...path: string[]): string => readFileSync(join(folder, ...path), 'utf8');
  return {
    patch: (_source, name) =>
      read(`${name}.lua`).replaceAll(INCLUDE, (_line, part: string) => read('include', `${part}.lua`)),
  };
}
