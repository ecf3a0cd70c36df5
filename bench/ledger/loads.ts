/** What is put on the ledger: each load keeps some calls in flight, and knows how many requests each one decides. */
import type { Call, Ledger, Op, Reply } from '../../src/ledger/port.js';
import { type Charges, charges } from '../../src/quota/charge.js';
import { EPOCH, type OrgState } from './books.js';

export interface Load {
  readonly name: string;
  readonly inFlight: number;
  readonly books: readonly OrgState[];
  /** One call of one of the calls in flight. */
  step(slot: number): Promise<Step>;
}

export interface Step {
  /** Requests decided. */
  readonly decisions: number;
  /** Counter lines the call touched. */
  readonly lines: number;
}

export interface Shape {
  readonly name: string;
  readonly books: readonly OrgState[];
  readonly batch: number;
  readonly inFlight: number;
  readonly expects?: 'admitted' | 'refused';
}

const FIXED = charges('geocoding', [
  { quota: 'usage', units: 1, kind: 'fixed' },
  { quota: 'lds', units: 1, kind: 'fixed' },
]);
const HELD = charges('chat', [
  { quota: 'usage', units: 50, kind: 'held' },
  { quota: 'lds', units: 1, kind: 'fixed' },
]);

/** Requests of fixed cost, each of a user picked at random, `batch` of them in a call, each call with a producer. */
export function fixedLoad(ledger: Ledger, shape: Shape): Load {
  const { name, books, batch, inFlight, expects = 'admitted' } = shape;
  const pick = picker();
  const send = batcher(ledger);
  const step = async (slot: number): Promise<Step> => {
    const book = books[pick(books.length)] ?? emptyBook();
    const ops = Array.from({ length: batch }, () => reserve(userOf(book, pick), FIXED, ''));
    const reply = await send(book, slot, ops);
    return { decisions: checked(reply, batch, expects), lines: reply.lines };
  };
  return { name, books, inFlight, step };
}

/** Each call settles the holds that the one before left, and leaves as many: a request passes through two calls. */
export function heldLoad(ledger: Ledger, { name, books, batch, inFlight }: Shape): Load {
  const pick = picker();
  const send = batcher(ledger);
  const run = gateways;
  const open: string[][] = [];
  let last = 0;
  const step = async (slot: number): Promise<Step> => {
    const book = books[slot % books.length] ?? emptyBook();
    const settles = (open[slot] ?? []).map((hold): Op => {
      return { kind: 'settle', hold, units: [37, 1], estimated: false };
    });
    const holds = Array.from({ length: batch / 2 }, () => `hold.${run}.${last++}`);
    const ops = [...settles, ...holds.map((hold) => reserve(userOf(book, pick), HELD, hold))];
    const reply = await send(book, slot, ops);
    if (reply.results.some(({ status }) => status !== 'admitted' && status !== 'settled'))
      throw new Error(`${name}: ${JSON.stringify(reply.results.at(0))}`);
    open[slot] = holds;
    return { decisions: settles.length, lines: reply.lines };
  };
  return { name, books, inFlight, step };
}

/** No rule at all: what a round trip to Redis costs. */
export function bareLoad(name: string, inFlight: number, send: (slot: number) => Promise<unknown>): Load {
  const step = async (slot: number): Promise<Step> => {
    await send(slot);
    return { decisions: 1, lines: 1 };
  };
  return { name, books: [], inFlight, step };
}

function reserve(user: string, costs: Charges, hold: string): Op {
  return { kind: 'reserve', user, claims: '', charges: costs, hold, ttlMs: 60_000 };
}

function userOf(book: OrgState, pick: (below: number) => number): string {
  return book.users[pick(book.users.length)] ?? '';
}

function emptyBook(): never {
  throw new Error('A load needs a book');
}

let gateways = 0;

/** Sends on batcher of its own, numbered per org and slot, as a gateway does. */
function batcher(ledger: Ledger): (book: OrgState, slot: number, ops: Op[]) => Promise<Reply> {
  const gateway = `bench${gateways++}`;
  const sent = new Map<string, number>();
  return (book, slot, ops) => {
    const producer = `${gateway}.${slot}`;
    const key = `${book.org}|${producer}`;
    const seq = (sent.get(key) ?? 0) + 1;
    sent.set(key, seq);
    return ledger.apply({ ...standing(book), producer, seq, ops });
  };
}

function standing(book: OrgState): Omit<Call, 'producer' | 'seq' | 'ops'> {
  const { org, bounds } = book;
  return { org, epoch: EPOCH, ruleVersion: 1, cycles: [bounds], unknownUsers: 'deny', expireMost: 8 };
}

/** A bench that measures errors measures nothing. */
function checked(reply: Reply, count: number, expects: string): number {
  const wrong = reply.results.find(({ status }) => status !== expects);
  if (reply.code !== 'ok' || reply.replayed || reply.results.length !== count || wrong !== undefined)
    throw new Error(`${reply.code}, ${reply.results.length} results, ${JSON.stringify(wrong)}`);
  return count;
}

/** Random enough, the same every run (xorshift32). */
function picker(): (below: number) => number {
  let state = 0x2f6e2b1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}
