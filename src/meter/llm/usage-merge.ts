/**
 * Merges the usage objects of one answer. Fields that a later object omits keep their value, and counters never
 * decrease. One exception: input that was reported before any output may be corrected downwards by an object whose own
 * total confirms it.
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
  const latest = confirmed ? withDetails(raw, next) : overlay(raw, next, latestOf);
  const stated = read(latest);
  const isCorrected = confirmed && usage.output === 0;
  const fell =
    stated === undefined || stated.output < usage.output || (stated.input < usage.input && !isCorrected);
  if (!fell) return { raw: latest, usage: stated };
  const highest = overlay(raw, next, highestOf);
  return { raw: highest, usage: read(highest) ?? usage };
}

/** The later object is complete. Only details of counters that it omits are kept. */
function withDetails(before: Json, next: Json): Json {
  const details = Object.entries(before).filter(
    ([key, value]) => isObject(value) && !Object.hasOwn(next, key),
  );
  return details.length === 0 ? next : { ...Object.fromEntries(details), ...next };
}

/** An object without counters replaces a number by mistake. */
function hasCounts(value: Json): boolean {
  return Object.values(value).some((one) => isCount(one) || (isObject(one) && hasCounts(one)));
}

/** Decides the value of a counter that a later object reports again. */
type Pick = (before: number, next: unknown) => unknown;

/** An object with counters may replace a plain number. */
const latestOf: Pick = (before, next) =>
  isCount(next) || (isObject(next) && hasCounts(next)) ? next : before;

const highestOf: Pick = (before, next) => (isCount(next) ? Math.max(before, next) : before);

/**
 * Merges `next` into `before`, counter by counter. A value that is not a count leaves a counter unchanged; only an
 * object with counters may replace one.
 */
function overlay(before: Json, next: Json, pick: Pick): Json {
  const result: Record<string, unknown> = { ...before };
  for (const [key, value] of Object.entries(next)) {
    const known = result[key];
    if (isCount(known)) result[key] = pick(known, value);
    else if (isObject(known)) {
      if (isObject(value)) result[key] = overlay(known, value, pick);
      else if (isCount(value) && !hasCounts(known)) result[key] = value;
    } else if (value !== null || known === undefined) result[key] = value;
  }
  return result;
}
