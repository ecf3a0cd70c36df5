/**
 * A store that has lost its data must not start again from 0. Each gateway checks the store once a second, with one
 * call for all orgs, and remembers the orgs it has seen. A gateway that finds the store's creation mark missing marks
 * those orgs as lost. An empty store gets its first org only after three seconds without an objection.
 *
 * Data that no running gateway remembers cannot be detected: after a restart of all gateways, an emptied store is a new
 * one.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { StoreError } from '../port.js';

export interface PresenceOptions {
  /** The script `presence`; resolves to the store's epoch and the ms to wait. */
  readonly call: (args: readonly (string | number)[]) => Promise<unknown>;
  readonly countOrgs: () => Promise<number>;
  readonly listOrgs: () => Promise<readonly string[]>;
  /** Marks an org as lost, if it has no data. */
  readonly markLost: (org: string) => Promise<unknown>;
  readonly onEvent?: ((event: PresenceEvent) => void) | undefined;
  /** For tests: how long an empty store waits for objections. */
  readonly objectionMs?: number | undefined;
}

export type PresenceEvent =
  /** The data of this many known orgs is missing. */
  | { readonly kind: 'emptied'; readonly orgs: number }
  /** The first org waits for objections of other gateways. */
  | { readonly kind: 'waiting'; readonly ms: number };

const OBJECTION_MS = 3_000;
/** Half a second, so that one slow call does not make the check rarer than once a second. */
const LOOK_EVERY_MS = 500;
/** A gateway that waits must call at least this often, or its wait starts again. */
const GAP_MS = 2_000;
const MARKS_AT_ONCE = 64;
const WAIT_MAX_MS = 30_000;

export class StorePresence {
  private readonly seen = new Set<string>();
  private readonly candidate = randomUUID();
  private known = '';
  private objecting = false;
  private looking: Promise<number> | undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly options: PresenceOptions) {}

  /** Checks now, and then periodically. */
  start(isReady: () => boolean): void {
    clearTimeout(this.timer);
    const look = async (): Promise<void> => {
      // If the store does not answer, the calls that fail report it.
      if (isReady()) await this.look().catch(() => undefined);
      if (this.timer === timer) this.start(isReady);
    };
    const timer = setTimeout(() => void look(), LOOK_EVERY_MS).unref();
    this.timer = timer;
  }

  close(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  /** Records an org that this process created. */
  saw(org: string): void {
    this.seen.add(org);
  }

  /** Resolves when a new org may be created. */
  async established(): Promise<void> {
    const giveUpAt = performance.now() + WAIT_MAX_MS;
    for (let isAnnounced = false; ; isAnnounced = true) {
      const waitMs = await this.look();
      if (waitMs === 0) return;
      if (performance.now() > giveUpAt)
        throw new StoreError(
          'the store is empty, and other gateways are still marking the orgs that it had',
          false,
        );
      if (!isAnnounced) this.options.onEvent?.({ kind: 'waiting', ms: waitMs });
      await delay(Math.min(waitMs, LOOK_EVERY_MS));
    }
  }

  /** The ms until the store may be used; 0 if it is in use already. */
  look(): Promise<number> {
    this.looking ??= this.lookOnce().finally(() => {
      this.looking = undefined;
    });
    return this.looking;
  }

  private async lookOnce(): Promise<number> {
    const [{ epoch, waitMs }, count] = await Promise.all([this.call(), this.options.countOrgs()]);
    // Orgs are never removed: a lower count means that the data was replaced.
    if ((this.known !== '' && epoch !== this.known) || count < this.seen.size) return this.object(epoch);
    this.known = epoch;
    if (epoch !== '' && count > this.seen.size)
      for (const org of await this.options.listOrgs()) this.seen.add(org);
    return waitMs;
  }

  private async call(): Promise<{ epoch: string; waitMs: number }> {
    const { objectionMs = OBJECTION_MS } = this.options;
    const [epoch, waitMs] = (await this.options.call([this.known, this.candidate, objectionMs, GAP_MS])) as [
      string,
      number,
    ];
    return { epoch, waitMs };
  }

  /** All known orgs if the store was emptied, or those that an older backup lacks. */
  private async missing(epoch: string): Promise<string[]> {
    const isSame = epoch !== '' && epoch === this.known;
    const there = new Set(isSame ? await this.options.listOrgs() : []);
    return [...this.seen].filter((org) => !there.has(org));
  }

  private async object(epoch: string): Promise<number> {
    const orgs = await this.missing(epoch);
    if (!this.objecting) this.options.onEvent?.({ kind: 'emptied', orgs: orgs.length });
    this.objecting = true;
    for (let from = 0; from < orgs.length; from += MARKS_AT_ONCE) {
      await Promise.all(orgs.slice(from, from + MARKS_AT_ONCE).map((org) => this.options.markLost(org)));
      // Objects again, so that nobody creates the orgs that are not marked yet.
      await this.call();
    }
    this.objecting = false;
    this.known = epoch;
    return epoch === '' ? (this.options.objectionMs ?? OBJECTION_MS) : 0;
  }
}
