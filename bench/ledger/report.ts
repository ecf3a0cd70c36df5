/** Prints the figures as a table, and whether the aims are met. */
import { type Aim, table, verdicts, whole } from '../lib/table.js';
import type { CallTimes, Sample } from './measure.js';

export interface Figures extends Sample {
  readonly name: string;
  readonly times: CallTimes;
}

/** Loads that the aims compare. */
export const NAMES = {
  oneByOne: 'one call per request',
  one: 'one quota, batch 1',
  thirteen: 'one quota, batch 13',
  peer: 'one quota, script of nginx + Lua',
  batched: 'batch 64',
  oneGroup: '1 group per user',
  sixteenGroups: '16 groups per user',
  oneUser: 'org of 1 user',
  manyUsers: 'org of 100,000 users',
  mostUsers: 'org of 1,000,000 users',
} as const;

/** Suffix of the loads of `--against`. */
export const OTHER = ' (other)';

/** A gateway limits its batches to about this many counters. */
const LINES_MOST = 100;
const CALL_MOST_MS = 2;

export function print(figures: readonly Figures[]): void {
  const ours = figures.filter(({ name }) => !name.endsWith(OTHER));
  console.log(`\n${figuresTable(ours)}`);
  const others = new Map(figures.map((one) => [one.name, one]));
  if (ours.length < figures.length) console.log(`\n${comparison(ours, others)}`);
  console.log(`\n${verdicts(aimsOf(ours))}`);
  const batched = ours.find(({ name }) => name === NAMES.batched);
  if (batched === undefined) return;
  const lines = (batched.lines * CALL_MOST_MS * 1000) / batched.times.p50;
  console.log(`A call of ${CALL_MOST_MS} ms touches about ${whole(lines)} counters on this machine.`);
}

function figuresTable(figures: readonly Figures[]): string {
  const head = [
    'load',
    'decisions/s',
    'Redis µs',
    'client µs',
    'both µs',
    'counters/call',
    'p50 µs',
    'p99',
    'max',
  ];
  const rows = figures.map(({ name, perSecond, redis, client, lines, times }) => {
    const spent = [redis, client, redis + client].map((microseconds) => microseconds.toFixed(1));
    return [name, whole(perSecond), ...spent, whole(lines), ...[times.p50, times.p99, times.max].map(whole)];
  });
  return table(head, rows);
}

function comparison(ours: readonly Figures[], all: ReadonlyMap<string, Figures>): string {
  const rows = ours.flatMap((one) => {
    const other = all.get(one.name + OTHER);
    if (other === undefined) return [];
    const ratio = (one.redis / other.redis).toFixed(2);
    return [[one.name, one.redis.toFixed(1), other.redis.toFixed(1), ratio]];
  });
  return table(['load, Redis µs per decision', 'here', 'other', 'here / other'], rows);
}

function aimsOf(figures: readonly Figures[]): Aim[] {
  const find = (name: string): Figures | undefined => figures.find((one) => one.name === name);
  const ratio = (text: string, over: string, under: string, most: number, of = redisOf): Aim[] => {
    const [a, b] = [find(over), find(under)];
    return a && b ? [{ text, measured: of(a) / of(b), most, unit: ' ×' }] : [];
  };
  const callTime = (text: string, name: string, batch: number, aim: number): Aim[] => {
    const [a, b] = [find(name), find(NAMES.peer)];
    return a && b ? [{ text, measured: a.times.p50 / batch / b.times.p50, most: aim, unit: ' ×' }] : [];
  };
  const most = find(NAMES.mostUsers) ? NAMES.mostUsers : NAMES.manyUsers;
  const bounded = figures.filter(({ lines }) => lines <= LINES_MOST);
  const longest = Math.max(...bounded.map(({ times }) => times.max)) / 1000;
  return [
    ...ratio('batched against one call per request, Redis', NAMES.batched, NAMES.oneByOne, 0.5),
    ...ratio(
      'batched against one call per request, Redis and client',
      NAMES.batched,
      NAMES.oneByOne,
      0.5,
      bothOf,
    ),
    ...callTime('a call with one decision against the script of nginx + Lua', NAMES.one, 1, 2.5),
    ...callTime('a decision in a call of 13 against the same', NAMES.thirteen, 13, 0.4),
    ...ratio(`${most} against 1,000`, most, NAMES.batched, 1.25),
    ...ratio(`${most} against 1, batch 1`, `${most}, batch 1`, `${NAMES.oneUser}, batch 1`, 1.25),
    ...ratio('16 groups per user against 1', NAMES.sixteenGroups, NAMES.oneGroup, 2),
    {
      text: `longest call of up to ${LINES_MOST} counters`,
      measured: longest,
      most: CALL_MOST_MS,
      unit: ' ms',
    },
  ];
}

function redisOf(figures: Figures): number {
  return figures.redis;
}

function bothOf(figures: Figures): number {
  return figures.redis + figures.client;
}
