/**
 * Cycles: when counters reset, in the org's time zone. Boundaries are local wall-clock times converted to instants, so
 * that "day 20, midnight in Madrid" remains correct when the clock changes:
 *
 * - a time that the clock skips becomes the first instant after the jump;
 * - a time that occurs twice is the first occurrence, except for `every: hour`, where each occurrence begins its own
 *   hour: a budget for one hour does not last for two;
 * - a day that the month does not have is its last day, and the next month uses the anchor again.
 */
import { LRUCache } from 'lru-cache';
import { Temporal } from 'temporal-polyfill';

/** Start (inclusive) and end (exclusive) of a cycle, in ms since the epoch. */
export interface Bounds {
  readonly start: number;
  readonly end: number;
}

export const EVERY = ['hour', 'day', 'week', 'month', 'year'] as const;
export type Every = (typeof EVERY)[number];

export interface CycleRule {
  readonly every: Every;
  /** hour: minute 0–59; day: hour 0–23; week: ISO weekday 1–7; month: day 1–31; year: month × 100 + day. */
  readonly anchor: number;
  /** IANA name. */
  readonly timeZone: string;
}

const MINUTE_MS = 60_000;

const ANCHORS: Record<Every, { least: number; most: number; what: string }> = {
  hour: { least: 0, most: 59, what: 'a minute, 0 to 59' },
  day: { least: 0, most: 23, what: 'an hour, 0 to 23' },
  week: { least: 1, most: 7, what: 'a weekday, 1 (Monday) to 7' },
  month: { least: 1, most: 31, what: 'a day of the month, 1 to 31' },
  year: { least: 101, most: 1231, what: 'a date as month × 100 + day, such as 401 for April 1' },
};

export interface RuleFault {
  readonly field: keyof CycleRule;
  /** For people. */
  readonly problem: string;
}

/** Returns all errors of a rule, field by field. Undefined fields are reported elsewhere. */
export function ruleFaults({ every, anchor, timeZone }: Unfinished<CycleRule>): RuleFault[] {
  const faults: RuleFault[] = [];
  if (every !== undefined && !EVERY.includes(every))
    faults.push({ field: 'every', problem: `must be one of ${EVERY.join(', ')}` });
  else if (every !== undefined && anchor !== undefined && !isAnchor(every, anchor))
    faults.push({ field: 'anchor', problem: `for every ${every} it must be ${ANCHORS[every].what}` });
  if (timeZone !== undefined && !isZone(timeZone))
    faults.push({ field: 'timeZone', problem: `${timeZone} is not an IANA time zone` });
  return faults;
}

type Unfinished<T> = { readonly [Key in keyof T]?: T[Key] | undefined };

function isAnchor(every: Every, anchor: number): boolean {
  const { least, most } = ANCHORS[every];
  const inRange = Number.isInteger(anchor) && anchor >= least && anchor <= most;
  return inRange && (every !== 'year' || isDate(anchor));
}

function isDate(anchor: number): boolean {
  try {
    Temporal.PlainMonthDay.from({ monthCode: monthCode(anchor), day: anchor % 100 }, { overflow: 'reject' });
    return true;
  } catch {
    return false;
  }
}

function monthCode(anchor: number): string {
  return `M${String(Math.floor(anchor / 100)).padStart(2, '0')}`;
}

function isZone(name: string): boolean {
  try {
    // Fixed offsets are also zones, without daylight saving. Intl alone accepts names (PST) that Temporal refuses.
    return /^[A-Za-z]/.test(name) && localTime(0, name) !== undefined;
  } catch {
    return false;
  }
}

/** Rules × time zones in use at once; above this, bounds are computed again. */
const CACHED_RULES = 1_024;
const lastBounds = new LRUCache<string, Bounds>({ max: CACHED_RULES });

/** The cycle that contains `nowMs`. */
export function boundsAt(rule: CycleRule, nowMs: number): Bounds {
  const key = `${rule.every}|${rule.anchor}|${rule.timeZone}`;
  const known = lastBounds.get(key);
  if (known !== undefined && known.start <= nowMs && nowMs < known.end) return known;
  const bounds = computeBounds(rule, nowMs);
  lastBounds.set(key, bounds);
  return bounds;
}

/**
 * Returns the cycle after one that is over at this time. It starts at the known end of the previous cycle, even if a
 * newer time zone table would compute another end.
 */
export function successorOf(present: Bounds, rule: CycleRule, nowMs: number): Bounds {
  const { start, end } = boundsAt(rule, nowMs);
  return { start: Math.max(start, present.end), end };
}

/** The first boundary after `nowMs`. */
export function nextBoundary(rule: CycleRule, nowMs: number): number {
  return boundsAt(rule, nowMs).end;
}

/** Far enough on both sides to step over a day that a zone skipped (Apia, 2011-12-30). */
const STEPS = [-2, -1, 0, 1, 2] as const;

function computeBounds(rule: CycleRule, nowMs: number): Bounds {
  const local = localTime(nowMs, rule.timeZone).toPlainDateTime();
  let start = Number.NEGATIVE_INFINITY;
  let end = Number.POSITIVE_INFINITY;
  for (const step of STEPS) {
    for (const instant of instantsOf(nominal(rule, local, step), rule)) {
      if (instant <= nowMs) start = Math.max(start, instant);
      else end = Math.min(end, instant);
    }
  }
  return { start, end };
}

