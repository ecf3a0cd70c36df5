/** Sums of the history by time and by what the caller asks for. */
import { type CycleRule, cycleStartAt, hourBucket, repeatedHour } from '../quota/cycle.js';
import type { Scope } from '../quota/id.js';
import { type Section, sectionOf } from './names.js';
import type { Cell } from './packed.js';
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

/** Groups have rows of their own; keys and the groups of users are details of the rows of users. */
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
  const range = { org, timeZone: rule.timeZone, kind: kindOf(query), from, to, withGroups: isByGroup(query) };
  const { visit } = new CellFilter(query, sums.count);
  await readHistory(store, fields === undefined ? range : { ...range, fields }, visit);
  return sums.list();
}

export function isByGroup({ only, groupBy }: Pick<HistoryQuery, 'groupBy' | 'only'>): boolean {
  return only.group !== undefined || groupBy.includes('group');
}

/** Undefined: all. */
function fieldsFor({ only, groupBy }: HistoryQuery): readonly string[] | undefined {
  if (only.user !== undefined) return [only.user];
  if (readsUsers({ groupBy, only })) return undefined;
  if (only.group !== undefined) return [groupField(only.group)];
  return groupBy.includes('group') ? undefined : [ORG_FIELD];
}

/** What a cell counts for. */
export interface Counted {
  readonly section: Section;
  readonly field: string;
  /** '' where no group is asked for. */
  readonly group: string;
}

/** Passes on the cells that a query counts, once for each group that they count for. */
export class CellFilter {
  private readonly sections = new Map<string, Section>();
  private readonly firstHour: string;
  private readonly isByGroup: boolean;
  private readonly isOfUsers: boolean;

  constructor(
    private readonly query: HistoryQuery,
    private readonly count: (counted: Counted, place: Place, cell: Cell) => void,
  ) {
    const { since, rule } = query;
    this.isByGroup = isByGroup(query);
    this.isOfUsers = kindOf(query) !== 'shared';
    this.firstHour = since === undefined ? '' : hourBucket(since, rule.timeZone);
  }

  // biome-ignore lint/complexity/useMaxParams: called for every cell of a range, where an object would be allocated each time.
  readonly visit: Visit = (field, name, place, cell) => {
    const { from, to, only } = this.query;
    if (place.day < from || place.day > to) return;
    if (place.hour !== '' && place.day + place.hour < this.firstHour) return;
    const section = this.sectionOf(name);
    if (!this.accepts(section)) return;
    if (!this.isByGroup) this.count({ section, field, group: '' }, place, cell);
    else
      for (const group of this.isOfUsers ? section.groups : groupsOfShared(field))
        if (only.group === undefined || only.group === group)
          this.count({ section, field, group }, place, cell);
  };

  private accepts(section: Section): boolean {
    const { only } = this.query;
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
}

class Sums {
  private readonly rows = new Map<string, HistoryRow>();
  private readonly buckets = new Map<string, string>();

  constructor(private readonly query: HistoryQuery) {}

  readonly count = (counted: Counted, place: Place, { units, raw }: Cell): void => {
    const { section } = counted;
    const bucket = this.bucketOf(place);
    let key = `${bucket}|${section.quota}`;
    for (const dimension of this.query.groupBy) key += `|${dimensionOf(counted, dimension)}`;
    let row = this.rows.get(key);
    if (row === undefined) {
      row = {
        bucket,
        at: this.dimensionsOf(counted),
        units: 0,
        raw: 0,
        refused: { user: 0, group: 0, org: 0 },
      };
      this.rows.set(key, row);
    }
    if (section.refused !== undefined) row.refused[section.refused.scope] += units;
    else {
      row.units += units;
      row.raw += raw;
    }
  };

  private dimensionsOf(counted: Counted): HistoryRow['at'] {
    const dimensions = this.query.groupBy.map((one) => [one, dimensionOf(counted, one)] as const);
    return { ...Object.fromEntries(dimensions), quota: counted.section.quota };
  }

  /** A row that came to 0 is left out, as folding leaves out cells that did. */
  list(): HistoryRow[] {
    const rows = [...this.rows].filter(([, row]) => !isNothing(row));
    return rows.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, row]) => row);
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

export function isNothing({ units, raw, refused }: Pick<HistoryRow, 'units' | 'raw' | 'refused'>): boolean {
  return units === 0 && raw === 0 && refused.user + refused.group + refused.org === 0;
}

function groupsOfShared(field: string): readonly string[] {
  return field === ORG_FIELD ? [] : [field.slice('g:'.length)];
}

function dimensionOf({ section, field, group }: Counted, dimension: Dimension): string {
  switch (dimension) {
    case 'user':
      return field;
    case 'group':
      return group;
    default:
      return section[dimension];
  }
}
