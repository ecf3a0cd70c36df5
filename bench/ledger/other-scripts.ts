/** Replaces the Lua scripts with those of another folder, to compare two versions in the same rounds. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadScript, type ScriptOptions } from '../../src/ledger/redis/scripts.js';

const INCLUDE = /^ *--- @include "([a-z-]+)"$/gm;
const NAMES = ['apply', 'commit', 'read', 'fold', 'clock'];

export function scriptsOf(folder: string): ScriptOptions {
  const read = (...path: string[]): string => readFileSync(join(folder, ...path), 'utf8');
  const theirs = new Map(
    NAMES.map((name) => {
      const source = read(`${name}.lua`);
      return [
        loadScript(name).source,
        source.replaceAll(INCLUDE, (_line, part: string) => read('include', `${part}.lua`)),
      ];
    }),
  );
  return { patch: (source) => theirs.get(source) ?? source };
}
