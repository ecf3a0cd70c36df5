/** The pool of a quota in the API's form. */

import { encodePlan } from '../../ledger/codec.js';
import type { Want } from '../../ledger/port.js';
import { type Figures, figuresOf, instant, lineTo, quotaOf } from '../../ledger/view/limit-lines.js';
import type { OrgView, Pool } from '../../ledger/view/org-view.js';
import type { Quotas } from '../../quota/units.js';
import { formatUnits } from '../../quota/units.js';
import { share } from '../http/amounts.js';
import { etagOf } from '../http/etag.js';

/** The org's own lines: what `poolStanding` needs. */
export function orgLines(quotas: Quotas): (start: number) => Want[] {
  const fields = [...quotas.keys()].map((quota) => lineTo(quota, 'org', '').field);
  return (start) => [
    { table: `consumed:${start}`, fields },
    { table: `held:${start}`, fields },
  ];
}

export interface PoolStanding extends Figures {
  readonly remaining: number;
}

/** Extra that holds of closed cycles may still use counts as held. */
export function poolStanding(view: OrgView, quota: string, pool: Pool): PoolStanding {
  const { consumed, held } = figuresOf(view, lineTo(quota, 'org', '').field);
  const reserved = held + pool.carried;
  return { consumed, held: reserved, remaining: Math.max(0, pool.units - consumed - reserved) };
}

/** The ETag includes extra: a top-up that is sent twice with the same `If-Match` is made once. */
export function etagOfPlan(quota: string, pool: Pool | undefined): string | undefined {
  return pool === undefined ? undefined : etagOfPool(quota, pool);
}

function etagOfPool(quota: string, pool: Pool): string {
  const next = pool.next === undefined ? [] : [encodePlan(pool.next)];
  return etagOf('plan', quota, encodePlan(pool.plan), String(pool.extra), ...next);
}

export function poolView(view: OrgView, quota: string, pool: Pool) {
  const { unit, decimals } = quotaOf(view, quota);
  const { consumed, held, remaining } = poolStanding(view, quota, pool);
  const { plan, next, extra, units } = pool;
  const out = (amount: number): number => formatUnits(amount, decimals);
  const extraUsed = Math.min(extra, Math.max(0, consumed - plan.allowance));
  return {
    quota,
    unit,
    mode: plan.mode,
    allowance: out(plan.allowance),
    allowanceLeft: out(Math.max(0, plan.allowance - consumed)),
    extra: out(extra),
    extraUsed: out(extraUsed),
    extraLeft: out(extra - extraUsed),
    pool: out(units),
    consumed: out(consumed),
    held: out(held),
    remaining: out(remaining),
    percentUsed: share(consumed, units),
    overshoot: out(Math.max(0, consumed - units)),
    refillsAt: instant(view.cycle.end),
    next: next === undefined ? null : { allowance: out(next.allowance), mode: next.mode },
    etag: etagOfPool(quota, pool),
  };
}
