/**
 * Open mode: what routes let through while the store gives no decision, within a bound of units and time for this process,
 * and the account of it that the ledger gets afterwards.
 *
 * An outage begins with the first decision that such a route does not get. It is over when the ledger has recorded all
 * that was served meanwhile and no decision has failed for a while: a store that comes and goes does not give out its
 * bound anew each time. What is not recorded even then counts in the next outage.
 */
import { LRUCache } from 'lru-cache';
import { type Charges, charges } from '../../quota/charge.js';
import type { ChargeOp } from '../port.js';
import type { Answer, ChargeLater } from './pending-operation.js';

/** How far a route goes without the store. The account is one for all routes: each looks how far it has gone already. */
export interface OpenBound {
  /** Most units of an outage, by quota. */
  readonly units: Readonly<Record<string, number>>;
  /** Time from the beginning of the outage. */
  readonly lastMs: number;
}

/** What operators may want to see; amounts are the quota's integers. */
export type OpenEvent =
  | { readonly kind: 'began' }
  | { readonly kind: 'admitted' | 'bound-reached'; readonly org: string }
  | { readonly kind: 'charged'; readonly quota: string; readonly units: number; readonly overshoot: number }
  | {
      readonly kind: 'ended';
      readonly lastedMs: number;
      readonly admitted: number;
      readonly refused: number;
      readonly units: Readonly<Record<string, number>>;
    };

export interface OpenAccountOptions {
  readonly enqueueSettlement: (org: string, op: ChargeOp) => Promise<Answer>;
  /** The store's time, estimated while the store is away. */
  readonly now: () => number;
  readonly onOpen?: ((event: OpenEvent) => void) | undefined;
}

interface Outage {
  readonly began: number;
  readonly taken: Map<string, number>;
  lastFailure: number;
  lastAnswer: number;
  admitted: number;
  refused: number;
}

/** What one user is to be charged for one action. */
interface Debt {
  readonly user: string;
  readonly claims: string;
  readonly action: string;
  readonly at: number;
  readonly estimated: boolean;
  readonly units: Map<string, number>;
}

interface OrgDebts {
  readonly waiting: Map<string, Debt>;
  underWay: number;
}

/** The outage is over when nothing has failed for so long, or for longer where an account cannot be delivered. */
const QUIET_MS = 1_000;
const QUIET_UNDELIVERED_MS = 30_000;
/** Time zones are whole quarters of an hour apart: what lies in one is in one hour and one cycle, wherever the org is. */
const QUARTER_MS = 900_000;
/** Bounds the memory of an outage; who would open one more account is refused as if the bound were reached. */
const DEBTS_MAX = 10_000;
const PAID_AT_ONCE = 32;
/** A key that the store has not seen valid for so long is no identity in open mode. */
const KEY_SEEN_MS = 60_000;

