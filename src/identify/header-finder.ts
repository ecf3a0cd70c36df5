/**
 * Finds the headers of a credential. Anything that two readers could read differently is a fault: repeated headers,
 * `x_quota_user` or `x.quota.user` beside `x-quota-user` (CGI-like servers treat them as the same), and `Connection:
 * x-quota-user` (which asks the next hop to drop it).
 */
import { foldedName } from '../http/field-names.js';

const CONNECTION = 'connection';

/** The result of one pass over the headers; `fault` is the first problem that makes them unusable. */
export interface Found {
  /** In the order of the names; undefined: not sent. */
  readonly values: (string | undefined)[];
  fault: string | undefined;
}

/** Returns undefined if the flat array of names and values has none of our headers. */
export type FindHeaders = (rawHeaders: readonly string[]) => Found | undefined;

interface Names {
  readonly all: readonly string[];
  /** By length: the first letters of our headers of that length. Most headers are rejected here. */
  readonly firstLetters: readonly string[];
}

/** Prepares the search for headers by their names, in lower case and without underscores. */
export function headerFinder(all: readonly string[]): FindHeaders {
  if (new Set(all).size !== all.length || all.some((name) => name === '' || /[A-Z_]/.test(name)))
    throw new Error('the names of identity headers must differ, be in lower case and have no underscores');
  const firstLetters: string[] = [];
  for (const name of [...all, CONNECTION]) {
    const letter = name.charAt(0);
    firstLetters[name.length] = `${firstLetters[name.length] ?? ''}${letter}${letter.toUpperCase()}`;
  }
  // Filled without gaps, so that the lookup by length uses a packed array.
  const names = { all, firstLetters: Array.from(firstLetters, (letters) => letters ?? '') };
  return (rawHeaders) => find(rawHeaders, names);
}

function find(rawHeaders: readonly string[], { all, firstLetters }: Names): Found | undefined {
  let found: Found | undefined;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const raw = rawHeaders[index] ?? '';
    if (raw.length >= firstLetters.length) continue;
    if (firstLetters[raw.length]?.includes(raw.charAt(0)) !== true) continue;
    const name = raw.toLowerCase();
    const value = rawHeaders[index + 1] ?? '';
    if (name === CONNECTION) {
      const named = headerIn(value, all);
      if (named === undefined) continue;
      found ??= nothing(all);
      found.fault ??= `The header Connection must not list ${named}.`;
    } else {
      const plain = foldedName(name);
      const at = all.indexOf(plain);
      if (at === -1) continue;
      found ??= nothing(all);
      note(found, at, name, plain, value);
    }
  }
  return found;
}

function nothing(all: readonly string[]): Found {
  return { values: all.map(() => undefined), fault: undefined };
}

// biome-ignore lint/complexity/useMaxParams: called for every header of a request, where an object would be allocated each time.
function note(found: Found, at: number, name: string, plain: string, value: string): void {
  if (name !== plain) {
    found.fault ??= `Some servers read the header ${name} as ${plain}: remove it.`;
    return;
  }
  if (found.values[at] !== undefined)
    found.fault ??= `The header ${plain} was sent more than once: send it once.`;
  found.values[at] = value;
}

/** Returns the header of ours that a Connection header names, in any spelling. */
function headerIn(connection: string, all: readonly string[]): string | undefined {
  if (connection === 'keep-alive' || connection === 'close') return undefined;
  const options = connection.split(',').map((option) => foldedName(option.trim().toLowerCase()));
  return all.find((name) => options.includes(name));
}
