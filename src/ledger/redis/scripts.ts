/** Loads the Lua sources: one file per command; shared parts are included by name. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

export interface Script {
  readonly name: string;
  readonly source: string;
  readonly sha: string;
}

const INCLUDE = /^ *--- @include "([a-z-]+)"$/gm;

const FOLDER = join(createRequire(import.meta.url).resolve('quotagate/package.json'), '../lua');

/** `replaced`: replaces includes by name, for tests with their own clock; `patch` lets tests break a rule. */
export interface ScriptOptions {
  readonly replaced?: Readonly<Record<string, string>>;
  readonly patch?: (source: string, name: string) => string;
}

export function loadScript(name: string, options: ScriptOptions = {}): Script {
  const plain = readFileSync(join(FOLDER, `${name}.lua`), 'utf8').replaceAll(
    INCLUDE,
    (_line, part: string) =>
      options.replaced?.[part] ?? readFileSync(join(FOLDER, 'include', `${part}.lua`), 'utf8'),
  );
  const source = withConstantsInPlace(
    stripped(options.patch === undefined ? plain : options.patch(plain, name)),
  );
  return { name, source, sha: createHash('sha1').update(source).digest('hex') };
}

/** Without header, comment lines and indentation: half the text to send. No string of the scripts spans lines. */
function stripped(source: string): string {
  const code = source.replace(/^--\[\[[\s\S]*?^\]\]\n/m, '');
  const lines = code.split('\n').map((line) => line.trim());
  return lines.filter((line) => line !== '' && !line.startsWith('--')).join('\n');
}

const CONSTANT = String.raw`[A-Z][A-Z\d_]+`;
const CONSTANTS = new RegExp(
  String.raw`^local (${CONSTANT}(?:, ${CONSTANT})*) =\s(-?\d+(?:, -?\d+)*)\n`,
  'gm',
);
/** What stands in quotes, or behind a dot, is no constant. */
const USES = new RegExp(String.raw`'[^'\n]*'|"[^"\n]*"|(?<![.\w])${CONSTANT}\b`, 'g');

/**
 * Puts numbers in the place of their names. Lua makes the functions of a script anew for every call, and each variable that a function
 * has from outside is allocated; a constant would be one of them.
 */
function withConstantsInPlace(source: string): string {
  const values = new Map<string, string>();
  const code = source.replaceAll(CONSTANTS, (_line, names: string, numbers: string) => {
    const each = numbers.split(', ');
    for (const [index, name] of names.split(', ').entries()) {
      const value = each[index] ?? 'nil';
      if ((values.get(name) ?? value) !== value) throw new Error(`lua: ${name} has two values`);
      values.set(name, value);
    }
    return '';
  });
  return code.replaceAll(USES, (word) => values.get(word) ?? word);
}
