/** Sums of the history by time and by what the caller asks for. */
import { type CycleRule, cycleStartAt, hourBucket, repeatedHour } from '../quota/cycle.js';
import type { Scope } from '../quota/id.js';
import { type Section, sectionOf } from './names.js';
import { type HistoryStore, type Place, readHistory, type Visit } from './reader.js';
import { groupField, type HistoryKind, ORG_FIELD } from './tables.js';

export const INTERVALS = ['hour', 'day', 'week', 'cycle', 'total'] as const;
export type Interval = (typeof INTERVALS)[number];

export const DIMENSIONS = ['quota', 'user', 'group', 'action', 'model', 'key'] as const;
export type Dimension = (typeof DIMENSIONS)[number];

/** By dimension; users and models by their keys. */
export type Selection = Readonly<Partial<Record<Dimension, string>>>;

export interface HistoryQuery {
  readonly org: string;
  readonly rule: CycleRule;
  /** Days in the zone of the rule, both included. */
  readonly from: string;
  readonly to: string;
  /** An instant within the first day: earlier hours are left out. */
  readonly since?: number;
  readonly by: Interval;
  /** Each quota has rows of its own, whether it is listed here or not. */
  readonly groupBy: readonly Dimension[];
  readonly only: Selection;
}

/** Requests that were refused, by whose limit. */
export type Refused = Record<Scope, number>;

export interface HistoryRow {
  /** `YYYY-MM-DDTHH`, a day, the Monday of a week, the start of a cycle as an instant, or '' for the total. */
  readonly bucket: string;
  /** Values of the dimensions that were asked for, and the quota. */
  readonly at: Selection & { readonly quota: string };
  units: number;
  /** What the meters read, before weights. */
  raw: number;
  readonly refused: Refused;
}

/** Users and groups are kept apart, so that a change of groups moves nothing; keys are a detail of users. */
export function mixesSubjects({ groupBy, only }: Pick<HistoryQuery, 'groupBy' | 'only'>): boolean {
  return readsUsers({ groupBy, only }) && (only.group !== undefined || groupBy.includes('group'));
}

function readsUsers({ groupBy, only }: Pick<HistoryQuery, 'groupBy' | 'only'>): boolean {
  const named = only.user !== undefined || only.key !== undefined;
  return named || groupBy.includes('user') || groupBy.includes('key');
}

/** Users by the hour are kept for a shorter time. */
export function kindOf(query: HistoryQuery): HistoryKind {
  if (!readsUsers(query)) return 'shared';
  return query.by === 'hour' || startsWithinDay(query) ? 'userhours' : 'userdays';
}

function startsWithinDay({ since, rule }: HistoryQuery): boolean {
  return since !== undefined && !hourBucket(since, rule.timeZone).endsWith('T00');
}

/** In the order of time, then of what was asked for. */
export async function queryHistory(store: HistoryStore, query: HistoryQuery): Promise<HistoryRow[]> {
  const { org, rule, from, to } = query;
  const sums = new Sums(query);
  const fields = fieldsFor(query);
  const range = { org, timeZone: rule.timeZone, kind: kindOf(query), from, to };
  await readHistory(store, fields === undefined ? range : { ...range, fields }, sums.add);
  return sums.list();
}

/** Undefined: all. */
function fieldsFor({ only, groupBy }: HistoryQuery): readonly string[] | undefined {
  if (only.user !== undefined) return [only.user];
  if (readsUsers({ groupBy, only })) return undefined;
  if (only.group !== undefined) return [groupField(only.group)];
  return groupBy.includes('group') ? undefined : [ORG_FIELD];
}

class Sums {
  private readonly rows = new Map<string, HistoryRow>();
  private readonly sections = new Map<string, Section>();
  private readonly buckets = new Map<string, string>();
  private readonly firstHour: string;

  constructor(private readonly query: HistoryQuery) {
    const { since, rule } = query;
    this.firstHour = since === undefined ? '' : hourBucket(since, rule.timeZone);
  }

  // biome-ignore lint/complexity/useMaxParams: called for every cell of a range, where an object would be allocated each time.
  readonly add: Visit = (field, name, place, { units, raw }) => {
    const { from, to, groupBy } = this.query;
    if (place.day < from || place.day > to) return;
    if (place.hour !== '' && place.day + place.hour < this.firstHour) return;
    const section = this.sectionOf(name);
    if (!this.accepts(section, field)) return;
    const at: Record<string, string> = { quota: section.quota };
    for (const dimension of groupBy) at[dimension] = dimensionOf(section, field, dimension);
    const bucket = this.bucketOf(place);
    const key = `${bucket}|${section.quota}|${groupBy.map((one) => at[one]).join('|')}`;
    let row = this.rows.get(key);
    if (row === undefined) {
      const refused = { user: 0, group: 0, org: 0 };
      row = { bucket, at: at as HistoryRow['at'], units: 0, raw: 0, refused };
      this.rows.set(key, row);
    }
    if (section.refused !== undefined) row.refused[section.refused.scope] += units;
    else {
      row.units += units;
      row.raw += raw;
    }
  };

  list(): HistoryRow[] {
    return [...this.rows].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, row]) => row);
  }

  private accepts(section: Section, field: string): boolean {
    const { only, groupBy } = this.query;
    // The org's own row beside those of the groups.
    if (groupBy.includes('group') && field === ORG_FIELD) return false;
    if (only.quota !== undefined && only.quota !== section.quota) return false;
    if (only.action !== undefined && only.action !== section.action) return false;
    if (only.model !== undefined && only.model !== section.model) return false;
    return only.key === undefined || only.key === section.key;
  }

  private sectionOf(name: string): Section {
    const section = this.sections.get(name) ?? sectionOf(name);
    this.sections.set(name, section);
    return section;
  }

  private bucketOf({ day, hour }: Place): string {
    const { by, rule } = this.query;
    if (by === 'total') return '';
    if (by === 'day') return day;
    const name = day + hour;
    let bucket = this.buckets.get(name);
    if (bucket === undefined) {
      bucket = bucketOf({ day, hour }, by, rule);
      this.buckets.set(name, bucket);
    }
    return bucket;
  }
}

function bucketOf({ day, hour }: Place, by: 'hour' | 'week' | 'cycle', rule: CycleRule): string {
  if (by === 'hour')
    return hour.endsWith('+') ? repeatedHour(day + hour.slice(0, -1), rule.timeZone) : day + hour;
  if (by === 'week') return mondayOf(day);
  return new Date(cycleStartAt(rule, day, hour)).toISOString();
}

const DAY_MS = 86_400_000;

function mondayOf(day: string): string {
  const date = new Date(day);
  const sinceMonday = (date.getUTCDay() + 6) % 7;
  return new Date(date.getTime() - sinceMonday * DAY_MS).toISOString().slice(0, 'YYYY-MM-DD'.length);
}

function dimensionOf(section: Section, field: string, dimension: Dimension): string {
  switch (dimension) {
    case 'user':
      return field;
    case 'group':
      return field.slice('g:'.length);
    default:
      return section[dimension];
  }
}
