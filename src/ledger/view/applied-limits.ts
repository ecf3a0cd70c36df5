/** The limits that apply to one user, as `/quota/me` and `explain` show them. */
import { lineOf, type Scope } from '../../quota/id.js';
import { formatUnits } from '../../quota/units.js';
import type { Want } from '../port.js';
import { capNow, figuresOf, limitIn, quotaOf, standingOf } from './limit-lines.js';
import type { OrgView } from './org-view.js';

export interface Subject {
  readonly scope: Scope;
  readonly id: string;
  /** User key or group id; '' for the org. */
  readonly key: string;
}

export interface LimitedUser {
  readonly org: string;
  readonly id: string;
  readonly key: string;
  readonly groups: readonly string[];
}

/** The user, the groups and the org, in this order. */
export function subjectsOf({ org, id, key, groups }: LimitedUser): Subject[] {
  return [
    { scope: 'user', id, key },
    ...groups.map((group): Subject => ({ scope: 'group', id: group, key: group })),
    { scope: 'org', id: org, key: '' },
  ];
}

/** What `appliedLimits` reads, for the cycle that begins at `start`. */
export function appliedWants(
  quotas: readonly string[],
  subjects: readonly Subject[],
): (start: number) => Want[] {
  const fields = quotas.flatMap((quota) => subjects.map(({ scope, key }) => lineOf(quota, scope, key)));
  return (start) => [
    { table: 'limits', fields },
    { table: `consumed:${start}`, fields },
    { table: `held:${start}`, fields },
  ];
}

export interface AppliedLimit {
  /** Amounts in units of the quota. */
  readonly shown: {
    readonly scope: Scope;
    readonly subject: string;
    readonly mode: Cap['mode'];
    readonly limit: number;
    readonly consumed: number;
    readonly held: number;
    readonly remaining: number;
  };
  /** A temporary raise, contained in `limit`: units of the quota, and when it ends. */
  readonly raise: { readonly units: number; readonly until: number } | undefined;
}

/** The limits of these subjects that exist, in the order of the subjects. */
export function appliedLimits(view: OrgView, quota: string, subjects: readonly Subject[]): AppliedLimit[] {
  return subjects.flatMap((subject) => appliedLimit(view, quota, subject) ?? []);
}

function appliedLimit(view: OrgView, quota: string, { scope, id, key }: Subject): AppliedLimit | undefined {
  const field = lineOf(quota, scope, key);
  const cap = scope === 'org' ? poolCap(view, quota) : limitCap(view, quota, field);
  if (cap === undefined) return undefined;
  const { mode, raise } = cap;
  const found = figuresOf(view, field);
  const held = found.held + (scope === 'org' ? (view.pools.get(quota)?.carried ?? 0) : 0);
  const standing = standingOf(cap.units, { consumed: found.consumed, held }, mode !== 'hard');
  const { decimals } = quotaOf(view, quota);
  const out = (units: number): number => formatUnits(units, decimals);
  const shown = {
    scope,
    subject: id,
    mode,
    limit: out(cap.units),
    consumed: out(standing.consumed),
    held: out(standing.held),
    remaining: out(standing.remaining),
  };
  return { shown, raise: raise && { units: out(raise.units), until: raise.until } };
}

interface Cap {
  readonly units: number;
  readonly mode: 'hard' | 'soft' | 'shadow';
  readonly raise?: { readonly units: number; readonly until: number } | undefined;
}

function poolCap(view: OrgView, quota: string): Cap | undefined {
  const pool = view.pools.get(quota);
  return pool === undefined ? undefined : { units: pool.units, mode: pool.plan.mode };
}

function limitCap(view: OrgView, quota: string, field: string): Cap | undefined {
  const limit = limitIn(view.tables, field);
  if (limit === undefined) return undefined;
  const isRaised = view.now < limit.raiseUntil;
  return {
    units: capNow(view, quota, limit),
    mode: limit.shadow ? 'shadow' : 'hard',
    raise: isRaised ? { units: limit.raise, until: limit.raiseUntil } : undefined,
  };
}
