/**
 * Distributes evenly: equal percentage caps for the active users of one quota that sum to exactly 100 % of the pool.
 */
import { setImmediate as turn } from 'node:timers/promises';
import Type from 'typebox';
import { decodeLimit, decodeMember, encodeLimit } from '../../ledger/codec.js';
import type { Change } from '../../ledger/port.js';
import { scanAll } from '../../ledger/scan-all.js';
import { capNow, figuresOf, lineTo, parseLine, quotaOf, standingOf } from '../../ledger/view/limit-lines.js';
import { type OrgView, withTables } from '../../ledger/view/org-view.js';
import { distribute, type Limit, NO_LIMIT, PERCENT_WHOLE } from '../../quota/limit.js';
import { formatUnits } from '../../quota/units.js';
import { MANAGERS } from '../access/roles.js';
import type { Admin } from '../admin.js';
import { definitionOf } from '../http/amounts.js';
import { endpoint, ok } from '../http/endpoint.js';
import { invalid } from '../http/problems.js';
import { DryRun, members, Name, Reason } from '../http/validate.js';
import { changeOrg, type WriteContext, type WritePlan, writeContext } from '../writes/change.js';
import { rearm } from './limit-view.js';
import { Distributed, DistributionPreview } from './schemas.js';

const KeepAbsolute = Type.Boolean({
  description: 'Users whose cap is in units keep it, and the others share the whole pool',
});

export const DISTRIBUTE_ENDPOINTS = [
  endpoint({
    id: 'distributeLimits',
    method: 'POST',
    path: '/orgs/:org/limits/distribute',
    summary: 'Split a quota evenly over the active users; with dryRun, say what that would do',
    roles: MANAGERS,
    query: DryRun,
    body: members({ quota: Name, keepAbsolute: Type.Optional(KeepAbsolute), reason: Reason }),
    example: { quota: 'usage' },
    answers: { 200: Type.Union([Distributed, DistributionPreview]) },
    handle: async (admin, request) => {
      const { quota, keepAbsolute = false, reason } = request.body;
      const dryRun = request.query.dryRun === true;
      const asked = { quota, keepAbsolute, dryRun };
      return ok(await distributeEvenly(admin, writeContext(request, reason), asked));
    },
  }),
];

/** The maximum number of users for whom no share of `pool` rounds to 0. */
export function usersThatFit(pool: number): number {
  return pool === 0 ? 0 : Math.floor(PERCENT_WHOLE / Math.ceil(PERCENT_WHOLE / pool));
}

interface Share {
  readonly field: string;
  readonly limit: Limit;
  readonly cap: number;
}

const SHARES_A_TURN = 1_000;

interface Distribution {
  readonly quota: string;
  readonly keepAbsolute: boolean;
  readonly dryRun: boolean;
}

async function distributeEvenly(admin: Admin, context: WriteContext, asked: Distribution) {
  const { quota, keepAbsolute, dryRun } = asked;
  definitionOf(admin.quotas, quota, 'quota');
  const decide = async (view: OrgView): Promise<WritePlan<Summary | Preview>> => {
    const pool = view.pools.get(quota)?.units;
    if (pool === undefined) throw invalid('quota', `the org has no plan for ${quota} to distribute`);
    const before = await limitsBefore(admin, view, quota);
    const kept = keepAbsolute ? takeAbsolute(before) : NONE;
    const shares = await sharesOf(admin, view, { quota, kept });
    const summary = summaryOf(view, { quota, pool, shares });
    if (summary.least === 0) {
      const fits = usersThatFit(pool);
      throw invalid('quota', `the pool is too small for ${shares.length} users; it fits ${fits}`, { fits });
    }
    if (dryRun) {
      const would = {
        ...(await blockedBy(admin, view, shares)),
        unitsReplaced: unitsIn(view, quota, before),
        unitsKept: unitsIn(view, quota, kept),
      };
      return { changes: [], answer: { ...summary, ...would } };
    }
    const changes = await replaceLimits(view, quota, { present: before, shares });
    const to = { users: summary.users, percentSum: 100, ...(keepAbsolute ? { kept: kept.size } : {}) };
    return {
      changes,
      auditEvent: { action: 'limit.distribute', subject: `plan:${quota}`, to },
      answer: summary,
    };
  };
  // Users who register meanwhile have no cap, as if they had come later.
  return changeOrg(admin, context, { decide, anyVersion: true });
}

type LimitsByLine = ReadonlyMap<string, Limit>;

