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
