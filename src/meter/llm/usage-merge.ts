/**
 * The usage objects of one answer, merged: fields that a later object leaves out keep their value, and what a provider has counted
 * never falls. Only a prompt that was stated before any output may be corrected downwards, by an object that its own total confirms.
 */
import { isCount, isObject, type Json, type StatedUsage } from './usage.js';

export type ReadUsage = (raw: Json) => StatedUsage | undefined;

export interface MergedUsage {
  readonly raw: Json | undefined;
  readonly usage: StatedUsage | undefined;
}

export function merged(before: MergedUsage, next: Json, read: ReadUsage): MergedUsage {
  const { raw, usage } = before;
  if (raw === undefined || usage === undefined) return { raw: next, usage: read(next) };
  const confirmed = read(next)?.confirmed === true;
  const latest = confirmed ? withDetails(raw, next) : laid(raw, next, latestOf);
  const stated = read(latest);
  const isCorrected = confirmed && usage.output === 0;
  const fell =
    stated === undefined || stated.output < usage.output || (stated.input < usage.input && !isCorrected);
  if (!fell) return { raw: latest, usage: stated };
  const highest = laid(raw, next, highestOf);
  return { raw: highest, usage: read(highest) ?? usage };
}

/** An object that is complete in itself; of what it leaves out, only the details of its counters are kept. */
function withDetails(before: Json, next: Json): Json {
  const details = Object.entries(before).filter(
    ([key, value]) => isObject(value) && !Object.hasOwn(next, key),
  );
  return details.length === 0 ? next : { ...Object.fromEntries(details), ...next };
}

/** Without any, it stands in a number's place by mistake. */
function hasCounts(value: Json): boolean {
  return Object.values(value).some((one) => isCount(one) || (isObject(one) && hasCounts(one)));
}

/** What becomes of a counter that a later object states again. */
type Pick = (before: number, next: unknown) => unknown;

/** An object of counters takes the place of a number that stood there by mistake. */
const latestOf: Pick = (before, next) =>
  isCount(next) || (isObject(next) && hasCounts(next)) ? next : before;

const highestOf: Pick = (before, next) => (isCount(next) ? Math.max(before, next) : before);

/** `next` laid over `before`, counter by counter; what is no count changes none, and only an object one that has counters. */
function laid(before: Json, next: Json, pick: Pick): Json {
  const result: Record<string, unknown> = { ...before };
  for (const [key, value] of Object.entries(next)) {
    const known = result[key];
    if (isCount(known)) result[key] = pick(known, value);
    else if (isObject(known)) {
      if (isObject(value)) result[key] = laid(known, value, pick);
      else if (isCount(value) && !hasCounts(known)) result[key] = value;
    } else if (value !== null || known === undefined) result[key] = value;
  }
  return result;
}
