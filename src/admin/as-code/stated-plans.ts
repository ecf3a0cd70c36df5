/** The plan that a file states for a quota: the present one, and the one from the next cycle on. */
import { encodePlan } from '../../ledger/codec.js';
import type { Bounds, Change } from '../../ledger/port.js';
import { instant, lineTo } from '../../ledger/view/limit-lines.js';
import type { Pool } from '../../ledger/view/org-view.js';
import { UNITS_MAX } from '../../quota/charge.js';
import type { Plan } from '../../quota/limit.js';
import { formatUnits, type QuotaDefinition, type Quotas } from '../../quota/units.js';
import { definitionOf, unitsIn } from '../http/amounts.js';
import { invalid } from '../http/problems.js';
import { instantIn } from '../http/validate.js';
import { set } from '../orgs/definition.js';
import type { NewPlan } from '../plans/history.js';
import type { Drafted } from './drafted.js';
import type { Difference, StatedOrg } from './schemas.js';

type StatedPlan = NonNullable<StatedOrg['plans']>[string];

export interface PlanContext {
  readonly quotas: Quotas;
  readonly now: number;
  /** When the next cycle begins. */
  readonly nextStart: number;
  /** Reports a limit or pool that was raised. */
  readonly rearm: (field: string) => readonly Change[];
  /** The entry of the history of plans. */
  readonly planEntry: (plan: NewPlan) => Change;
}

interface PlanOfFile {
  readonly quota: string;
  readonly stated: StatedPlan;
  /** Undefined: the org has no plan for the quota. */
  readonly before: Pool | undefined;
}

interface Plans {
  readonly plan: Plan;
  readonly next: Plan | undefined;
}

export function draftPlan(
  context: PlanContext,
  { quota, stated, before }: PlanOfFile,
): Drafted & { readonly pool: Pool } {
  const definition = definitionOf(context.quotas, quota, `plans/${quota}`);
  const plans = plansIn(context, { quota, stated, before }, definition);
  const { extra = 0, carried = 0 } = before ?? {};
  checkSize(plans, extra, `plans/${quota}`);
  const { plan, next } = plans;
  const pool = {
    plan,
    extra,
    carried,
    units: plan.allowance + extra,
    ...(next === undefined ? {} : { next }),
  };
  const parts = [
    ...(isSamePlan(plan, before?.plan) ? [] : [presentPlan(context, { quota, definition, before, plan })]),
    ...(isSamePlan(next, before?.next) ? [] : [nextPlan(context, { quota, definition, before, plan, next })]),
  ];
  return {
    pool,
    changes: parts.flatMap(({ changes }) => changes),
    differences: parts.flatMap(({ differences }) => differences),
  };
}

export function isSamePlan(one: Plan | undefined, other: Plan | undefined): boolean {
  const text = (plan: Plan | undefined) => (plan === undefined ? '' : encodePlan(plan));
  return text(one) === text(other);
}

/** From `begins` on, the next plan is the plan: a file that states `begins` means the same before and after. */
function plansIn(
  { now, nextStart }: PlanContext,
  { quota, stated, before }: PlanOfFile,
  definition: QuotaDefinition,
): Plans {
  const field = `plans/${quota}`;
  const mode = stated.mode ?? before?.plan.mode ?? 'hard';
  const plan: Plan = { allowance: unitsIn(stated.allowance, definition, `${field}/allowance`), mode };
  if (stated.next === undefined) return { plan, next: before?.next };
  if (stated.next === null) return { plan, next: undefined };
  const next: Plan = {
    allowance: unitsIn(stated.next.allowance, definition, `${field}/next/allowance`),
    mode: stated.next.mode ?? mode,
  };
  const { begins } = stated.next;
  const start = begins === undefined ? nextStart : instantIn(begins, `${field}/next/begins`);
  if (start <= now) return { plan: next, next: before?.next };
  if (start !== nextStart)
    throw invalid(
      `${field}/next/begins`,
      `must be the start of the next cycle, ${instant(nextStart)}, or past`,
    );
  return { plan, next: isSamePlan(next, plan) ? undefined : next };
}

function checkSize({ plan, next }: Plans, extra: number, field: string): void {
  const problem = 'is too large together with the extra balance';
  if (plan.allowance + extra > UNITS_MAX) throw invalid(`${field}/allowance`, problem);
  if (next !== undefined && next.allowance + extra > UNITS_MAX)
    throw invalid(`${field}/next/allowance`, problem);
}

interface PlanChange {
  readonly quota: string;
  readonly definition: QuotaDefinition;
  readonly before: Pool | undefined;
  readonly plan: Plan;
}

function presentPlan(
  { now, rearm, planEntry }: PlanContext,
  { quota, definition, before, plan }: PlanChange,
): Drafted {
  const changes = [set(`plan:${quota}`, encodePlan(plan)), planEntry({ quota, plan, begins: now })];
  if (before !== undefined && plan.allowance > before.plan.allowance)
    changes.push(...rearm(lineTo(quota, 'org', '').field));
  const [from, to] = [planOut(before?.plan, definition), planOut(plan, definition)];
  return { changes, differences: [difference('plan.set', quota, { from, to })] };
}

/** The ledger makes it the plan when the next cycle begins. Without one, the present plan goes on. */
function nextPlan(
  { nextStart, planEntry }: PlanContext,
  { quota, definition, before, plan, next }: PlanChange & { readonly next: Plan | undefined },
): Drafted {
  const field = `next:${quota}`;
  const change: Change = next === undefined ? { del: 'org', field } : set(field, encodePlan(next));
  const [from, to] = [planOut(before?.next, definition), planOut(next, definition)];
  return {
    changes: [change, planEntry({ quota, plan: next ?? plan, begins: nextStart })],
    differences: [difference('plan.schedule', quota, { from, to })],
  };
}

function difference(action: string, quota: string, fromTo: Pick<Difference, 'from' | 'to'>): Difference {
  return { action, subject: `plan:${quota}`, ...fromTo };
}

function planOut(plan: Plan | undefined, { decimals }: QuotaDefinition) {
  return plan === undefined ? null : { allowance: formatUnits(plan.allowance, decimals), mode: plan.mode };
}

/** The plan of a quota as a file states it. */
export function exportedPlan({ plan, next }: Pool, definition: QuotaDefinition, { end }: Bounds) {
  const { decimals } = definition;
  const begun = { allowance: formatUnits(plan.allowance, decimals), mode: plan.mode };
  if (next === undefined) return { ...begun, next: null };
  const { allowance, mode } = next;
  return { ...begun, next: { allowance: formatUnits(allowance, decimals), mode, begins: instant(end) } };
}
