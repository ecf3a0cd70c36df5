/**
 * Open mode: what routes admit while the store makes no decision, within a limit of units and time for this process,
 * and the charges that the ledger gets afterwards.
 *
 * An outage begins with the first missing decision of such a route. It ends when the ledger has recorded everything
 * that was served meanwhile and no decision has failed for a while. A store that fails repeatedly therefore does not
 * renew the limit each time. Charges that are still not recorded count in the next outage.
 */
import { LRUCache } from 'lru-cache';
import { type Charges, charges } from '../../quota/charge.js';
import { keyIdOf } from '../../quota/id.js';
import type { ChargeOp, RawAmounts, ReserveOp } from '../port.js';
import type { Answer, ChargeLater } from './pending-operation.js';

/** How much a route admits without the store. All routes share one account; each compares it with its own limit. */
export interface OpenBound {
  /** Maximum units of an outage, by quota. */
  readonly units: Readonly<Record<string, number>>;
  /** Maximum time since the beginning of the outage. */
  readonly lastMs: number;
}

/** Figures for operators; amounts are integers of the quota. */
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
  /** The store's time, estimated while the store is unavailable. */
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

/** What one user is charged for one action. */
interface Debt {
  readonly user: string;
  readonly claims: string;
  readonly action: string;
  /** Id of the API key, and the model key; '' for none. */
  readonly key: string;
  readonly model: string;
  readonly at: number;
  readonly estimated: boolean;
  readonly units: Map<string, number>;
  readonly raws: Map<string, number>;
}

/** What open mode needs of a reservation; `user` is its user, whoever identified them. */
type OpenRequest = Pick<ReserveOp, 'user' | 'claims' | 'charges' | 'key'>;

interface OrgDebts {
  readonly waiting: Map<string, Debt>;
  underWay: number;
}

/** The outage ends when nothing has failed for this long, or later if an account cannot be delivered. */
const QUIET_MS = 1_000;
const QUIET_UNDELIVERED_MS = 30_000;
/** Time zones differ by whole quarters of an hour, so one quarter is always within one hour and one cycle. */
const QUARTER_MS = 900_000;
/**
 * Limits the memory of an outage. A request that would open another account is refused as if the limit were reached.
 */
const DEBTS_MAX = 10_000;
const PAID_AT_ONCE = 32;
/** Open mode does not accept a key that the store has not confirmed for this long. */
const KEY_SEEN_MS = 60_000;

export class OpenAccount {
  private outage: Outage | undefined;
  /** Units that the ledger has not recorded; requests in progress count at their estimates. */
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

  /** Accounts by org that have not been sent yet. */
  unsent(): Map<string, ChargeOp[]> {
    const unsent = new Map<string, ChargeOp[]>();
    for (const [org, { waiting }] of this.orgs) unsent.set(org, [...waiting.values()].map(chargeOf));
    return unsent;
  }

  /** Units by quota that the ledger does not have yet. */
  get outstanding(): ReadonlyMap<string, number> {
    return this.untold;
  }

  /** A decision arrived in time. */
  answered(): void {
    if (this.outage === undefined) return;
    this.outage.lastAnswer = performance.now();
    this.endIfOver(this.outage);
  }

  /** The store has just found this key valid, or invalid. */
  sawKey(org: string, key: string, user: string | undefined): void {
    this.keys ??= new LRUCache({ max: DEBTS_MAX, ttl: KEY_SEEN_MS });
    if (user === undefined) this.keys.delete(`${org}|${key}`);
    else this.keys.set(`${org}|${key}`, user);
  }

  holderOf(org: string, key: string): string | undefined {
    return this.keys?.get(`${org}|${key}`);
  }

  /** A decision did not arrive. Returns undefined if the limit is reached. */
  admit(org: string, op: OpenRequest, bound: OpenBound): ChargeLater | undefined {
    const { user, claims, charges: asked } = op;
    const key = op.key === undefined ? '' : keyIdOf(op.key);
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
    return ({ units, estimated, model = asked.model ?? '', raws }) => {
      this.requests -= 1;
      const cost = items.map((item, index) => ({ ...item, units: units[index] ?? item.units }));
      for (const [index, { quota, units: held }] of items.entries())
        this.take(quota, (cost[index]?.units ?? 0) - held);
      const read = rawSums(cost, raws);
      const what = { action: asked.action, key, model, estimated };
      this.note(org, { user, claims, ...what, at: admittedAt, units: sums(cost), raws: read });
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

  /** Adds to the account of the user and quarter of an hour: memory is limited by users, not by requests. */
  private note(org: string, debt: Debt): void {
    if (debt.units.size === 0) return;
    let queue = this.orgs.get(org);
    if (queue === undefined) {
      queue = { waiting: new Map(), underWay: 0 };
      this.orgs.set(org, queue);
    }
    const { user, claims, action, key: keyId, model, at, estimated } = debt;
    const quarter = Math.floor(at / QUARTER_MS);
    const key = `${user}|${claims}|${action}|${keyId}|${model}|${estimated}|${quarter}`;
    const known = queue.waiting.get(key);
    if (known === undefined) {
      this.queue += 1;
      queue.waiting.set(key, debt);
    } else {
      for (const [quota, units] of debt.units) add(known.units, quota, units);
      for (const [quota, raw] of debt.raws) add(known.raws, quota, raw);
    }
    if (queue.underWay === 0) this.pay(org, queue);
  }

  /**
   * The first accounts of an org are sent at once and retried until the store is back; the others accumulate meanwhile.
   */
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

  /** `answer` is undefined if the ledger will never accept it, because the org does not exist. */
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

function chargeOf({ user, claims, action, key, model, at, estimated, units, raws }: Debt): ChargeOp {
  const items = [...units].map(([quota, sum]) => ({ quota, units: sum, kind: 'fixed' as const }));
  const cost = charges(action, items, model === '' ? undefined : model);
  const read = items.map(({ quota, units: sum }) => (raws.get(quota) === sum ? undefined : raws.get(quota)));
  return { kind: 'charge', user, claims, charges: cost, at, estimated, key, raws: read };
}

function sums(items: Charges['items']): Map<string, number> {
  return new Map(items.filter(({ units }) => units > 0).map(({ quota, units }) => [quota, units]));
}

/** Raw amounts by quota, of what is charged. */
function rawSums(items: Charges['items'], raws: RawAmounts | undefined): Map<string, number> {
  const read = items.map(({ quota, units }, index) => [quota, units, raws?.[index] ?? units] as const);
  return new Map(read.filter(([, units]) => units > 0).map(([quota, , raw]) => [quota, raw]));
}

function unitsIn(tally: ReadonlyMap<string, number>, quota: string): number {
  return tally.get(quota) ?? 0;
}

function add(tally: Map<string, number>, quota: string, units: number): void {
  tally.set(quota, unitsIn(tally, quota) + units);
}
