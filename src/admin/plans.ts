/** Plans and top-ups: what the org may consume. Both move percent caps at once. */
import Type from 'typebox';
import { decodeLimit, encodePlan } from '../ledger/codec.js';
import type { Change } from '../ledger/port.js';
import { fieldsOf, type OrgBook, openBook, over } from '../ledger/view/book.js';
import { figuresOf, lineTo, parseLine, quotaOf, standingOf } from '../ledger/view/lines.js';
import { UNITS_MAX } from '../quota/charge.js';
import { capOf, type Plan, type PlanMode } from '../quota/limit.js';
import type { QuotaDefinition } from '../quota/units.js';
import { formatUnits } from '../quota/units.js';
import type { Admin, App } from './admin.js';
import { positiveUnitsIn, unitsIn } from './amounts.js';
import { type Act, actOf, changeOrg, UNCHANGED } from './change.js';
import { set } from './definition.js';
import { checkMatch } from './etag.js';
import { rearm } from './lines.js';
import { etagOfPlan, orgLines, poolView } from './pools.js';
import { invalid, notFound } from './problems.js';
import { type Snapshots, scanAll } from './snapshots.js';
import { DryRun, members, path, Reason, words } from './validate.js';

const PlanBody = members({
  allowance: Type.Number(),
  mode: Type.Optional(Type.Enum(['hard', 'soft', 'shadow'])),
  reason: Reason,
});

const ExtraBody = members({ units: Type.Number(), reason: words(500, 1) });

const ByQuota = path('org', 'quota');

interface PlanChange {
  readonly quota: string;
  readonly allowance: number;
  /** Left out: as it is; a new plan is hard. */
  readonly mode: PlanMode | undefined;
}

function planAfter({ pools }: OrgBook, { quota, allowance, mode }: PlanChange): Plan {
  return { allowance, mode: mode ?? pools.get(quota)?.plan.mode ?? 'hard' };
}

export function planRoutes(app: App, admin: Admin): void {
  const planSchema = { params: ByQuota, querystring: members(DryRun), body: PlanBody };
  app.put('/orgs/:org/plans/:quota', { schema: planSchema }, async (request, reply) => {
    const { org, quota } = request.params;
    const { allowance, mode, reason } = request.body;
    const units = unitsIn(allowance, quotaOfPath(admin, quota), 'allowance');
    const act = actOf(request, reason);
    const change: PlanChange = { quota, allowance: units, mode };
    if (request.query.dryRun === true) return dryRun(admin, act, change);
    await putPlan(admin, act, change);
    const view = await readPool(admin, org, quota);
    return reply.header('etag', view.etag).send(view);
  });

  const extraSchema = { params: ByQuota, body: ExtraBody };
  app.post('/orgs/:org/plans/:quota/extra', { schema: extraSchema }, async (request, reply) => {
    const { org, quota } = request.params;
    const units = positiveUnitsIn(request.body.units, quotaOfPath(admin, quota), 'units');
    await topUp(admin, actOf(request, request.body.reason), quota, units);
    const view = await readPool(admin, org, quota);
    return reply.code(201).header('etag', view.etag).send(view);
  });
}

function quotaOfPath({ quotas }: Admin, quota: string): QuotaDefinition {
  const definition = quotas.get(quota);
  if (definition === undefined) throw notFound(`quota ${quota}`);
  return definition;
}

async function readPool({ ledger, quotas }: Admin, org: string, quota: string) {
  const book = await openBook(ledger, quotas, org, orgLines(quotas));
  const pool = book.pools.get(quota);
  if (pool === undefined) throw notFound(`plan for ${quota}`);
  return poolView(book, quota, pool);
}

async function putPlan(admin: Admin, act: Act, change: PlanChange): Promise<void> {
  const { quota } = change;
  await changeOrg(admin, act, async (book) => {
    const plan = planAfter(book, change);
    const before = book.pools.get(quota)?.plan;
    await checkPlan(admin, act, book, change);
    const text = encodePlan(plan);
    if (before !== undefined && encodePlan(before) === text) return UNCHANGED;
    const changes: Change[] = [set(`plan:${quota}`, text)];
    if (before !== undefined && plan.allowance > before.allowance) changes.push(...rearmPool(book, quota));
    const [from, to] = [before, plan].map((one) => (one === undefined ? null : planOut(book, quota, one)));
    return { changes, deed: { action: 'plan.set', subject: `plan:${quota}`, from, to }, answer: undefined };
  });
}

