/** Metrics of store calls, holds, and units charged beyond holds. */
import type { Reply } from '../ledger/port.js';
import type { Charges } from '../quota/charge.js';
import type { TokenReport } from '../quota/tokens.js';
import { decimalsOf } from '../quota/units.js';
import type { Builder } from './builder.js';
import type { Counter, Histogram, MetricOf } from './metric-store.js';
import type { MetricsOptions } from './state.js';
import { TokenMetrics } from './tokens.js';

const CALL_SECONDS = [1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2, 2e-2, 5e-2, 0.1, 0.2, 0.5, 1, 2];
const CALL_OPERATIONS = [1, 2, 4, 8, 16, 32, 64, 128, 256];
const CALL_LINES = [5, 10, 20, 50, 100, 200, 500];

export class StoreMetrics {
  private readonly seconds: Histogram;
  private readonly operations: Histogram;
  private readonly lines: Histogram;
  private readonly common: Counter;
  private readonly unanswered: Counter;
  private readonly expired: Counter;
  private readonly overshoots: MetricOf<Counter>;
  private readonly clipped: Counter;
  private readonly lost: Counter;
  private readonly redirects: MetricOf<Counter>;
  private readonly unprovenUnits: MetricOf<Counter>;

  constructor(
    build: Builder,
    private readonly quotas: MetricsOptions['quotas'],
    state: MetricsOptions['state'],
  ) {
    build.reading('quotagate_store_up', '1 while the store can be reached.', () =>
      numberOf(state()?.storeReady),
    );
    build.reading(
      'quotagate_store_clock_refused',
      '1 while the store’s clock shows an impossible time: requests get 503 until the time is possible again, or accepted by `quotagate store accept-clock`.',
      () => numberOf(state()?.clockRefused),
    );
    this.seconds = build.histograms(
      { name: 'quotagate_store_call_seconds', help: 'Time to the answer of a call that got one.' },
      CALL_SECONDS,
    )();
    this.operations = build.histograms(
      {
        name: 'quotagate_store_call_operations',
        help: 'Operations in one call: decisions, settlements, refunds, renewals.',
      },
      CALL_OPERATIONS,
    )();
    this.lines = build.histograms(
      {
        name: 'quotagate_store_call_lines',
        help: 'Counter lines that one call touched: they determine its time in the store.',
      },
      CALL_LINES,
    )();
    this.common = build.counters({
      name: 'quotagate_store_calls_common_total',
      help: 'Calls that Redis decided on its common path: reservations of fixed costs, without a new notice, user or cycle.',
    })();
    this.unanswered = build.counters({
      name: 'quotagate_store_calls_unanswered_total',
      help: 'Calls without an answer: they may have run; the gateway reconciles them later.',
    })();
    build.reading(
      'quotagate_orgs_lost',
      'Orgs whose data is missing in the store; their requests get 503.',
      () => state()?.lost.length,
    );
    addProducers(build, state);
    this.expired = build.counters({
      name: 'quotagate_holds_expired_total',
      help: 'Holds that ended without a settlement, as seen by this process: their gateway stopped, or could not reach the store.',
    })();
    this.overshoots = build.counters({
      name: 'quotagate_overshoot_units_total',
      help: 'Units charged above a hold that exceeded a hard limit: the true cost was higher, or arrived after the hold had expired.',
      labels: ['quota'],
    });
    for (const quota of Object.keys(quotas)) this.overshoots(quota);
    this.unprovenUnits = build.counters({
      name: 'quotagate_refunds_unproven_units_total',
      help: 'Units of refunds that were not made: the store cannot prove that they were charged, because a fail-over or a backup lost the charge.',
      labels: ['quota'],
    });
    for (const quota of Object.keys(quotas)) this.unprovenUnits(quota);
    this.clipped = build.counters({
      name: 'quotagate_changes_clipped_total',
      help: 'Changes that would have taken a counter below 0 and stopped at 0: the store had lost the units that they returned.',
    })();
    this.lost = build.counters({
      name: 'quotagate_store_lost_calls_total',
      help: 'Calls that the store had answered and then lost, in a fail-over or by an older backup. A call has one or more operations.',
    })();
    this.redirects = build.counters({
      name: 'quotagate_store_redirects_total',
      help: 'Calls that a Redis Cluster refused because of their slot, and that were sent again: `moved`, `ask`, `again` (keys are being moved: TRYAGAIN), `down` (CLUSTERDOWN).',
      labels: ['kind'],
    });
  }

  lostCalls(count: number): void {
    this.lost.add(count);
  }

  noteRedirect(kind: string): void {
    this.redirects(kind).add(1);
  }

  answered(
    operations: number,
    { code, common, lines, expired, clipped, overshoots }: Reply,
    ms: number,
  ): void {
    this.seconds.note(ms / 1_000);
    if (code !== 'ok') return;
    this.operations.note(operations);
    this.lines.note(lines);
    if (common === true) this.common.add();
    this.clipped.add(clipped);
    // Also for a repeated call, because nobody got its first answer.
    this.noteExpired({ expired, overshoots });
  }

  silent(): void {
    this.unanswered.add();
  }

  unproven({ items }: Charges): void {
    for (const { quota, kind, units } of items)
      if (kind === 'fixed') this.unprovenUnits(quota).add(scaled(units, quota, this.quotas));
  }

  noteExpired({ expired, overshoots }: Pick<Reply, 'expired' | 'overshoots'>): void {
    this.expired.add(expired);
    for (const { quota, units } of overshoots) this.overshoots(quota).add(scaled(units, quota, this.quotas));
  }
}

function addProducers(build: Builder, state: MetricsOptions['state']): void {
  build.reading(
    'quotagate_lanes_in_flight',
    'Calls that the store has not answered yet.',
    () => state()?.batcher.inFlight,
  );
  build.reading(
    'quotagate_lanes_in_doubt',
    'Unanswered calls being reconciled.',
    () => state()?.batcher.inDoubt,
  );
  build.reading(
    'quotagate_operations_waiting',
    'Operations that wait for a call.',
    () => state()?.batcher.waiting,
  );
  build.reading(
    'quotagate_settlements_backlog',
    'Settlements, releases and refunds that the store has not confirmed. At the limit new requests get 503.',
    () => state()?.backlog,
  );
  build.reading(
    'quotagate_spooled_calls',
    'Calls that an earlier process could not deliver and that this process is delivering.',
    () => state()?.spooled,
  );
}

export function numberOf(flag: boolean | undefined): number | undefined {
  return flag === undefined ? undefined : Number(flag);
}

/** In outer units. */
function scaled(units: number, quota: string, quotas: MetricsOptions['quotas']): number {
  return units / 10 ** decimalsOf(quotas, quota);
}

export class HoldMetrics {
  private open = 0;
  private readonly tokens: TokenMetrics;
  private readonly replays: MetricOf<Counter>;

  constructor(build: Builder) {
    build.reading('quotagate_holds_open', 'Holds of open requests of this process.', () => this.open);
    this.tokens = new TokenMetrics(build);
    this.replays = build.counters({
      name: 'quotagate_replays_total',
      help: 'Answers that the upstream marked as replays (`replayHeader`): `free`, or `charged` if this process does not know that the same call was charged in full.',
      labels: ['outcome'],
    });
  }

  counted(tokens: TokenReport): void {
    this.tokens.counted(tokens);
  }

  replayed(free: boolean): void {
    this.replays(free ? 'free' : 'charged').add();
  }

  opened(): void {
    this.open += 1;
  }

  closed(): void {
    this.open -= 1;
  }
}