export class OpenAccount {
  private outage: Outage | undefined;
  /** Units that the ledger has not recorded, requests in progress at their estimates. */
  private readonly untold = new Map<string, number>();
  private readonly orgs = new Map<string, OrgDebts>();
  private keys: LRUCache<string, string> | undefined;
  private queue = 0;
  private requests = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly options: OpenAccountOptions) {}

  get active(): boolean {
    return this.outage !== undefined;
  }

  /** Accounts that the ledger has not confirmed. */
  get undelivered(): number {
    return this.queue;
  }

  /** By org, what has not been handed on yet. */
  unsent(): Map<string, ChargeOp[]> {
    const unsent = new Map<string, ChargeOp[]>();
    for (const [org, { waiting }] of this.orgs) unsent.set(org, [...waiting.values()].map(chargeOf));
    return unsent;
  }

  /** Units by quota that are not in the ledger yet. */
  get outstanding(): ReadonlyMap<string, number> {
    return this.untold;
  }

  /** A decision came in time. */
  answered(): void {
    if (this.outage === undefined) return;
    this.outage.lastAnswer = performance.now();
    this.endIfOver(this.outage);
  }

  /** The store has just found this key valid, or not. */
  sawKey(org: string, key: string, user: string | undefined): void {
    this.keys ??= new LRUCache({ max: DEBTS_MAX, ttl: KEY_SEEN_MS });
    if (user === undefined) this.keys.delete(`${org}|${key}`);
    else this.keys.set(`${org}|${key}`, user);
  }

  holderOf(org: string, key: string): string | undefined {
    return this.keys?.get(`${org}|${key}`);
  }

  /** A decision did not come. Undefined where the bound is reached. */
  admit(
    org: string,
    user: string,
    claims: string,
    asked: Charges,
    bound: OpenBound,
  ): ChargeLater | undefined {
    const now = performance.now();
    this.outage ??= this.begin(now);
    const { outage } = this;
    outage.lastFailure = now;
    const items = asked.items.filter((item) => item.kind !== 'gate');
    const fits = items.every(
      ({ quota, units }) => unitsIn(outage.taken, quota) + units <= (bound.units[quota] ?? 0),
    );
    if (!fits || now - outage.began > bound.lastMs || this.queue + this.requests >= DEBTS_MAX) {
      outage.refused += 1;
      this.options.onOpen?.({ kind: 'bound-reached', org });
      return undefined;
    }
    outage.admitted += 1;
    this.requests += 1;
    for (const { quota, units } of items) this.take(quota, units);
    this.options.onOpen?.({ kind: 'admitted', org });
    const admittedAt = Math.floor(this.options.now());
    return (units, estimated) => {
      this.requests -= 1;
      const cost = items.map((item, index) => ({ ...item, units: units[index] ?? item.units }));
      for (const [index, { quota, units: held }] of items.entries())
        this.take(quota, (cost[index]?.units ?? 0) - held);
      this.note(org, { user, claims, action: asked.action, at: admittedAt, estimated, units: sums(cost) });
    };
  }

  close(): void {
    clearTimeout(this.timer);
  }

  private begin(now: number): Outage {
    this.options.onOpen?.({ kind: 'began' });
    const counts = { lastFailure: now, lastAnswer: 0, admitted: 0, refused: 0 };
    return { began: now, taken: new Map(this.untold), ...counts };
  }

  private take(quota: string, units: number): void {
    add(this.untold, quota, units);
    if (this.outage !== undefined) add(this.outage.taken, quota, units);
  }

  /** Adds to the account of its user and quarter of an hour: memory is bounded by users, not by requests. */
  private note(org: string, debt: Debt): void {
    if (debt.units.size === 0) return;
    let queue = this.orgs.get(org);
    if (queue === undefined) {
      queue = { waiting: new Map(), underWay: 0 };
      this.orgs.set(org, queue);
    }
    const { user, claims, action, at, estimated } = debt;
    const key = `${user}|${claims}|${action}|${estimated}|${Math.floor(at / QUARTER_MS)}`;
    const known = queue.waiting.get(key);
    if (known === undefined) {
      this.queue += 1;
      queue.waiting.set(key, debt);
    } else for (const [quota, units] of debt.units) add(known.units, quota, units);
    if (queue.underWay === 0) this.pay(org, queue);
  }

  /** The first few of an org go at once and are tried until the store is back; the others gather meanwhile. */
  private pay(org: string, queue: OrgDebts): void {
    for (const [key, debt] of queue.waiting) {
      if (queue.underWay === PAID_AT_ONCE) return;
      queue.waiting.delete(key);
      queue.underWay += 1;
      this.options.enqueueSettlement(org, chargeOf(debt)).then(
        (answer) => this.settled(org, queue, debt, answer),
        () => this.settled(org, queue, debt, undefined),
      );
    }
    if (queue.underWay === 0) this.orgs.delete(org);
  }

  /** `answer` is undefined where the ledger will never take it: there is no such org. */
  private settled(org: string, queue: OrgDebts, debt: Debt, answer: Answer | undefined): void {
    queue.underWay -= 1;
    this.queue -= 1;
    const overshoot = answer?.result.status === 'settled' ? answer.result.overshoot : [];
    for (const [index, [quota, units]] of [...debt.units].entries()) {
      add(this.untold, quota, -units);
      if (answer !== undefined)
        this.options.onOpen?.({ kind: 'charged', quota, units, overshoot: overshoot[index] ?? 0 });
    }
    if (queue.underWay === 0) this.pay(org, queue);
    this.answered();
  }

  private endIfOver(outage: Outage): void {
    const now = performance.now();
    const quietMs = now - outage.lastFailure;
    if (outage.lastAnswer < outage.lastFailure) return;
    if (this.queue > 0 && quietMs < QUIET_UNDELIVERED_MS) return;
    if (quietMs < QUIET_MS) {
      this.timer ??= setTimeout(() => this.look(), QUIET_MS - quietMs).unref();
      return;
    }
    this.outage = undefined;
    const { admitted, refused, taken, began } = outage;
    const lastedMs = Math.round(now - began);
    this.options.onOpen?.({ kind: 'ended', lastedMs, admitted, refused, units: Object.fromEntries(taken) });
  }

  private look(): void {
    this.timer = undefined;
    if (this.outage !== undefined) this.endIfOver(this.outage);
  }
}

function chargeOf({ user, claims, action, at, estimated, units }: Debt): ChargeOp {
  const items = [...units].map(([quota, sum]) => ({ quota, units: sum, kind: 'fixed' as const }));
  return { kind: 'charge', user, claims, charges: charges(action, items), at, estimated };
}

function sums(items: Charges['items']): Map<string, number> {
  return new Map(items.filter(({ units }) => units > 0).map(({ quota, units }) => [quota, units]));
}

function unitsIn(tally: ReadonlyMap<string, number>, quota: string): number {
  return tally.get(quota) ?? 0;
}

function add(tally: Map<string, number>, quota: string, units: number): void {
  tally.set(quota, unitsIn(tally, quota) + units);
}
