/** One fault under load, and what it came to. */
import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { figuresOf } from '../e2e/figures.js';
import { Bed, DEADLINE_MS, ORGS, TIGHT_UNITS, type Told } from './bed.js';
import type { Fault } from './faults.js';

/** In ms. */
export interface Times {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  /** How many came more than 20 ms after the deadline. */
  readonly late: number;
  /** How many of them did so even without the time that requests at the same moment took that need no store. */
  readonly lateByStore: number;
}

export interface Trial {
  /** Answers to requests that were sent during the fault, by status. */
  readonly statuses: Readonly<Record<string, number>>;
  readonly times: Times;
  /** Of requests in the same time that need no store: the machine is busy too. */
  readonly freeTimes: Times;
  /** From the end of the fault to the first request that a closed route serves. */
  readonly recoveredMs: number;
  /** Requests that open mode let through and that count, over all outages, and outages by the log. */
  readonly open: number;
  readonly outages: number;
  /** Units of the bindingLimits budget past its limit. */
  readonly over: number;
  /** Orgs whose counters are not what was served, or whose history is not their counters, or where something is held. */
  readonly wrong: readonly string[];
}

const LATEST_MS = DEADLINE_MS + 20;
const WARM_MS = 1_000;
const AFTERWARDS_MS = 2_500;
const RECOVERY_MAX_MS = 15_000;
const SETTLED_MAX_MS = 15_000;

export async function tryFault(fault: Fault, faultMs: number): Promise<Trial> {
  const bed = await Bed.make();
  try {
    bed.startLoad();
    await delay(WARM_MS);
    const beganAt = performance.now();
    await fault.begin(bed);
    await delay(faultMs);
    const endsAt = performance.now();
    await fault.end(bed);
    const recoveredMs = (await recovered(bed, performance.now())) ?? Number.POSITIVE_INFINITY;
    await delay(AFTERWARDS_MS);
    await bed.stopLoad();
    const meanwhile = bed.told.filter(({ sentAt }) => sentAt > beganAt && sentAt < endsAt);
    const during = meanwhile.filter(({ way }) => way !== 'free');
    const free = meanwhile.filter(({ way }) => way === 'free');
    return {
      times: timesOf(during, free),
      freeTimes: timesOf(free, []),
      statuses: counted(during),
      recoveredMs,
      open: bed.told.filter(({ openMode, status }) => openMode && status === 200).length,
      outages: bed.logged('open-mode-began'),
      over: await overIn(bed),
      wrong: await wrongIn(bed, fault.lost === true ? { beganAt, endsAt } : undefined),
    };
  } finally {
    await bed.close();
  }
}

/** Undefined where no request was served in time. */
async function recovered(bed: Bed, since: number): Promise<number | undefined> {
  while (performance.now() - since < RECOVERY_MAX_MS) {
    const first = bed.told.find(
      ({ way, status, sentAt }) => way === 'closed' && status === 200 && sentAt >= since,
    );
    if (first !== undefined) return first.sentAt + first.ms - since;
    await delay(5);
  }
  return undefined;
}

function timesOf(told: readonly Told[], free: readonly Told[]): Times {
  const times = told.map(({ ms }) => ms).sort((a, b) => a - b);
  const at = (share: number): number =>
    times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0;
  const late = told.filter(({ ms }) => ms > LATEST_MS);
  return {
    p50: at(0.5),
    p99: at(0.99),
    max: at(1),
    late: late.length,
    lateByStore: late.filter((one) => one.ms - slownessDuring(one, free) > LATEST_MS).length,
  };
}

/** The longest that a request without the store took meanwhile: so slow were the machine and the process. */
function slownessDuring({ sentAt, ms }: Told, free: readonly Told[]): number {
  const meanwhile = free.filter((one) => one.sentAt < sentAt + ms && one.sentAt + one.ms > sentAt);
  return Math.max(0, ...meanwhile.map((one) => one.ms));
}

function counted(told: readonly Told[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { status, openMode } of told) {
    const what = openMode ? `${status} open` : String(status);
    counts[what] = (counts[what] ?? 0) + 1;
  }
  return counts;
}

async function overIn({ ledger }: Bed): Promise<number> {
  const { consumed } = await figuresOf(ledger, 'bindingLimits');
  return Math.max(0, (consumed['usage:o'] ?? 0) / 10 - TIGHT_UNITS);
}

/** Of a lost book nothing is left: what counts is what open mode let through since, and all after the loss was accepted. */
async function wrongIn(bed: Bed, loss: { beganAt: number; endsAt: number } | undefined): Promise<string[]> {
  const served = bed.served(({ sentAt, ms, openMode }) => {
    return loss === undefined || sentAt > loss.endsAt || (openMode && sentAt + ms > loss.beganAt);
  });
  const wrong: string[] = [];
  for (const org of ORGS) {
    const problem = await differenceIn(bed, org, served[org] ?? 0);
    if (problem !== undefined) wrong.push(`${org}: ${problem}`);
  }
  return wrong;
}

async function differenceIn({ ledger }: Bed, org: string, served: number): Promise<string | undefined> {
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
