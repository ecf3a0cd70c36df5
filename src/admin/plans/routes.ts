/** Plans and top-ups: what the org may consume. Both change percentage caps at once. */
import Type from 'typebox';
import { decodeLimit, encodePlan } from '../../ledger/codec.js';
import type { Change, Expectation } from '../../ledger/port.js';
import { scanAll } from '../../ledger/scan-all.js';
import { figuresOf, lineTo, parseLine, quotaOf, standingOf } from '../../ledger/view/limit-lines.js';
import { fieldsOf, type OrgView, type Pool, readOrg, withTables } from '../../ledger/view/org-view.js';
import { UNITS_MAX } from '../../quota/charge.js';
import { capOf, type Plan, type PlanMode } from '../../quota/limit.js';
import type { QuotaDefinition } from '../../quota/units.js';
import { formatUnits } from '../../quota/units.js';
import { ADMINS, READERS } from '../access/roles.js';
import type { Admin } from '../admin.js';
import { positiveUnitsIn, unitsIn } from '../http/amounts.js';
import { created, endpoint, ok } from '../http/endpoint.js';
import { checkMatch } from '../http/etag.js';
import { invalid, notFound } from '../http/problems.js';
import { DryRun, members, Reason, words } from '../http/validate.js';
import { rearm } from '../limits/limit-view.js';
import { set as setField } from '../orgs/definition.js';
import type { Snapshots } from '../snapshots/snapshots.js';
import { changeOrg, type WriteContext, type WritePlan, writeContext } from '../writes/change.js';
import { extraEntry, PLAN_HISTORY_ENDPOINTS, planEntry } from './history.js';
import { etagOfPlan, orgLines, poolView } from './pools.js';
import { PlanMode as Mode, PlanList, PlanPreview, PoolView } from './schemas.js';

const PlanBody = members({
  allowance: Type.Number(),
  mode: Type.Optional(Mode),
  begins: Type.Optional(
    Type.Enum(['now', 'next-cycle'], {
      description: 'Left out: now. A change now takes the place of one that was set for the next cycle',
    }),
  ),
  reason: Reason,
});

const ExtraBody = members({ units: Type.Number(), reason: words(500, 1) });

interface PlanChange {
  readonly quota: string;
  readonly allowance: number;
  /** Absent: unchanged; a new plan is hard. */
  readonly mode: PlanMode | undefined;
  readonly isNext: boolean;
}

function planAfter({ pools }: OrgView, { quota, allowance, mode }: PlanChange): Plan {
  return { allowance, mode: mode ?? pools.get(quota)?.plan.mode ?? 'hard' };
}

const set = endpoint({
  id: 'setPlan',
  method: 'PUT',
  path: '/orgs/:org/plans/:quota',
  summary: 'Set the plan of a quota; with dryRun, say what it would block',
  roles: ADMINS,
  query: DryRun,
  body: PlanBody,
  example: { allowance: 5_000, mode: 'hard', reason: 'contract 2026' },
  answers: { 200: Type.Union([PoolView, PlanPreview]) },
  ifMatch: true,
  handle: async (admin, request) => {
    const { quota } = request.params;
    const { allowance, mode, begins, reason } = request.body;
    const units = unitsIn(allowance, quotaOfPath(admin, quota), 'allowance');
    const context = writeContext(request, reason);
    const change: PlanChange = { quota, allowance: units, mode, isNext: begins === 'next-cycle' };
    if (request.query.dryRun === true) return ok(await dryRun(admin, context, change));
    return ok(await putPlan(admin, context, change));
  },
});

const addExtra = endpoint({
  id: 'addExtra',
  method: 'POST',
  path: '/orgs/:org/plans/:quota/extra',
  summary: 'Add units to the extra balance of a quota',
  roles: ADMINS,
  body: ExtraBody,
  example: { units: 2_500, reason: 'order 4711' },
  answers: { 201: PoolView },
  ifMatch: true,
  handle: async (admin, request) => {
    const { org, quota } = request.params;
    const units = positiveUnitsIn(request.body.units, quotaOfPath(admin, quota), 'units');
    const pool = await topUp(admin, writeContext(request, request.body.reason), { quota, units });
    return created(`/v1/orgs/${org}/plans/${quota}`, pool);
  },
});

const list = endpoint({
  id: 'listPlans',
  method: 'GET',
  path: '/orgs/:org/plans',
  summary: 'List the plans of an org with their pools',
  roles: READERS,
  answers: { 200: PlanList },
  handle: async (admin, { params }) => {
    const view = await readOrg(admin, params.org, orgLines(admin.quotas));
    return ok({ items: [...view.pools].map(([quota, pool]) => poolView(view, quota, pool)) });
  },
});