function planOut(book: OrgBook, quota: string, { allowance, mode }: Plan) {
  return { allowance: formatUnits(allowance, quotaOf(book, quota).decimals), mode };
}

function rearmPool(book: OrgBook, quota: string): Change[] {
  return rearm(book, lineTo(quota, 'org', '').field);
}

async function checkPlan(admin: Admin, act: Act, book: OrgBook, change: PlanChange): Promise<void> {
  const { quota } = change;
  const plan = planAfter(book, change);
  const before = book.pools.get(quota);
  checkMatch(act.ifMatch, etagOfPlan(quota, before));
  const units = plan.allowance + (before?.extra ?? 0);
  if (units > UNITS_MAX) throw invalid('allowance', 'is too large together with the extra balance');
  // Nothing left for anybody is an order; caps of 0 under a pool that still admits are a mistake.
  const allStop = plan.mode === 'hard' && units === 0;
  if (before === undefined || units >= before.units || allStop) return;
  const emptied = await capsEmptied(admin, book, quota, units);
  if (emptied > 0)
    throw invalid('allowance', `would leave ${emptied} percent limits with a cap of 0`, { limits: emptied });
}

/** How many percent limits would mean nothing of a pool of `units`. Read fresh: the commit compares the version. */
async function capsEmptied({ ledger }: Admin, book: OrgBook, quota: string, units: number): Promise<number> {
  const limits = await scanAll(ledger, book.id, 'limits');
  let emptied = 0;
  for (const { limit } of percentLimits(limits, quota))
    if (capOf({ ...limit, raiseUntil: 0 }, units, book.now) === 0) emptied += 1;
  return emptied;
}

function* percentLimits(limits: ReadonlyMap<string, string>, quota: string) {
  for (const [field, text] of limits) {
    const limit = decodeLimit(text);
    if (limit.percent > 0 && parseLine(field)?.quota === quota) yield { field, limit };
  }
}

const BLOCKED_SHOWN = 100;

/** What a plan would do: whether the pool, and which percent limits, would block. */
async function dryRun(admin: Admin, act: Act, change: PlanChange) {
  const { ledger, quotas, snapshots } = admin;
  const { quota } = change;
  const book = await openBook(ledger, quotas, act.org, orgLines(quotas));
  await checkPlan(admin, act, book, change);
  const plan = planAfter(book, change);
  const { extra = 0, carried = 0 } = book.pools.get(quota) ?? {};
  const view = poolView(book, quota, { plan, extra, carried, units: plan.allowance + extra });
  const blocked = await limitsBlocked(snapshots, book, quota, plan.allowance + extra);
  return {
    wouldBlock: plan.mode === 'hard' && view.remaining === 0,
    consumed: view.consumed,
    held: view.held,
    cap: view.pool,
    limitsBlocked: { count: blocked.length, ids: blocked.slice(0, BLOCKED_SHOWN) },
  };
}

async function limitsBlocked(
  snapshots: Snapshots,
  book: OrgBook,
  quota: string,
  units: number,
): Promise<string[]> {
  const { start } = book.cycle;
  const { tables } = await snapshots.tables(book.id, ['limits', `consumed:${start}`, `held:${start}`]);
  const copy = over(book, tables);
  const blocked: string[] = [];
  for (const { field, limit } of percentLimits(fieldsOf(tables, 'limits'), quota)) {
    const standing = standingOf(capOf(limit, units, book.now), figuresOf(copy, field), limit.shadow);
    if (standing.status === 'blocked') blocked.push(field);
  }
  return blocked;
}

async function topUp(admin: Admin, act: Act, quota: string, units: number): Promise<void> {
  await changeOrg(admin, act, (book) => {
    const pool = book.pools.get(quota);
    if (pool === undefined) throw invalid('quota', `the org has no plan for ${quota}`);
    checkMatch(act.ifMatch, etagOfPlan(quota, pool));
    if (pool.units + units > UNITS_MAX) throw invalid('units', 'is too large together with the pool');
    const changes: Change[] = [
      { incr: 'org', field: `extra:${quota}`, by: units },
      ...rearmPool(book, quota),
    ];
    const out = (amount: number): number => formatUnits(amount, quotaOf(book, quota).decimals);
    const from = { extra: out(pool.extra) };
    const to = { extra: out(pool.extra + units), added: out(units) };
    return { changes, deed: { action: 'extra.add', subject: `plan:${quota}`, from, to }, answer: undefined };
  });
}
