/**
 * Tables of the history, and the slots within them. Buckets are local times of the org at the hour of admission.
 *
 * | table | field | slots | kept |
 * |---|---|---|---|
 * | `history:userhours:<first day of seven>` | user | hours of the seven days | `retention.userHours` |
 * | `history:userdays:<month>` | user | days of the month | `retention.history` |
 * | `history:shared:<day>` | `g:<group>`, `o` (the org) | hours of the day | `retention.history` |
 * | `history:groups` | none: numbers of groups (group-numbers.ts) | | always |
 *
 * An hour has two slots: the second is the hour that is repeated when clocks are set back.
 */
import type { Table } from '../ledger/port.js';

export const ORG_FIELD = 'o';
export const groupField = (group: string): string => `g:${group}`;

const DAY_MS = 86_400_000;
const BLOCK_DAYS = 7;
const SLOTS_A_DAY = 48;
const DAY = 'YYYY-MM-DD'.length;
const MONTH = 'YYYY-MM'.length;
const HOUR = 'YYYY-MM-DDTHH'.length;

export type HistoryKind = 'userhours' | 'userdays' | 'shared';

export interface Place {
  readonly table: Table;
  readonly slot: number;
}

/** Places of one hour. `bucket`: as `hourBucket` gives it. */
export interface HourPlaces {
  readonly userHours: Place;
  readonly userDays: Place;
  readonly shared: Place;
}

const known = new Map<string, HourPlaces>();
const KNOWN_MAX = 2_000;

export function placesOf(bucket: string): HourPlaces {
  let places = known.get(bucket);
  if (places === undefined) {
    if (known.size >= KNOWN_MAX) known.clear();
    places = findPlaces(bucket);
    known.set(bucket, places);
  }
  return places;
}

function findPlaces(bucket: string): HourPlaces {
  const day = bucket.slice(0, DAY);
  const hour = 2 * Number(bucket.slice(DAY + 1, HOUR)) + (bucket.length > HOUR ? 1 : 0);
  const number = Math.floor(Date.parse(day) / DAY_MS);
  const inBlock = number % BLOCK_DAYS;
  return {
    userHours: {
      table: `history:userhours:${dayText(number - inBlock)}`,
      slot: inBlock * SLOTS_A_DAY + hour,
    },
    userDays: { table: `history:userdays:${day.slice(0, MONTH)}`, slot: Number(day.slice(MONTH + 1)) - 1 },
    shared: { table: `history:shared:${day}`, slot: hour },
  };
}

/** A table that a range of days needs, and how to name its slots. */
export interface RangeTable {
  readonly table: Table;
  /** The day of a slot, and its hour: `YYYY-MM-DD`, `THH` or `THH+` for a repeated one, '' in tables of days. */
  readonly at: (slot: number) => { readonly day: string; readonly hour: string };
}

/** The tables of the days from `from` to `to`, both included. */
export function tablesOf(kind: HistoryKind, from: string, to: string): RangeTable[] {
  const tables = new Map<Table, RangeTable>();
  for (const day of daysOf(from, to)) {
    const places = placesOf(`${day}T00`);
    if (kind === 'shared') {
      tables.set(places.shared.table, {
        table: places.shared.table,
        at: (slot) => ({ day, hour: hourText(slot) }),
      });
    } else if (kind === 'userdays') {
      const month = day.slice(0, MONTH);
      const at = (slot: number) => ({ day: `${month}-${String(slot + 1).padStart(2, '0')}`, hour: '' });
      tables.set(places.userDays.table, { table: places.userDays.table, at });
    } else {
      const first = Date.parse(places.userHours.table.slice('history:userhours:'.length)) / DAY_MS;
      const at = (slot: number) => ({
        day: dayText(first + Math.floor(slot / SLOTS_A_DAY)),
        hour: hourText(slot % SLOTS_A_DAY),
      });
      tables.set(places.userHours.table, { table: places.userHours.table, at });
    }
  }
  return [...tables.values()];
}

function hourText(slot: number): string {
  return `T${String(Math.floor(slot / 2)).padStart(2, '0')}${slot % 2 === 1 ? '+' : ''}`;
}

function daysOf(from: string, to: string): string[] {
  const days: string[] = [];
  for (let number = Date.parse(from) / DAY_MS; number <= Date.parse(to) / DAY_MS; number += 1)
    days.push(dayText(number));
  return days;
}

export function dayBefore(day: string, days: number): string {
  return dayText(Date.parse(day) / DAY_MS - days);
}

function dayText(number: number): string {
  return new Date(number * DAY_MS).toISOString().slice(0, DAY);
}
