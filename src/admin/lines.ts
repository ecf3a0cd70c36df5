/** Counter lines and limits as people read them: figures in the quota's units, caps of the present pool and time. */
import { decodeGroup, decodeLimit, encodeLimit } from '../ledger/codec.js';
import type { Change, Table } from '../ledger/port.js';
import { lineOf, type Scope, userOfToken } from '../quota/id.js';
import { capOf, type Limit } from '../quota/limit.js';
import { formatUnits } from '../quota/units.js';
import { percentOut, type QuotaDefinition, share } from './amounts.js';
import { numberIn, type OrgBook, type Tables, textIn } from './book.js';
import { etagOf } from './etag.js';
import { type Profile, profileIn } from './profile.js';

export interface Line {
  readonly quota: string;
  readonly scope: Scope;
  /** User token or group id; '' for the org. */
  readonly token: string;
  readonly field: string;
}

const LINE = /^([A-Za-z0-9._-]+):(?:(o)|(u|g):([^:]+))$/;

export function parseLine(field: string): Line | undefined {
  const [, quota, org, letter, token = ''] = LINE.exec(field) ?? [];
  if (quota === undefined) return undefined;
  const scope = org === 'o' ? 'org' : letter === 'u' ? 'user' : 'group';
  return { quota, scope, token, field };
}

export function lineTo(quota: string, scope: Scope, token: string): Line {
  return { quota, scope, token, field: lineOf(quota, scope, token) };
}

/** How a quota's amounts are written; a quota that the config has no more counts in whole units. */
export function quotaOf({ quotas }: OrgBook, quota: string): QuotaDefinition {
  return quotas.get(quota) ?? { unit: '', decimals: 0 };
}

/** Integers, as inside. */
export interface Figures {
  readonly consumed: number;
  readonly held: number;
}

export function figuresOf({ tables, cycle: { start } }: OrgBook, field: string): Figures {
  const consumed = numberIn(tables, `consumed:${start}`, field);
  return { consumed, held: numberIn(tables, `held:${start}`, field) };
}

export type LimitStatus = 'ok' | 'warning' | 'blocked';

const WARNING_PERCENT = 80;

export interface Standing extends Figures {
  readonly cap: number;
  readonly remaining: number;
  readonly status: LimitStatus;
}

/** Where a capped line stands. A limit in shadow never blocks. */
export function standingOf(cap: number, { consumed, held }: Figures, shadow: boolean): Standing {
  const remaining = Math.max(0, cap - consumed - held);
  const warning = remaining === 0 || consumed * 100 >= cap * WARNING_PERCENT;
  const status = remaining === 0 && !shadow ? 'blocked' : warning ? 'warning' : 'ok';
  return { cap, consumed, held, remaining, status };
}

export function capNow(book: Pick<OrgBook, 'pools' | 'now'>, quota: string, limit: Limit): number {
  return capOf(limit, book.pools.get(quota)?.units ?? 0, book.now);
}

export function limitStanding(book: OrgBook, line: Line, limit: Limit): Standing {
  return standingOf(capNow(book, line.quota, limit), figuresOf(book, line.field), limit.shadow);
}

/** Consumed, held, remaining, cap and percent as the API tells them. */
export function figuresOut(
  { cap, consumed, held, remaining, status }: Standing,
  { decimals }: QuotaDefinition,
) {
  return {
    cap: formatUnits(cap, decimals),
    consumed: formatUnits(consumed, decimals),
    held: formatUnits(held, decimals),
    remaining: formatUnits(remaining, decimals),
    percentUsed: share(consumed, cap),
    status,
  };
}

/** The cap as it was set: units, or a percent of the pool with the place of its share. */
export function capOut(limit: Limit, { decimals }: QuotaDefinition) {
  if (limit.percent === 0) return { units: formatUnits(limit.units, decimals) };
  return { percent: percentOut(limit.percent), offset: percentOut(limit.offset) };
}

export function etagOfLimit(field: string, limit: Limit): string {
  return etagOf('limit', field, encodeLimit(limit));
}

/** Tables that `limitView` reads for the names of subjects and their figures. */
export function limitTables(start: number): Table[] {
  return ['limits', 'records', 'groups', `consumed:${start}`, `held:${start}`];
}

export function limitView(book: OrgBook, line: Line, limit: Limit) {
  const definition = quotaOf(book, line.quota);
  const raised = book.now < limit.raiseUntil;
  return {
    id: line.field,
    quota: line.quota,
    subject: subjectOf(book.tables, line),
    ...capOut(limit, definition),
    ...figuresOut(limitStanding(book, line, limit), definition),
    shadow: limit.shadow,
    resetsAt: instant(book.cycle.end),
    ...(raised
      ? { raise: { units: formatUnits(limit.raise, definition.decimals), until: instant(limit.raiseUntil) } }
      : {}),
    etag: etagOfLimit(line.field, limit),
  };
}

function subjectOf(tables: Tables, { scope, token }: Line) {
  if (scope === 'group') return { scope, id: token, name: groupName(tables, token) };
  const { name, role }: Profile = profileIn(tables, token);
  return { scope, id: userOfToken(token), name, role };
}

function groupName(tables: Tables, group: string): string {
  const text = textIn(tables, 'groups', group);
  return text === undefined ? '' : decodeGroup(text).name;
}

export function limitIn(tables: Tables, field: string): Limit | undefined {
  const text = textIn(tables, 'limits', field);
  return text === undefined ? undefined : decodeLimit(text);
}

/** A limit or pool that was raised may tell of its thresholds again in this cycle. */
export function rearm(book: OrgBook, field: string): Change {
  return { del: `consumed:${book.cycle.start}`, field: `!mark:${field}` };
}

export function instant(ms: number): string {
  return new Date(ms).toISOString();
}
