/** Merges the RFC 6901 pointers that a route is metered by into one tree. */

/** What to read at a pointer: the text of a number, or the length of an array. */
export interface JsonQuery {
  readonly pointer: string;
  readonly want: 'number' | 'length';
}

/**
 * A node on a metered path. `number` and `length` are indexes into the reader's results; -1 if nothing is read here.
 */
export interface PathNode {
  number: number;
  length: number;
  /** One entry per metered key below this node. */
  readonly keys: PathKey[];
}

/** A wanted key, and the forms that could be mistaken for it. */
export interface WantedKey {
  readonly key: string;
  /** The key as a case-insensitive parser reads it (Go's encoding/json does). */
  readonly folded: string;
  /** The bytes of the folded key if all are ASCII. They are compared without allocating a string. */
  readonly foldedBytes: Uint8Array | undefined;
}

export interface PathKey extends WantedKey {
  /** The key as an array index; -1 if it is not one. */
  readonly index: number;
  readonly node: PathNode;
}

const POINTER = /^(?:\/(?:[^~/]|~[01])*)*$/;
const INDEX = /^(?:0|[1-9]\d{0,8})$/;
const ASCII = /^[\x20-\x7e]*$/;

/** The seen keys of one object are bits of one 32-bit integer. */
export const METERED_KEYS_MAX = 30;

export function pathTree(queries: readonly JsonQuery[]): PathNode {
  const root = emptyNode();
  for (const [slot, query] of queries.entries()) {
    if (!POINTER.test(query.pointer)) throw new Error(`${query.pointer} is not a JSON pointer`);
    let node = root;
    for (const part of query.pointer.split('/').slice(1)) {
      node = childOf(node, part.replaceAll('~1', '/').replaceAll('~0', '~'));
    }
    if (node[query.want] !== -1) throw new Error(`${query.pointer} is used twice`);
    node[query.want] = slot;
  }
  return root;
}

export function wantedKey(key: string): WantedKey {
  const fold = folded(key);
  return { key, folded: fold, foldedBytes: ASCII.test(fold) ? Buffer.from(fold, 'latin1') : undefined };
}

/** Converts to upper and then to lower case, so that letters with an irregular case (long s, Kelvin sign) fold too. */
export function folded(key: string): string {
  return key.toUpperCase().toLowerCase();
}

function emptyNode(): PathNode {
  return { number: -1, length: -1, keys: [] };
}

function childOf(node: PathNode, key: string): PathNode {
  const known = node.keys.find((one) => one.key === key);
  if (known !== undefined) return known.node;
  if (node.keys.length === METERED_KEYS_MAX) throw new Error(`too many pointers beside ${key}`);
  const child: PathKey = {
    ...wantedKey(key),
    index: INDEX.test(key) ? Number(key) : -1,
    node: emptyNode(),
  };
  node.keys.push(child);
  return child.node;
}
