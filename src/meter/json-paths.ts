/** Which places of a JSON body a route is metered by: RFC 6901 pointers, merged into one tree. */

/** What is asked of the value at a pointer: the text of a number, or the length of an array. */
export interface Ask {
  readonly pointer: string;
  readonly want: 'number' | 'length';
}

/**
 * A place on a metered path. `number` and `length` are slots of the reader's answers, -1 where nothing is
 * asked.
 */
export interface PathNode {
  number: number;
  length: number;
  /** One per metered key below it, by that key read as an object's key. */
  readonly keys: PathKey[];
}

/** A key that is looked for, and all that could be taken for it. */
export interface WantedKey {
  readonly key: string;
  /** The key as a reader that ignores case takes it (Go's encoding/json does). */
  readonly folded: string;
  /** The folded key's bytes where all are ASCII: to be compared without making a string. */
  readonly foldedBytes: Uint8Array | undefined;
}

export interface PathKey extends WantedKey {
  /** The key read as an array's index, -1 if it is none. */
  readonly index: number;
  readonly node: PathNode;
}

const POINTER = /^(?:\/(?:[^~/]|~[01])*)*$/;
const INDEX = /^(?:0|[1-9]\d{0,8})$/;
const ASCII = /^[\x20-\x7e]*$/;

/** Marks of the keys seen in one object stand in the bits of one integer. */
export const METERED_KEYS_MAX = 30;

export function pathTree(asks: readonly Ask[]): PathNode {
  const root = emptyNode();
  for (const [slot, ask] of asks.entries()) {
    if (!POINTER.test(ask.pointer)) throw new Error(`${ask.pointer} is not a JSON pointer`);
    let node = root;
    for (const part of ask.pointer.split('/').slice(1)) {
      node = childOf(node, part.replaceAll('~1', '/').replaceAll('~0', '~'));
    }
    if (node[ask.want] !== -1) throw new Error(`${ask.pointer} is asked twice`);
    node[ask.want] = slot;
  }
  return root;
}

export function wantedKey(key: string): WantedKey {
  const fold = folded(key);
  return { key, folded: fold, foldedBytes: ASCII.test(fold) ? Buffer.from(fold, 'latin1') : undefined };
}

/** Both cases in turn, so that characters with one odd case (the long s, the Kelvin sign) fold too. */
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
