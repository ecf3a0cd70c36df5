/** JSON answers of many megabytes (embeddings, images): only the members that tell of their cost are parsed. */
import { type Scanned, scanJson } from './json-scan.js';
import { placeTree } from './places.js';
import { scanThread } from './scan-thread.js';
import type { Json } from './usage.js';

/** Larger bodies, of requests and answers, are read in a thread of their own. */
export const INLINE_BYTES_MAX = 524_288;

/** Undefined once it is read; a promise where that takes a thread. */
export function readLarge(
  body: Buffer,
  members: readonly string[],
  read: (document: Json) => void,
  unread: (bytes: number) => void,
): Promise<void> | undefined {
  const paths = members.map((name) => [name]);
  const take = ({ places, textBytes }: Scanned) => {
    const entries = members.map((name, index) => {
      const place = places[index];
      return [
        name,
        place === undefined ? undefined : JSON.parse(body.toString('utf8', place.start, place.end)),
      ] as const;
    });
    unread(textBytes);
    read(Object.fromEntries(entries));
  };
  const fail = () => unread(body.length);
  if (body.length > INLINE_BYTES_MAX)
    return scanThread
      .scan(body, paths, undefined)
      .then(({ scanned }) => take(scanned))
      .catch(fail);
  try {
    take(scanJson(body, placeTree(paths), paths.length));
  } catch {
    fail();
  }
  return undefined;
}
