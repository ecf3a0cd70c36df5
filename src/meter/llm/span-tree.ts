/** Merges the paths of a JSON body that are read into one tree. */
import { METERED_KEYS_MAX, type WantedKey, wantedKey } from '../json-paths.js';

/** Keys, starting at the root. */
export type Path = readonly string[];

export interface SpanNode {
  /** Index into the scan's spans; -1 if only something below this node is read. */
  readonly slot: number;
  readonly keys: SpanKey[];
}

export interface SpanKey extends WantedKey {
  readonly node: SpanNode;
}

/** Slot n holds the value at `paths[n]`. Every key must be plain ASCII, and a path must come after its prefixes. */
export function spanTree(paths: readonly Path[]): SpanNode {
  const root: SpanNode = { slot: paths.findIndex((path) => path.length === 0), keys: [] };
  for (const path of paths) {
    let node = root;
    for (let depth = 1; depth <= path.length; depth += 1) node = childOf(node, path.slice(0, depth), paths);
  }
  return root;
}

function childOf(parent: SpanNode, path: Path, paths: readonly Path[]): SpanNode {
  const key = path.at(-1) ?? '';
  const known = parent.keys.find((one) => one.key === key);
  if (known !== undefined) return known.node;
  if (parent.keys.length === METERED_KEYS_MAX) throw new Error(`too many keys beside ${key}`);
  const slot = paths.findIndex(
    (one) => one.length === path.length && one.every((part, at) => part === path[at]),
  );
  const node: SpanNode = { slot, keys: [] };
  parent.keys.push({ ...wantedKey(key), node });
  return node;
}