const show = endpoint({
  id: 'getPlan',
  method: 'GET',
  path: '/orgs/:org/plans/:quota',
  summary: 'Show the plan of a quota with its pool',
  roles: READERS,
  answers: { 200: PoolView },
  handle: async (admin, { params }) => {
    const shown = shownPool(admin, params.quota);
    return ok(shown.show(await readOrg(admin, params.org, shown.wants)));
  },
});

export const PLAN_ENDPOINTS = [list, show, set, addExtra, ...PLAN_HISTORY_ENDPOINTS];

function quotaOfPath({ quotas }: Admin, quota: string): QuotaDefinition {
  const definition = quotas.get(quota);
  if (definition === undefined) throw notFound(`quota ${quota}`);
  return definition;
}

type Shown = ReturnType<typeof poolView>;

function shownPool({ quotas }: Admin, quota: string) {
  const show = (view: OrgView): Shown => {
    const pool = view.pools.get(quota);
    if (pool === undefined) throw notFound(`plan for ${quota}`);
    return poolView(view, quota, pool);
  };
  return { wants: orgLines(quotas), show };
}

async function putPlan(admin: Admin, context: WriteContext, change: PlanChange): Promise<Shown> {
  const { quota } = change;
  const shown = shownPool(admin, quota);
  const decide = async (view: OrgView): Promise<WritePlan<Shown>> => {
    const plan = planAfter(view, change);
    const before = view.pools.get(quota);
    await checkPlan(admin, { context, view, change });
    const changes = change.isNext ? nextChanges(before, quota, plan) : planChanges(view, quota, plan);
    if (changes.length === 0) return { changes, ...shown };
    const begins = change.isNext ? view.cycle.end : view.now;
    changes.push(planEntry(view, context, { quota, plan, begins }));
    const from = before === undefined ? null : planOut(view, quota, before.plan);
    const to = planOut(view, quota, plan);
    const action = change.isNext ? 'plan.schedule' : 'plan.set';
    const auditEvent = { action, subject: `plan:${quota}`, from, to };
    return { changes, expects: [allLimits(view)], auditEvent, ...shown };
  };
  return changeOrg(admin, context, { decide, anyVersion: true });
}

function planChanges(view: OrgView, quota: string, plan: Plan): Change[] {
  const before = view.pools.get(quota);
  const text = encodePlan(plan);
  const changes: Change[] = before?.next === undefined ? [] : [{ del: 'org', field: `next:${quota}` }];
  if (before !== undefined && encodePlan(before.plan) === text) return changes;
  changes.push(setField(`plan:${quota}`, text));
  if (before !== undefined && plan.allowance > before.plan.allowance) changes.push(...rearmPool(view, quota));
  return changes;
}

/** The ledger makes it the plan when it begins the next cycle. The present plan, set for the next cycle, changes nothing then. */
function nextChanges(before: Pool | undefined, quota: string, plan: Plan): Change[] {
  if (before === undefined)
    throw invalid('begins', `the org has no plan for ${quota}: its first one begins now`);
  const [text, field] = [encodePlan(plan), `next:${quota}`];
  if (before.next !== undefined && encodePlan(before.next) === text) return [];
  if (encodePlan(before.plan) !== text) return [setField(field, text)];
  return before.next === undefined ? [] : [{ del: 'org', field }];
}

/** That no limit has changed since `view`. */
function allLimits({ limitsVersion }: OrgView): Expectation {
  return { table: 'org', fields: ['limitsVersion'], values: [limitsVersion] };
}

function planOut(view: OrgView, quota: string, { allowance, mode }: Plan) {
  return { allowance: formatUnits(allowance, quotaOf(view, quota).decimals), mode };
}

function rearmPool(view: OrgView, quota: string): Change[] {
  return rearm(view, lineTo(quota, 'org', '').field);
}

interface PlanCheck {
  readonly context: WriteContext;
  readonly view: OrgView;
  readonly change: PlanChange;
}

async function checkPlan(admin: Admin, { context, view, change }: PlanCheck): Promise<void> {
  const { quota } = change;
  const plan = planAfter(view, change);
  const before = view.pools.get(quota);
  checkMatch(context.ifMatch, etagOfPlan(quota, before));
  const units = plan.allowance + (before?.extra ?? 0);
  if (units > UNITS_MAX) throw invalid('allowance', 'is too large together with the extra balance');
  // A pool of 0 is intentional; caps of 0 under a pool that still admits requests are a mistake.
  const allStop = plan.mode === 'hard' && units === 0;
  if (before === undefined || units >= before.units || allStop) return;
  const emptied = await capsEmptied(admin, view, { quota, units });
  if (emptied > 0)
    throw invalid('allowance', `would set the cap of ${emptied} percent limits to 0`, { limits: emptied });
}

