/** Reads JSON answers of many megabytes (embeddings, images): only the members that decide the cost are parsed. */
import { type Scanned, scanJson } from './json-scan.js';
import { scanThread } from './scan-thread.js';
import { spanTree } from './span-tree.js';
import type { Json } from './usage.js';

/** Larger bodies, of requests and answers, are read in a worker thread. */
export const INLINE_BYTES_MAX = 524_288;

/** Returns undefined if the body is read already; a promise if a worker thread reads it. */
export function readLarge(
  body: Buffer,
  members: readonly string[],
  read: (document: Json) => void,
  unread: (bytes: number) => void,
): Promise<void> | undefined {
  const paths = members.map((name) => [name]);
  const take = ({ spans, textBytes }: Scanned) => {
    const entries = members.map((name, index) => {
      const span = spans[index];
      return [
        name,
        span === undefined ? undefined : JSON.parse(body.toString('utf8', span.start, span.end)),
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
    take(scanJson(body, spanTree(paths), paths.length));
  } catch {
    fail();
  }
  return undefined;
}
