/** Changes of a JSON body in single places; every other byte stays as it came. */
import type { Path } from './places.js';
import type { Places } from './request.js';

/** [start, end) is replaced by the text. */
export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

export function splice(body: Buffer, edits: readonly Edit[]): Buffer {
  const parts: Buffer[] = [];
  let at = 0;
  for (const { start, end, text } of [...edits].sort((a, b) => a.start - b.start)) {
    parts.push(body.subarray(at, start), Buffer.from(text));
    at = end;
  }
  parts.push(body.subarray(at));
  return Buffer.concat(parts);
}

/** Puts a value at a path: in place of what stands there, else as the first member of the nearest object that is there. */
export function editAt(places: Places, path: Path, value: string): Edit {
  const present = places.at(path);
  if (present !== undefined) return { start: present.start, end: present.end, text: value };
  const key = JSON.stringify(path.at(-1));
  const parentPath = path.slice(0, -1);
  const parent = places.at(parentPath);
  if (parent?.kind !== 'object') return editAt(places, parentPath, `{${key}:${value}}`);
  const at = parent.start + 1;
  return { start: at, end: at, text: `${key}:${value}${parent.count > 0 ? ',' : ''}` };
}

/** The edits that make `ceiling` the most that the request may produce for one answer. */
export function ceilingEdits(ceilings: readonly Path[], places: Places, ceiling: number): Edit[] {
  const there = ceilings.filter((path) => places.at(path) !== undefined);
  if (there.length === 0) return [editAt(places, nearest(ceilings, places), String(ceiling))];
  return there.map((path) =>
    editAt(places, path, String(Math.min(ceiling, stated(places, path) ?? ceiling))),
  );
}

/** 0 and null state none. */
function stated(places: Places, path: Path): number | undefined {
  const place = places.at(path);
  const value = place?.kind === 'number' ? Number(places.text(place)) : 0;
  return value > 0 ? value : undefined;
}

/** The first whose object is there already: a second one beside it would be another spelling of the same. */
function nearest(ceilings: readonly Path[], places: Places): Path {
  const [first = []] = ceilings;
  return ceilings.find((path) => places.at(path.slice(0, -1)) !== undefined) ?? first;
}