interface PoolSize {
  readonly quota: string;
  readonly units: number;
}

/**
 * Returns how many percentage limits would be 0 for a pool of `units`. Read directly: the commit expects all limits unchanged.
 */
async function capsEmptied({ ledger }: Admin, view: OrgView, { quota, units }: PoolSize): Promise<number> {
  const limits = await scanAll(ledger, view.id, 'limits');
  let emptied = 0;
  for (const { limit } of percentLimits(limits, quota))
    if (capOf({ ...limit, raiseUntil: 0 }, units, view.now) === 0) emptied += 1;
  return emptied;
}

function* percentLimits(limits: ReadonlyMap<string, string>, quota: string) {
  for (const [field, text] of limits) {
    const limit = decodeLimit(text);
    if (limit.percent > 0 && parseLine(field)?.quota === quota) yield { field, limit };
  }
}

const BLOCKED_SHOWN = 100;

/** The effect of a plan: whether the pool would block, and which percentage limits. */
async function dryRun(admin: Admin, context: WriteContext, change: PlanChange) {
  const { quotas, snapshots } = admin;
  const { quota } = change;
  const view = await readOrg(admin, context.org, orgLines(quotas));
  await checkPlan(admin, { context, view, change });
  const plan = planAfter(view, change);
  const { extra = 0, carried = 0 } = view.pools.get(quota) ?? {};
  if (change.isNext) return nextPreview(view, quota, { plan, units: plan.allowance + extra });
  const pool = poolView(view, quota, { plan, extra, carried, units: plan.allowance + extra });
  const blocked = await limitsBlocked(snapshots, view, { quota, units: plan.allowance + extra });
  return {
    wouldBlock: plan.mode === 'hard' && pool.remaining === 0,
    consumed: pool.consumed,
    held: pool.held,
    cap: pool.pool,
    limitsBlocked: { count: blocked.length, ids: blocked.slice(0, BLOCKED_SHOWN) },
  };
}

/** A cycle begins with nothing consumed: only a pool of 0 blocks then, for a cap of 0 is refused. */
function nextPreview(
  view: OrgView,
  quota: string,
  { plan, units }: { readonly plan: Plan; readonly units: number },
) {
  return {
    wouldBlock: plan.mode === 'hard' && units === 0,
    consumed: 0,
    held: 0,
    cap: formatUnits(units, quotaOf(view, quota).decimals),
    limitsBlocked: { count: 0, ids: [] },
  };
}

async function limitsBlocked(
  snapshots: Snapshots,
  view: OrgView,
  { quota, units }: PoolSize,
): Promise<string[]> {
  const { start } = view.cycle;
  const { tables } = await snapshots.tables(view.id, ['limits', `consumed:${start}`, `held:${start}`]);
  const copy = withTables(view, tables);
  const blocked: string[] = [];
  for (const { field, limit } of percentLimits(fieldsOf(tables, 'limits'), quota)) {
    const standing = standingOf(capOf(limit, units, view.now), figuresOf(copy, field), limit.shadow);
    if (standing.status === 'blocked') blocked.push(field);
  }
  return blocked;
}

async function topUp(
  admin: Admin,
  context: WriteContext,
  { quota, units }: { readonly quota: string; readonly units: number },
): Promise<Shown> {
  const decide = (view: OrgView): WritePlan<Shown> => {
    const pool = view.pools.get(quota);
    if (pool === undefined) throw invalid('quota', `the org has no plan for ${quota}`);
    checkMatch(context.ifMatch, etagOfPlan(quota, pool));
    if (pool.units + units > UNITS_MAX) throw invalid('units', 'is too large together with the pool');
    const changes: Change[] = [
      { incr: 'org', field: `extra:${quota}`, by: units },
      ...rearmPool(view, quota),
      extraEntry(view, context, { quota, units }),
    ];
    const out = (amount: number): number => formatUnits(amount, quotaOf(view, quota).decimals);
    const from = { extra: out(pool.extra) };
    const to = { extra: out(pool.extra + units), added: out(units) };
    const auditEvent = { action: 'extra.add', subject: `plan:${quota}`, from, to };
    return { changes, auditEvent, ...shownPool(admin, quota) };
  };
  return changeOrg(admin, context, { decide, anyVersion: true });
}
