/** A notice: a subject reached a threshold of a limit, or its first request was refused. */
import type { LogEntry } from '../ledger/port.js';
import { type Scope, userIdOf } from '../quota/id.js';
import { formatUnits, type Quotas } from '../quota/units.js';

/** An entry of the outbox, as the ledger queued it. Amounts are integers. */
export interface QueuedNotice {
  /** A threshold in percent, or the first refusal. */
  readonly what: number | 'refused';
  readonly scope: Scope;
  /** User key or group id; '' for the org. */
  readonly subject: string;
  readonly quota: string;
  readonly action: string;
  /** Key of the user whose request it was. */
  readonly user: string;
  readonly limit: number;
  readonly consumed: number;
  readonly cycle: number;
  readonly at: number;
  /** Of a refusal. */
  readonly requested: number | undefined;
}

export function queuedNotice({ text }: LogEntry): QueuedNotice {
  const [what, scope, subject = '', quota = '', action = '', user = '', ...figures] = text.split('|');
  const [limit = 0, consumed = 0, cycle = 0, at = 0, requested] = figures.map(Number);
  return {
    what: what === 'refused' ? 'refused' : Number(what),
    scope: scope as Scope,
    subject,
    quota,
    action,
    user,
    limit,
    consumed,
    cycle,
    at,
    requested,
  };
}

/** A notice as people, webhooks and the list of events get it: amounts in the quota's unit, times as instants. */
export interface Notice {
  readonly at: string;
  readonly kind: 'threshold' | 'blocked';
  readonly scope: Scope;
  /** User or group id; the org's id for its pool. */
  readonly subject: string;
  readonly name: string;
  readonly quota: string;
  readonly unit: string;
  /** The action that reached the threshold, or that was refused. */
  readonly action: string;
  readonly user: string;
  /** In percent; of `threshold` only. */
  readonly threshold?: number;
  readonly limit: number;
  readonly consumed: number;
  /** Of `blocked` only. */
  readonly requested?: number;
  readonly cycleStart: string;
  /** Null: the cycle is over. */
  readonly resetsAt: string | null;
}

export interface NoticeContext {
  readonly org: string;
  readonly quotas: Quotas;
  readonly cycle: { readonly start: number; readonly end: number };
  /** Name of a user or group. */
  readonly nameOf: (scope: Scope, subject: string) => string;
}

export function noticeOf(queued: QueuedNotice, { org, quotas, cycle, nameOf }: NoticeContext): Notice {
  const { what, scope, subject, quota, action, user } = queued;
  // A quota that the config no longer has: its amounts have no scale.
  const { unit, decimals } = quotas.get(quota) ?? { unit: 'units', decimals: 0 };
  const units = (amount: number): number => formatUnits(amount, decimals);
  const id = scope === 'user' ? userIdOf(subject) : scope === 'group' ? subject : org;
  return {
    at: new Date(queued.at).toISOString(),
    kind: what === 'refused' ? 'blocked' : 'threshold',
    scope,
    subject: id,
    name: nameOf(scope, subject),
    quota,
    unit,
    action,
    user: userIdOf(user),
    ...(what === 'refused' ? {} : { threshold: what }),
    limit: units(queued.limit),
    consumed: units(queued.consumed),
    ...(queued.requested === undefined ? {} : { requested: units(queued.requested) }),
    cycleStart: new Date(queued.cycle).toISOString(),
    resetsAt: queued.cycle === cycle.start ? new Date(cycle.end).toISOString() : null,
  };
}