/** Returns the wall-clock boundary `step` periods from the one that contains `local`. */
function nominal(rule: CycleRule, local: Temporal.PlainDateTime, step: number): Temporal.PlainDateTime {
  const date = local.toPlainDate();
  switch (rule.every) {
    case 'hour':
      return date.toPlainDateTime({ hour: local.hour, minute: rule.anchor }).add({ hours: step });
    case 'day':
      return date.add({ days: step }).toPlainDateTime({ hour: rule.anchor });
    case 'week':
      return date.add({ days: 7 * step + rule.anchor - date.dayOfWeek }).toPlainDateTime();
    case 'month': {
      const month = date.toPlainYearMonth().add({ months: step });
      return month.toPlainDate({ day: Math.min(rule.anchor, month.daysInMonth) }).toPlainDateTime();
    }
    case 'year': {
      const year = date.year + step;
      const day = { year, monthCode: monthCode(rule.anchor), day: rule.anchor % 100 };
      return Temporal.PlainDate.from(day, { overflow: 'constrain' }).toPlainDateTime();
    }
  }
}

function instantsOf(time: Temporal.PlainDateTime, rule: CycleRule): number[] {
  const earlier = time.toZonedDateTime(rule.timeZone, { disambiguation: 'earlier' });
  if (!earlier.toPlainDateTime().equals(time)) {
    const jump = earlier.getTimeZoneTransition('next');
    return jump === null ? [] : [jump.epochMilliseconds];
  }
  if (rule.every !== 'hour') return [earlier.epochMilliseconds];
  const later = time.toZonedDateTime(rule.timeZone, { disambiguation: 'later' });
  return [earlier.epochMilliseconds, later.epochMilliseconds];
}

function localTime(ms: number, timeZone: string): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(ms).toZonedDateTimeISO(timeZone);
}

const CACHED_ZONES = 64;
const CACHED_MINUTES = 256;
const buckets = new LRUCache<string, LRUCache<number, string>>({ max: CACHED_ZONES });

/**
 * The local hour as `YYYY-MM-DDTHH`. The second occurrence of a repeated hour includes its offset
 * (`2026-10-25T02+01:00`), so that the two differ and still sort as text.
 */
export function hourBucket(ms: number, timeZone: string): string {
  let zone = buckets.get(timeZone);
  if (zone === undefined) {
    zone = new LRUCache({ max: CACHED_MINUTES });
    buckets.set(timeZone, zone);
  }
  // Since 1972 clocks change only at whole minutes, so a minute has one result.
  const minute = Math.floor(ms / MINUTE_MS);
  let text = zone.get(minute);
  if (text === undefined) {
    text = hourText(localTime(minute * MINUTE_MS, timeZone));
    zone.set(minute, text);
  }
  return text;
}

function hourText(time: Temporal.ZonedDateTime): string {
  const local = time.toPlainDateTime();
  const hour = local.toString({ smallestUnit: 'minute' }).slice(0, 'YYYY-MM-DDTHH'.length);
  const first = local.toZonedDateTime(time.timeZoneId, { disambiguation: 'earlier' });
  return first.epochMilliseconds === time.epochMilliseconds ? hour : `${hour}${time.offset}`;
}

/** The bucket of the second occurrence of a local hour, `YYYY-MM-DDTHH`. */
export function repeatedHour(hour: string, timeZone: string): string {
  const time = Temporal.PlainDateTime.from(`${hour}:00`);
  return `${hour}${time.toZonedDateTime(timeZone, { disambiguation: 'later' }).offset}`;
}

/** Start of a local hour (`THH`; `THH+` for its second occurrence), or of the day for ''. */
export function hourStart(day: string, hour: string, timeZone: string): number {
  const time = Temporal.PlainDateTime.from(`${day}${hour === '' ? 'T00' : hour.slice(0, 'THH'.length)}:00`);
  const disambiguation = hour.endsWith('+') ? 'later' : 'earlier';
  return time.toZonedDateTime(timeZone, { disambiguation }).epochMilliseconds;
}

/** Start of the cycle that contains a local hour; '' stands for the middle of the day. */
export function cycleStartAt(rule: CycleRule, day: string, hour: string): number {
  const time = Temporal.PlainDateTime.from(`${day}${hour === '' ? 'T12' : hour.slice(0, 'THH'.length)}:00`);
  return boundsAt(rule, time.toZonedDateTime(rule.timeZone).epochMilliseconds).start;
}

/** The local day as `YYYY-MM-DD`. */
export function dayOf(ms: number, timeZone: string): string {
  return hourBucket(ms, timeZone).slice(0, 'YYYY-MM-DD'.length);
}

/** The days of a cycle as a person reads them, including the last one. */
export function periodDays(bounds: Bounds, timeZone: string): { from: string; to: string } {
  return { from: dayOf(bounds.start, timeZone), to: dayOf(bounds.end - 1, timeZone) };
}
