/** Loads on the ledger: each keeps a number of calls in flight and knows how many requests each call decides. */
import type { Call, Ledger, Op, Reply } from '../../src/ledger/port.js';
import { type Charges, charges } from '../../src/quota/charge.js';
import { type BenchOrg, EPOCH } from './orgs.js';

export interface Load {
  readonly name: string;
  readonly inFlight: number;
  readonly orgs: readonly BenchOrg[];
  /** Sends one call. `slot`: which of the calls in flight. */
  step(slot: number): Promise<Step>;
}

export interface Step {
  /** Requests decided by the call. */
  readonly decisions: number;
  /** Counters that the call touched. */
  readonly lines: number;
}

export interface Shape {
  readonly name: string;
  readonly orgs: readonly BenchOrg[];
  readonly batch: number;
  readonly inFlight: number;
  readonly expects?: 'admitted' | 'refused';
  /** Left out: one unit of each of two quotas. */
  readonly costs?: Charges;
}

const FIXED = charges('geocoding', [
  { quota: 'usage', units: 1, kind: 'fixed' },
  { quota: 'lds', units: 1, kind: 'fixed' },
]);
/** What a peer that counts one quota is compared with. */
export const ONE_QUOTA = charges('geocoding', [{ quota: 'usage', units: 1, kind: 'fixed' }]);
const HELD = charges('chat', [
  { quota: 'usage', units: 50, kind: 'held' },
  { quota: 'lds', units: 1, kind: 'fixed' },
]);

/** Requests with fixed costs from random users, `batch` requests per call, each call with a producer id and sequence number. */
export function fixedLoad(ledger: Ledger, shape: Shape): Load {
  const { name, orgs, batch, inFlight, expects = 'admitted', costs = FIXED } = shape;
  const pick = picker();
  const send = batcher(ledger);
  const step = async (slot: number): Promise<Step> => {
    const org = orgs[pick(orgs.length)] ?? noOrg();
    const ops = Array.from({ length: batch }, () => reserve(userOf(org, pick), costs, ''));
    const reply = await send(org, slot, ops);
    return { decisions: checked(reply, batch, expects), lines: reply.lines };
  };
  return { name, orgs, inFlight, step };
}

/** Each call settles the holds of the call before and creates as many: each request takes part in two calls. */
export function heldLoad(ledger: Ledger, { name, orgs, batch, inFlight }: Shape): Load {
  const pick = picker();
  const send = batcher(ledger);
  const run = gateways;
  const unsettled: string[][] = [];
  let last = 0;
  const step = async (slot: number): Promise<Step> => {
    const org = orgs[slot % orgs.length] ?? noOrg();
    const settles = (unsettled[slot] ?? []).map((hold): Op => {
      return { kind: 'settle', hold, units: [37, 1], estimated: false };
    });
    const holds = Array.from({ length: batch / 2 }, () => `hold.${run}.${last++}`);
    const ops = [...settles, ...holds.map((hold) => reserve(userOf(org, pick), HELD, hold))];
    const reply = await send(org, slot, ops);
    if (reply.results.some(({ status }) => status !== 'admitted' && status !== 'settled'))
      throw new Error(`${name}: ${JSON.stringify(reply.results.at(0))}`);
    unsettled[slot] = holds;
    return { decisions: settles.length, lines: reply.lines };
  };
  return { name, orgs, inFlight, step };
}

/** A round trip to Redis without any rule. */
export function bareLoad(name: string, inFlight: number, send: (slot: number) => Promise<unknown>): Load {
  const step = async (slot: number): Promise<Step> => {
    await send(slot);
    return { decisions: 1, lines: 1 };
  };
  return { name, orgs: [], inFlight, step };
}

function reserve(user: string, costs: Charges, hold: string): Op {
  return { kind: 'reserve', user, claims: '', charges: costs, hold, ttlMs: 60_000 };
}

function userOf(org: BenchOrg, pick: (below: number) => number): string {
  return org.users[pick(org.users.length)] ?? '';
}

function noOrg(): never {
  throw new Error('A load needs an org');
}

let gateways = 0;

/** Sends calls with a producer id of its own and sequence numbers per org and slot, as a gateway does. */
function batcher(ledger: Ledger): (org: BenchOrg, slot: number, ops: Op[]) => Promise<Reply> {
  const gateway = `bench${gateways++}`;
  const sent = new Map<string, number>();
  return (org, slot, ops) => {
    const producer = `${gateway}.${slot}`;
    const key = `${org.org}|${producer}`;
    const seq = (sent.get(key) ?? 0) + 1;
    sent.set(key, seq);
    return ledger.apply({ ...callOn(org), producer, seq, ops });
  };
}

function callOn(benchOrg: BenchOrg): Omit<Call, 'producer' | 'seq' | 'ops'> {
  const { org, bounds } = benchOrg;
  return { org, epoch: EPOCH, ruleVersion: 1, cycles: [bounds], unknownUsers: 'deny', expireMost: 8 };
}

/** Throws on any unexpected result: a bench must not measure errors. */
function checked(reply: Reply, count: number, expects: string): number {
  const wrong = reply.results.find(({ status }) => status !== expects);
  if (reply.code !== 'ok' || reply.replayed || reply.results.length !== count || wrong !== undefined)
    throw new Error(`${reply.code}, ${reply.results.length} results, ${JSON.stringify(wrong)}`);
  return count;
}

/** Pseudo-random numbers, the same in every run (xorshift32). */
function picker(): (below: number) => number {
  let state = 0x2f6e2b1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}
