/** Days and times, always in the zone of the org. */
import { language } from '../i18n/index.js';
import { localeOf } from './locale.js';

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const locale = localeOf(language.value);
  const key = `${locale} ${JSON.stringify(options)}`;
  const format = formats.get(key) ?? new Intl.DateTimeFormat(locale, options);
  formats.set(key, format);
  return format;
}

const DAY = { day: 'numeric', month: 'short' } as const;
const DATE = { ...DAY, year: 'numeric' } as const;
const TIME = { hour: '2-digit', minute: '2-digit' } as const;

/** `20 Dec` */
export function dayAt(instant: string | number, timeZone: string): string {
  return formatOf({ ...DAY, timeZone }).format(new Date(instant));
}

/** `20 Dec 2026` */
export function dateAt(instant: string | number, timeZone: string): string {
  return formatOf({ ...DATE, timeZone }).format(new Date(instant));
}

/** `20 Dec 2026, 14:05` */
export function timeAt(instant: string | number, timeZone: string): string {
  return formatOf({ ...DATE, ...TIME, timeZone }).format(new Date(instant));
}

/** With seconds and the name of the zone: nothing is left to guess. */
export function exactTimeAt(instant: string | number, timeZone: string): string {
  return formatOf({ ...DATE, ...TIME, second: '2-digit', timeZoneName: 'short', timeZone }).format(
    new Date(instant),
  );
}

/** A calendar day such as `2026-12-20`, which has no zone: `20 Dec`. */
export function day(calendarDay: string): string {
  return formatOf({ ...DAY, timeZone: 'UTC' }).format(new Date(`${calendarDay}T00:00:00Z`));
}

/** `20 Nov – 19 Dec 2026` */
export function dayRange(from: string, to: string): string {
  const at = (calendarDay: string): Date => new Date(`${calendarDay}T00:00:00Z`);
  return formatOf({ ...DATE, timeZone: 'UTC' }).formatRange(at(from), at(to));
}

const DAY_MS = 86_400_000;

/** Calendar days, the first and last one included. */
export function daysBetween(from: string, to: string): string[] {
  const length = (Date.parse(to) - Date.parse(from)) / DAY_MS + 1;
  return Array.from({ length }, (_, index) =>
    new Date(Date.parse(from) + index * DAY_MS).toISOString().slice(0, 10),
  );
}

/** Milliseconds by which the zone is ahead of UTC at an instant. */
function offsetAt(ms: number, timeZone: string): number {
  const parts = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  }).formatToParts(ms);
  const of = (type: string): number => Number(parts.find((part) => part.type === type)?.value);
  const wall = Date.UTC(of('year'), of('month') - 1, of('day'), of('hour'), of('minute'), of('second'));
  return wall - Math.floor(ms / 1_000) * 1_000;
}

/** The instant of a wall time of the zone, as `datetime-local` inputs have it: `2026-12-20T14:05`. Undefined if it is none. */
export function instantOfWall(wall: string, timeZone: string): string | undefined {
  const asUtc = Date.parse(`${wall}Z`);
  if (Number.isNaN(asUtc)) return undefined;
  // Twice, because the offset at the first guess can be that before a change of the clocks.
  const guess = asUtc - offsetAt(asUtc, timeZone);
  return new Date(asUtc - offsetAt(guess, timeZone)).toISOString();
}

/** The wall time of an instant in the zone, to the minute. */
export function wallOfInstant(instant: string | number, timeZone: string): string {
  const ms = new Date(instant).getTime();
  return new Date(ms + offsetAt(ms, timeZone)).toISOString().slice(0, 16);
}

/** `3 days ago`, `in 2 hours` */
export function relative(instant: string | number, now = Date.now()): string {
  const seconds = (new Date(instant).getTime() - now) / 1_000;
  const [size, unit] = UNITS.find(([one]) => Math.abs(seconds) >= one) ?? [1, 'second'];
  const format = new Intl.RelativeTimeFormat(localeOf(language.value), { numeric: 'auto' });
  return format.format(Math.round(seconds / size), unit);
}

const UNITS: readonly (readonly [number, Intl.RelativeTimeFormatUnit])[] = [
  [86_400, 'day'],
  [3_600, 'hour'],
  [60, 'minute'],
];
