/** Limits and their figures in the form of the API. */
import { decodeGroup, encodeLimit } from '../../ledger/codec.js';
import type { Change, Table } from '../../ledger/port.js';
import {
  instant,
  type LimitLine,
  limitStanding,
  quotaOf,
  type Standing,
} from '../../ledger/view/limit-lines.js';
import { type OrgView, type Tables, textIn } from '../../ledger/view/org-view.js';
import { userIdOf } from '../../quota/id.js';
import type { Limit } from '../../quota/limit.js';
import type { QuotaDefinition } from '../../quota/units.js';
import { formatUnits } from '../../quota/units.js';
import { percentOut, share } from '../http/amounts.js';
import { etagOf } from '../http/etag.js';
import { type Profile, profileIn } from '../users/profile.js';

/** Consumed, held, remaining, cap and percent in the form of the API. */
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

/** The cap as it was set: units, or a percentage of the pool with the position of its share. */
export function capOut(limit: Limit, { decimals }: QuotaDefinition) {
  if (limit.percent === 0) return { units: formatUnits(limit.units, decimals) };
  return { percent: percentOut(limit.percent), offset: percentOut(limit.offset) };
}

/** A temporary raise: units on top of the cap, until a time of the store's clock. */
export function raiseOut({ raise, raiseUntil }: Limit, { decimals }: QuotaDefinition) {
  return { units: formatUnits(raise, decimals), until: instant(raiseUntil) };
}

export function etagOfLimit(field: string, limit: Limit): string {
  return etagOf('limit', field, encodeLimit(limit));
}

/** Tables that `limitView` reads for the names of subjects and their figures. */
export function limitTables(start: number): Table[] {
  return ['limits', 'records', 'groups', `consumed:${start}`, `held:${start}`];
}

export function limitView(view: OrgView, line: LimitLine, limit: Limit) {
  const definition = quotaOf(view, line.quota);
  const raised = view.now < limit.raiseUntil;
  return {
    id: line.field,
    quota: line.quota,
    subject: subjectOf(view.tables, line),
    ...capOut(limit, definition),
    ...figuresOut(limitStanding(view, line, limit), definition),
    shadow: limit.shadow,
    resetsAt: instant(view.cycle.end),
    ...(raised ? { raise: raiseOut(limit, definition) } : {}),
    etag: etagOfLimit(line.field, limit),
  };
}

function subjectOf(tables: Tables, { scope, subject }: LimitLine) {
  if (scope === 'group') return { scope, id: subject, name: groupName(tables, subject) } as const;
  const { name, role }: Profile = profileIn(tables, subject);
  return { scope: 'user', id: userIdOf(subject), name, role } as const;
}

function groupName(tables: Tables, group: string): string {
  const text = textIn(tables, 'groups', group);
  return text === undefined ? '' : decodeGroup(text).name;
}

/** After a limit or pool was raised, its thresholds and first refusal are reported again in this cycle. */
export function rearm(view: OrgView, field: string): Change[] {
  const table = `consumed:${view.cycle.start}` as const;
  return [
    { del: table, field: `!mark:${field}` },
    { del: table, field: `!refused:${field}` },
  ];
}