const NONE: LimitsByLine = new Map();

/** Takes the limits in units out of `before`, and returns them. */
function takeAbsolute(before: Map<string, Limit>): LimitsByLine {
  const kept = new Map<string, Limit>();
  for (const [field, limit] of before) {
    if (limit.percent > 0) continue;
    kept.set(field, limit);
    before.delete(field);
  }
  return kept;
}

interface SharedPool {
  readonly quota: string;
  readonly pool: number;
  readonly shares: readonly Share[];
}

type Summary = ReturnType<typeof summaryOf>;
type Preview = Summary &
  Awaited<ReturnType<typeof blockedBy>> & { unitsReplaced: ReturnType<typeof unitsIn> };

function summaryOf(view: OrgView, { quota, pool, shares }: SharedPool) {
  const out = (units: number): number => formatUnits(units, quotaOf(view, quota).decimals);
  let [sum, least, most] = [0, Number.POSITIVE_INFINITY, 0];
  for (const { cap } of shares) {
    sum += cap;
    least = Math.min(least, cap);
    most = Math.max(most, cap);
  }
  const caps = { capsSum: out(sum), least: out(least), most: out(most) };
  return { quota, users: shares.length, percentSum: 100, pool: out(pool), ...caps };
}

interface Shared {
  readonly quota: string;
  /** Limits of users who take no share. */
  readonly kept: LimitsByLine;
}

async function sharesOf({ ledger }: Admin, view: OrgView, { quota, kept }: Shared): Promise<Share[]> {
  const fields: string[] = [];
  for (const [userKey, text] of await scanAll(ledger, view.id, 'members')) {
    const { field } = lineTo(quota, 'user', userKey);
    if (decodeMember(text).status === 'active' && !kept.has(field)) fields.push(field);
  }
  if (fields.length === 0) throw invalid('quota', 'there are no active users to distribute to');
  fields.sort();
  await turn();
  const shares = distribute(fields.length);
  return fields.map((field, index) => {
    const limit: Limit = { ...NO_LIMIT, ...shares[index] };
    return { field, limit, cap: capNow(view, quota, limit) };
  });
}

/** The present limits of users for the quota. */
async function limitsBefore({ ledger }: Admin, view: OrgView, quota: string) {
  const before = new Map<string, Limit>();
  for (const [field, text] of await scanAll(ledger, view.id, 'limits')) {
    const line = parseLine(field);
    if (line?.quota === quota && line.scope === 'user') before.set(field, decodeLimit(text));
  }
  return before;
}

const REPLACED_SHOWN = 100;

/** Caps in units were set for one user by hand; after replacement only the audit log has them. */
function unitsIn(view: OrgView, quota: string, before: LimitsByLine) {
  const { decimals } = quotaOf(view, quota);
  const absolute = [...before]
    .filter(([, { percent }]) => percent === 0)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const limits = absolute.slice(0, REPLACED_SHOWN).map(([id, { units, shadow }]) => {
    return { id, units: formatUnits(units, decimals), shadow };
  });
  return { count: absolute.length, limits };
}

interface Replacement {
  readonly present: LimitsByLine;
  readonly shares: readonly Share[];
}

/** All limits of users for the quota are replaced, so that none remains beside the 100 %. */
async function replaceLimits(view: OrgView, quota: string, { present, shares }: Replacement) {
  const before = new Map(present);
  const changes: Change[] = [];
  for (const [index, { field, limit, cap }] of shares.entries()) {
    if (index % SHARES_A_TURN === 0) await turn();
    const old = before.get(field);
    if (old !== undefined && cap > capNow(view, quota, old)) changes.push(...rearm(view, field));
    const was = old === undefined ? null : encodeLimit(old);
    changes.push({ set: 'limits', field, value: encodeLimit(limit), was });
    before.delete(field);
  }
  for (const [field, old] of before) changes.push({ del: 'limits', field, was: encodeLimit(old) });
  return changes;
}

async function blockedBy({ snapshots }: Admin, view: OrgView, shares: readonly Share[]) {
  const { start } = view.cycle;
  const { tables } = await snapshots.tables(view.id, [`consumed:${start}`, `held:${start}`]);
  let count = 0;
  const copy = withTables(view, tables);
  for (const { field, cap } of shares)
    if (standingOf(cap, figuresOf(copy, field), false).status === 'blocked') count += 1;
  return { wouldBlock: count > 0, usersBlocked: count };
}
