// Refused requests are counted in the gateway and come to the journal with the settlements: none lost, none of its own.
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { RefusalCounts, type RefusedCall } from '../../src/ledger/batching/refusal-counts.js';
import { decodeJournal } from '../../src/ledger/codec.js';
import type { RefusalsOp, Refused } from '../../src/ledger/port.js';
import { skipWithoutRedis } from '../support/redis.js';
import { setUp } from './support.js';

const QUARTER_MS = 900_000;
const NOW = 10 * QUARTER_MS + 7;

function refusedBy(scope: 'user' | 'group' | 'org', group = ''): Refused {
  const other = {
    quota: 'ai',
    scope: 'org',
    group: '',
    limit: 9,
    consumed: 1,
    held: 8,
    requested: 5,
  } as const;
  const violated = [other, { ...other, quota: 'usage', scope, group }];
  return { status: 'refused', reason: 'spent', primary: 1, groups: '', violated, bindingLimits: [] };
}

const call = (user: string, over: Partial<RefusedCall> = {}): RefusedCall => ({
  org: 'acme',
  user,
  action: 'maps',
  refused: refusedBy('user'),
  now: NOW,
  ...over,
});

function counter() {
  const sent: [org: string, op: RefusalsOp][] = [];
  const counts = new RefusalCounts(async (org, op) => sent.push([org, op]));
  const lines = () => sent.flatMap(([, { lines: text }]) => decodeJournal(text));
  return { counts, sent, lines };
}

t.test(
  'a count per user, quota, action, quarter, scope and whose limit, of the primary violation',
  async (t) => {
    const { counts, sent, lines } = counter();
    for (let times = 0; times < 1_000; times += 1) counts.note(call('ana'));
    counts.note(call('ana', { now: NOW + QUARTER_MS }));
    counts.note(call('ana', { action: 'chat' }));
    counts.note(call('ana', { refused: refusedBy('group', 'g1') }));
    counts.note(call('bob'));
    counts.flush();
    t.equal(sent.length, 1, 'one operation');
    const shown = lines().map(({ at, user, action, charges, refused }) => {
      return [
        at / QUARTER_MS,
        user,
        action,
        charges[0]?.quota,
        refused?.scope,
        refused?.group,
        refused?.count,
      ];
    });
    t.same(shown, [
      [10, 'ana', 'maps', 'usage', 'user', '', 1_000],
      [11, 'ana', 'maps', 'usage', 'user', '', 1],
      [10, 'ana', 'chat', 'usage', 'user', '', 1],
      [10, 'ana', 'maps', 'usage', 'group', 'g1', 1],
      [10, 'bob', 'maps', 'usage', 'user', '', 1],
    ]);
    counts.flush();
    t.equal(sent.length, 1, 'nothing twice');
  },
);

t.test('memory is bounded: what does not fit is counted without its user', async (t) => {
  const { counts, sent, lines } = counter();
  for (let user = 0; user < 20_100; user += 1) counts.note(call(`u${user}`));
  counts.flush();
  const all = lines();
  t.ok(all.length <= 20_001, `${all.length} counts`);
  t.equal(
    all.reduce((sum, { refused }) => sum + (refused?.count ?? 0), 0),
    20_100,
  );
  t.ok(
    sent.every(([, op]) => op.lines.split('\n').length <= 200),
    'no operation is long',
  );
});

t.test(
  'they reach the journal within two seconds, whatever the connection does',
  { skip: skipWithoutRedis },
  async (t) => {
    const { batcher, direct, link } = await setUp(t);
    const journaled = async (): Promise<number> => {
      const entries = await direct.log('acme', 'journal', '', 100);
      const lines = entries.flatMap(({ text }) => decodeJournal(text));
      return lines.reduce((sum, { refused }) => sum + (refused?.count ?? 0), 0);
    };
    for (let times = 0; times < 7; times += 1) batcher.countRefusal(call('ana'));
    await delay(2_000);
    t.equal(await journaled(), 7);
    batcher.countRefusal(call('ana'));
    link.client.destroy();
    t.ok(await batcher.drain(5_000), 'a stopping process sends the rest');
    t.equal(await journaled(), 8);
  },
);
