/** The places of a JSON body that are read, merged into one tree. */
import { METERED_KEYS_MAX, type WantedKey, wantedKey } from '../json-paths.js';

/** Keys from the root on. */
export type Path = readonly string[];

export interface PlaceNode {
  /** Index into the scan's places, -1 where only something below it is read. */
  readonly slot: number;
  readonly keys: PlaceKey[];
}

export interface PlaceKey extends WantedKey {
  readonly node: PlaceNode;
}

/** Slot n holds the place at `paths[n]`. Every key is plain ASCII; a path stands behind the paths it begins with. */
export function placeTree(paths: readonly Path[]): PlaceNode {
  const root: PlaceNode = { slot: paths.findIndex((path) => path.length === 0), keys: [] };
  for (const path of paths) {
    let node = root;
    for (let depth = 1; depth <= path.length; depth += 1) node = childOf(node, path.slice(0, depth), paths);
  }
  return root;
}

function childOf(parent: PlaceNode, path: Path, paths: readonly Path[]): PlaceNode {
  const key = path.at(-1) ?? '';
  const known = parent.keys.find((one) => one.key === key);
  if (known !== undefined) return known.node;
  if (parent.keys.length === METERED_KEYS_MAX) throw new Error(`too many keys beside ${key}`);
  const slot = paths.findIndex(
    (one) => one.length === path.length && one.every((part, at) => part === path[at]),
  );
  const node: PlaceNode = { slot, keys: [] };
  parent.keys.push({ ...wantedKey(key), node });
  return node;
}
