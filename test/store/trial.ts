/** Runs one fault under load and reports the result. */
import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { figuresOf } from '../e2e/figures.js';
import type { Fault } from './faults.js';
import {
  type Answer,
  DEADLINE_MS,
  type GatewayUnderLoad,
  ORGS,
  SCARCE_UNITS,
  StoreSetup,
} from './store-setup.js';

/** Latencies in milliseconds. */
export interface Times {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  /** Answers more than 20 ms after the deadline. */
  readonly late: number;
  /** Late answers even after the latency of concurrent `free` requests is subtracted. */
  readonly lateByStore: number;
}

export interface Trial {
  /** Answers to requests sent during the fault, by status. */
  readonly statuses: Readonly<Record<string, number>>;
  readonly times: Times;
  /** Latencies of `free` requests in the same period: how busy the machine was. */
  readonly freeTimes: Times;
  /** From the end of the fault to the first request served on the closed route. */
  readonly recoveredMs: number;
  /** Requests that open mode admitted and that count, over all outages; and outages according to the log. */
  readonly open: number;
  readonly outages: number;
  /** Units charged past the limit of the small budget. */
  readonly over: number;
  /** Orgs where counters differ from what was served, history differs from counters, or units are still held. */
  readonly wrong: readonly string[];
}

const LATEST_MS = DEADLINE_MS + 20;
const WARM_MS = 1_000;
const RECOVERY_MAX_MS = 15_000;
const SETTLED_MAX_MS = 15_000;

/**
 * A busy machine can begin an outage before the fault. What open mode admitted then must be charged: after a loss, those charges could
 * not be distinguished from later ones.
 */
async function untilCharged(setup: StoreSetup): Promise<void> {
  const giveUpAt = performance.now() + RECOVERY_MAX_MS;
  const isCharged = async (): Promise<boolean> =>
    (await setup.metric('quotagate_open_mode')) === 0 &&
    // The series begins with the first request that open mode admits.
    ((await setup.metric('quotagate_open_units_outstanding{quota="usage"}')) ?? 0) === 0;
  while (!(await isCharged()) && performance.now() < giveUpAt) await delay(20);
}

export interface TrialTimes {
  readonly faultMs: number;
  /** Of load after the recovery. */
  readonly afterwardsMs: number;
}

export async function tryFault(fault: Fault, { faultMs, afterwardsMs }: TrialTimes): Promise<Trial> {
  const setup = await StoreSetup.make();
  try {
    setup.startLoad();
    await delay(WARM_MS);
    await untilCharged(setup);
    const beganAt = performance.now();
    await fault.begin(setup);
    await delay(faultMs);
    const endsAt = performance.now();
    await fault.end(setup);
    const recoveredMs = (await recovered(setup, performance.now())) ?? Number.POSITIVE_INFINITY;
    await delay(afterwardsMs);
    await setup.stopLoad();
    const meanwhile = setup.answers.filter(({ sentAt }) => sentAt > beganAt && sentAt < endsAt);
    const during = meanwhile.filter(({ kind }) => kind !== 'free');
    const free = meanwhile.filter(({ kind }) => kind === 'free');
    return {
      times: timesOf(during, free),
      freeTimes: timesOf(free, []),
      statuses: counted(during),
      recoveredMs,
      open: setup.answers.filter(({ openMode, status }) => openMode && status === 200).length,
      outages: setup.logged('open_mode_began'),
      over: await overIn(setup),
      wrong: await wrongIn(setup, fault.lost === true ? { beganAt, endsAt } : undefined),
    };
  } finally {
    await setup.close();
  }
}

/** Undefined where no request was served before the time-out. */
async function recovered(setup: StoreSetup, since: number): Promise<number | undefined> {
  while (performance.now() - since < RECOVERY_MAX_MS) {
    const first = setup.answers.find(
      ({ kind, status, sentAt }) => kind === 'closed' && status === 200 && sentAt >= since,
    );
    if (first !== undefined) return first.sentAt + first.ms - since;
    await delay(5);
  }
  return undefined;
}

export function timesOf(answers: readonly Answer[], free: readonly Answer[]): Times {
  const times = answers.map(({ ms }) => ms).sort((a, b) => a - b);
  const at = (share: number): number =>
    times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0;
  const late = answers.filter(({ ms }) => ms > LATEST_MS);
  return {
    p50: at(0.5),
    p99: at(0.99),
    max: at(1),
    late: late.length,
    lateByStore: late.filter((one) => one.ms - slownessDuring(one, free) > LATEST_MS).length,
  };
}

/** The longest latency of a concurrent request that needs no store: how slow machine and process were. */
function slownessDuring({ sentAt, ms }: Answer, free: readonly Answer[]): number {
  const meanwhile = free.filter((one) => one.sentAt < sentAt + ms && one.sentAt + one.ms > sentAt);
  return Math.max(0, ...meanwhile.map((one) => one.ms));
}

export function counted(answers: readonly Answer[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { status, openMode } of answers) {
    const what = openMode ? `${status} open` : String(status);
    counts[what] = (counts[what] ?? 0) + 1;
  }
  return counts;
}

async function overIn({ ledger }: StoreSetup): Promise<number> {
  const { consumed } = await figuresOf(ledger, 'scarce');
  return Math.max(0, (consumed['usage:o'] ?? 0) / 10 - SCARCE_UNITS);
}

/** After a loss the counters hold only what open mode admitted since, and everything after the loss was accepted. */
export async function wrongIn(
  setup: GatewayUnderLoad,
  loss?: { beganAt: number; endsAt: number },
): Promise<string[]> {
  const served = setup.served(({ sentAt, ms, openMode }) => {
    return loss === undefined || sentAt > loss.endsAt || (openMode && sentAt + ms > loss.beganAt);
  });
  const wrong: string[] = [];
  for (const org of ORGS) {
    const problem = await differenceIn(setup, org, served[org] ?? 0);
    if (problem !== undefined) wrong.push(`${org}: ${problem}`);
  }
  return wrong;
}

async function differenceIn(
  { ledger }: GatewayUnderLoad,
  org: string,
  served: number,
): Promise<string | undefined> {
  const giveUpAt = performance.now() + SETTLED_MAX_MS;
  for (;;) {
    const { consumed, held, recorded } = await figuresOf(ledger, org);
    const total = consumed['usage:o'] ?? 0;
    if (total === served && isDeepStrictEqual(held, {}) && isDeepStrictEqual(recorded, consumed))
      return undefined;
    if (performance.now() > giveUpAt)
      return `served ${served}, consumed ${total}, held ${JSON.stringify(held)}, recorded ${recorded['usage:o']}`;
    await delay(50);
  }
}
