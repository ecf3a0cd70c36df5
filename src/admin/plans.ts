/** Plans and top-ups: what the org may consume. Both move percent caps at once. */
import Type, { type Static } from 'typebox';
import { decodeLimit, encodePlan } from '../ledger/codec.js';
import type { Change } from '../ledger/port.js';
import { UNITS_MAX } from '../quota/charge.js';
import { capOf, type Plan } from '../quota/limit.js';
import { formatUnits } from '../quota/units.js';
import type { Admin, App } from './admin.js';
import { positiveUnitsIn, type QuotaDefinition, unitsIn } from './amounts.js';
import { type OrgBook, openBook, type Pool } from './book.js';
import { changeOrg } from './change.js';
import { set } from './definition.js';
import { checkMatch } from './etag.js';
import { figuresOf, lineTo, parseLine, rearm, standingOf } from './lines.js';
import { etagOfPlan, orgLines, poolView } from './pools.js';
import { invalid, notFound } from './problems.js';
import { scanAll } from './snapshots.js';
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
  readonly definition: QuotaDefinition;
  readonly plan: Plan;
  readonly reason: string | undefined;
  readonly ifMatch: string | undefined;
}

export function planRoutes(app: App, admin: Admin): void {
  const planSchema = { params: ByQuota, querystring: members(DryRun), body: PlanBody };
  app.put('/orgs/:org/plans/:quota', { schema: planSchema }, async (request, reply) => {
    const { org, quota } = request.params;
    const definition = quotaOfPath(admin, quota);
    const change = planChange(quota, definition, request.body, request.headers['if-match']);
    if (request.query.dryRun === true) return dryRun(admin, org, change);
    await putPlan(admin, org, request.who, change);
    return sendPool(admin, org, quota, definition, (etag) => reply.header('etag', etag));
  });

  app.post(
    '/orgs/:org/plans/:quota/extra',
    { schema: { params: ByQuota, body: ExtraBody } },
    async (request, reply) => {
      const { org, quota } = request.params;
      const definition = quotaOfPath(admin, quota);
      const units = positiveUnitsIn(request.body.units, definition, 'units');
      await topUp(admin, org, request.who, quota, definition, units, request.body.reason);
      reply.code(201);
      return sendPool(admin, org, quota, definition, (etag) => reply.header('etag', etag));
    },
  );
}

function quotaOfPath({ quotas }: Admin, quota: string): QuotaDefinition {
  const definition = quotas.get(quota);
  if (definition === undefined) throw notFound(`quota ${quota}`);
  return definition;
}

function planChange(
  quota: string,
  definition: QuotaDefinition,
  body: Static<typeof PlanBody>,
  ifMatch: string | undefined,
): PlanChange {
  const allowance = unitsIn(body.allowance, definition, 'allowance');
  return { quota, definition, plan: { allowance, mode: body.mode ?? 'hard' }, reason: body.reason, ifMatch };
}

async function sendPool(
  { ledger, quotas }: Admin,
  org: string,
  quota: string,
  definition: QuotaDefinition,
  tag: (etag: string | undefined) => void,
) {
  const book = await openBook(ledger, quotas, org, orgLines(quotas));
  const pool = book.pools.get(quota);
  if (pool === undefined) throw notFound(`plan for ${quota}`);
  tag(etagOfPlan(quota, pool));
  return poolView(book, quota, definition, pool);
}

async function putPlan(admin: Admin, org: string, who: string, change: PlanChange): Promise<void> {
  const { quota, definition, plan, reason } = change;
  await changeOrg(
    admin,
    org,
    who,
    () => [],
    async (book) => {
      const before = book.pools.get(quota);
      await checkPlan(admin, book, change);
      const text = encodePlan(plan);
      if (before !== undefined && encodePlan(before.plan) === text) return { changes: [], answer: undefined };
      const changes: Change[] = [set(`plan:${quota}`, text)];
      if (before !== undefined && plan.allowance > before.plan.allowance) changes.push(rearm(book, lineTo(quota, 'org', '').field));
      const from = before === undefined ? null : planOut(before.plan, definition);
      const deed = {
        action: 'plan.set',
        subject: `plan:${quota}`,
        from,
        to: planOut(plan, definition),
        reason,
      };
      return { changes, deed, answer: undefined };
    },
  );
}

