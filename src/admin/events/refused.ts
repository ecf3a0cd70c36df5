/** Adds to blocked events how many requests were refused, and until when: from the history, which counts by the hour. */
import { Temporal } from 'temporal-polyfill';
import { sectionOf } from '../../history/names.js';
import { type HistoryText, type Place, readTexts, type Visit } from '../../history/reader.js';
import { groupField, type HistoryKind, ORG_FIELD, type RangeTable, tablesOf } from '../../history/tables.js';
import type { OrgView } from '../../ledger/view/org-view.js';
import type { Notice } from '../../notify/notice.js';
import type { RaiseNotice } from '../../notify/raise-requests.js';
import { boundsAt, dayOf, hourBucket } from '../../quota/cycle.js';
import { userKeyOf } from '../../quota/id.js';
import type { Admin } from '../admin.js';

export interface RefusedRequests {
  readonly count: number;
  readonly first: string;
  readonly last: string;
  readonly precision: 'hour' | 'day';
  readonly actions: readonly { readonly action: string; readonly count: number }[];
}

export type Event = (Notice | RaiseNotice) & {
  readonly id: string;
  readonly refused?: RefusedRequests;
};

const DAY_MS = 86_400_000;
/** Refusals are counted for so long after the first: bounds the reads of a page where cycles are years. */
const COUNTED_DAYS = 92;

/** Reads the history of the subjects of these events, and the journal once. */
export async function withRefused(
  { history, retention }: Admin,
  view: OrgView,
  events: readonly Event[],
): Promise<Event[]> {
  const hoursSince = dayOf(view.now - retention.userHoursDays * DAY_MS, view.rule.timeZone);
  const counts = new Map<Event, RefusalCount>();
  for (const event of events)
    if (event.kind === 'blocked') counts.set(event, new RefusalCount(event, view, hoursSince));
  const texts = textsOf([...counts.values()]);
  if (texts.length > 0) await readTexts(history, { org: view.id, timeZone: view.rule.timeZone }, texts);
  return events.map((event) => {
    const count = counts.get(event);
    return count === undefined ? event : { ...event, refused: count.shown() };
  });
}

/** Each text is read once, for all events that it counts for. */
function textsOf(counts: readonly RefusalCount[]): HistoryText[] {
  const texts = new Map<string, { table: RangeTable; field: string; visits: Visit[] }>();
  for (const { field, kind, from, to, visit } of counts) {
    for (const table of tablesOf(kind, from.day, to.day)) {
      const name = `${table.table}|${field}`;
      const text = texts.get(name);
      if (text === undefined) texts.set(name, { table, field, visits: [visit] });
      else text.visits.push(visit);
    }
  }
  return [...texts.values()].map(({ table, field, visits }) => ({
    table,
    field,
    visit: (...cell) => {
      for (const visit of visits) visit(...cell);
    },
  }));
}

/** Of one event: refused requests at its limit, from its hour to the end of its cycle. */
class RefusalCount {
  readonly kind: HistoryKind;
  readonly field: string;
  readonly from: Place;
  readonly to: Place;
  private readonly actions = new Map<string, number>();
  private latest: Place | undefined;
  private readonly timeZone: string;

  constructor(
    private readonly event: Event,
    { now, rule, cycle }: OrgView,
    hoursSince: string,
  ) {
    this.timeZone = rule.timeZone;
    const at = Date.parse(event.at);
    const started = Date.parse(event.cycleStart);
    const { end } = started === cycle.start ? cycle : boundsAt(rule, started);
    this.from = placeAt(at, rule.timeZone);
    this.to = placeAt(Math.max(at, Math.min(end - 1, now, at + COUNTED_DAYS * DAY_MS)), rule.timeZone);
    const { scope, subject } = event;
    if (scope === 'user') this.kind = this.from.day < hoursSince ? 'userdays' : 'userhours';
    else this.kind = 'shared';
    if (scope === 'user') this.field = userKeyOf(subject) ?? subject;
    else this.field = scope === 'group' ? groupField(subject) : ORG_FIELD;
  }

  // biome-ignore lint/complexity/useMaxParams: called for every cell of a range, where an object would be allocated each time.
  readonly visit: Visit = (_field, name, place, { units }) => {
    const { quota, action, refused } = sectionOf(name);
    const { scope, subject } = this.event;
    if (refused?.scope !== scope || quota !== this.event.quota) return;
    if (scope === 'group' && refused.group !== subject) return;
    if (isBefore(place, this.from) || isBefore(this.to, place)) return;
    this.actions.set(action, (this.actions.get(action) ?? 0) + units);
    if (this.latest === undefined || isBefore(this.latest, place)) this.latest = place;
  };

  shown(): RefusedRequests {
    const { at, action } = this.event;
    // The event is of one refused request, also where the counts of its process have not come yet.
    const counts = this.actions.size === 0 ? [[action, 1] as const] : [...this.actions];
    const actions = counts.map(([name, count]) => ({ action: name, count }));
    const last = this.latest === undefined ? 0 : startOf(this.latest, this.timeZone);
    return {
      count: actions.reduce((sum, { count }) => sum + count, 0),
      first: at,
      last: new Date(Math.max(Date.parse(at), last)).toISOString(),
      precision: this.kind === 'userdays' ? 'day' : 'hour',
      actions: actions.sort((a, b) => b.count - a.count || (a.action < b.action ? -1 : 1)),
    };
  }
}

const DAY = 'YYYY-MM-DD'.length;
const HOUR = 'YYYY-MM-DDTHH'.length;

function placeAt(ms: number, timeZone: string): Place {
  const bucket = hourBucket(ms, timeZone);
  const repeated = bucket.length > HOUR ? '+' : '';
  return { day: bucket.slice(0, DAY), hour: bucket.slice(DAY, HOUR) + repeated };
}

/** A place that is a whole day is before no hour of it, and none is before it. */
function isBefore(a: Place, b: Place): boolean {
  if (a.day !== b.day || a.hour === '' || b.hour === '') return a.day < b.day;
  return a.hour < b.hour;
}

function startOf({ day, hour }: Place, timeZone: string): number {
  const time = Temporal.PlainDateTime.from(`${day}${hour === '' ? 'T00' : hour.slice(0, 'THH'.length)}:00`);
  const disambiguation = hour.endsWith('+') ? 'later' : 'earlier';
  return time.toZonedDateTime(timeZone, { disambiguation }).epochMilliseconds;
}
