/** Edits single values of a JSON body; all other bytes stay unchanged. */

import type { BodyValues } from './request.js';
import type { Path } from './span-tree.js';

/** The text replaces the bytes [start, end). */
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

/**
 * Sets the value at a path: replaces the existing value, or inserts the member first in the nearest existing object.
 */
export function editAt(values: BodyValues, path: Path, value: string): Edit {
  const present = values.at(path);
  if (present !== undefined) return { start: present.start, end: present.end, text: value };
  const key = JSON.stringify(path.at(-1));
  const parentPath = path.slice(0, -1);
  const parent = values.at(parentPath);
  if (parent?.kind !== 'object') return editAt(values, parentPath, `{${key}:${value}}`);
  const at = parent.start + 1;
  return { start: at, end: at, text: `${key}:${value}${parent.count > 0 ? ',' : ''}` };
}

/** Returns the edits that make `outputLimit` the maximum output per answer. */
export function outputLimitEdits(
  outputLimits: readonly Path[],
  values: BodyValues,
  outputLimit: number,
): Edit[] {
  const there = outputLimits.filter((path) => values.at(path) !== undefined);
  if (there.length === 0) return [editAt(values, nearest(outputLimits, values), String(outputLimit))];
  return there.map((path) =>
    editAt(values, path, String(Math.min(outputLimit, stated(values, path) ?? outputLimit))),
  );
}

/** 0 and null mean no limit. */
function stated(values: BodyValues, path: Path): number | undefined {
  const span = values.at(path);
  const value = span?.kind === 'number' ? Number(values.text(span)) : 0;
  return value > 0 ? value : undefined;
}

/** Returns the first path whose parent exists: a second parent would be another spelling of the same member. */
function nearest(outputLimits: readonly Path[], values: BodyValues): Path {
  const [first = []] = outputLimits;
  return outputLimits.find((path) => values.at(path.slice(0, -1)) !== undefined) ?? first;
}