function planOut(plan: Plan, { decimals }: QuotaDefinition) {
  return { allowance: formatUnits(plan.allowance, decimals), mode: plan.mode };
}

async function checkPlan(admin: Admin, book: OrgBook, change: PlanChange): Promise<void> {
  const { quota, plan, ifMatch } = change;
  const before = book.pools.get(quota);
  checkMatch(ifMatch, etagOfPlan(quota, before));
  const units = plan.allowance + (before?.extra ?? 0);
  if (units > UNITS_MAX) throw invalid('allowance', 'is too large together with the extra balance');
  const allStop = plan.mode === 'hard' && units === 0;
  if (before === undefined || units >= before.units || allStop) return;
  const emptied = await capsEmptied(admin, book, quota, units);
  if (emptied > 0)
    throw invalid('allowance', `would leave ${emptied} percent limits with a cap of 0`, { limits: emptied });
}

/** How many percent limits would mean nothing of a pool of `units`. Read fresh: the commit compares the version. */
async function capsEmptied({ ledger }: Admin, book: OrgBook, quota: string, units: number): Promise<number> {
  let emptied = 0;
  for (const [field, text] of await scanAll(ledger, book.id, 'limits')) {
    const limit = decodeLimit(text);
    if (limit.percent === 0 || parseLine(field)?.quota !== quota) continue;
    if (capOf({ ...limit, raiseUntil: 0 }, units, book.now) === 0) emptied += 1;
  }
  return emptied;
}

const BLOCKED_SHOWN = 100;

/** What a plan would do: whether the pool, and which percent limits, would block. */
async function dryRun(admin: Admin, org: string, change: PlanChange) {
  const { ledger, quotas, snapshots } = admin;
  const { quota, definition, plan } = change;
  const book = await openBook(ledger, quotas, org, orgLines(quotas));
  await checkPlan(admin, book, change);
  const before = book.pools.get(quota);
  const extra = before?.extra ?? 0;
  const pool: Pool = { plan, extra, carried: before?.carried ?? 0, units: plan.allowance + extra };
  const { start } = book.cycle;
  const { tables } = await snapshots.tables(org, ['limits', `consumed:${start}`, `held:${start}`]);
  const blocked: string[] = [];
  for (const [field, text] of tables.get('limits') ?? []) {
    const limit = decodeLimit(text);
    if (limit.percent === 0 || parseLine(field)?.quota !== quota) continue;
    const standing = standingOf(
      capOf(limit, pool.units, book.now),
      figuresOf(tables, start, field),
      limit.shadow,
    );
    if (standing.status === 'blocked') blocked.push(field);
  }
  const view = poolView(book, quota, definition, pool);
  return {
    wouldBlock: plan.mode === 'hard' && view.remaining === 0,
    consumed: view.consumed,
    held: view.held,
    cap: view.pool,
    limitsBlocked: { count: blocked.length, ids: blocked.slice(0, BLOCKED_SHOWN) },
  };
}

async function topUp(
  admin: Admin,
  org: string,
  who: string,
  quota: string,
  definition: QuotaDefinition,
  units: number,
  reason: string,
): Promise<void> {
  await changeOrg(
    admin,
    org,
    who,
    () => [],
    (book) => {
      const pool = book.pools.get(quota);
      if (pool === undefined) throw invalid('quota', `the org has no plan for ${quota}`);
      if (pool.units + units > UNITS_MAX) throw invalid('units', 'is too large together with the pool');
      const changes: Change[] = [{ incr: 'org', field: `extra:${quota}`, by: units }, rearm(book, lineTo(quota, 'org', '').field)];
      const [from, to] = [pool.extra, pool.extra + units].map((extra) =>
        formatUnits(extra, definition.decimals),
      );
      const added = formatUnits(units, definition.decimals);
      const deed = { action: 'extra.add', subject: `plan:${quota}`, from, to: { added, extra: to }, reason };
      return { changes, deed, answer: undefined };
    },
  );
}
