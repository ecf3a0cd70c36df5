// When users were last active: from the history, by the hour, then by the day.
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { encodeRefusal } from '../../src/ledger/codec.js';
import type { Ledger } from '../../src/ledger/port.js';
import { foldJournal } from '../../src/maintenance/fold.js';
import { charges } from '../../src/quota/charge.js';
import { hourStart } from '../../src/quota/cycle.js';
import { applyNow, NOON, onBothLedgers, type Send } from './support.js';

const MONTH = { every: 'month', anchor: 20, timeZone: 'Europe/Madrid' };
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

async function charge(ledger: Ledger, user: string, units: number): Promise<void> {
  const cost = charges('test', [{ quota: 'usage', units, kind: 'fixed' }]);
  await applyNow(ledger, 'acme', [
    { kind: 'reserve', user, claims: '', charges: cost, hold: '', ttlMs: 60_000 },
  ]);
}

async function lastActiveIn(send: Send): Promise<Record<string, unknown>> {
  const { items } = (await send('GET', '/orgs/acme/users')).body;
  const rows = items.map(({ id, lastActiveAt }: Record<string, unknown>) => [id, lastActiveAt]);
  return Object.fromEntries(rows);
}

onBothLedgers('lastActiveAt is the hour of the last charge, later its day', async (t, replicas) => {
  const { ledger, one, other, setClock } = replicas;
  t.same(await lastActiveIn(one), { ann: null, bob: null });
  await charge(ledger, 'ann', 1);
  await setClock(NOON + 2 * HOUR_MS + 1_234_000);
  await charge(ledger, 'ann', 1);
  await one('POST', '/orgs/acme/adjustments', { user: 'bob', quota: 'usage', units: 1, reason: 'test' });
  const refused = {
    at: NOON,
    user: 'bob',
    action: 'test',
    quota: 'usage',
    scope: 'org',
    group: '',
    count: 3,
  } as const;
  await applyNow(ledger, 'acme', [{ kind: 'refusals', lines: encodeRefusal(refused) }]);
  await foldJournal(ledger, 'acme');
  const active = { ann: '2026-05-22T12:00:00.000Z', bob: null };
  t.same(await lastActiveIn(one), active, 'neither a refused request nor a correction counts');
  t.same(await lastActiveIn(other), active);
  t.equal((await one('GET', '/orgs/acme/users/ann')).body.lastActiveAt, active.ann);
  t.equal((await one('GET', '/orgs/acme/users/bob')).body.lastActiveAt, null);
  const { items } = (await one('GET', '/orgs/acme/groups/eng/members')).body;
  t.equal(items[0].lastActiveAt, active.ann, 'members of a group too');
  const changed = await one('PATCH', '/orgs/acme/users/ann', { name: 'Anna' });
  t.notOk('lastActiveAt' in changed.body);
  await setClock(NOON + 60 * DAY_MS);
  t.same(await lastActiveIn(one), { ann: '2026-05-21T22:00:00.000Z', bob: null }, 'the day in Madrid');
});

onBothLedgers('users are sorted by when they were last active', async (t, replicas) => {
  const { ledger, one: send, setClock } = replicas;
  const ids = async (query: string): Promise<string[]> => {
    const found: string[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const from = cursor === '' ? '' : `&cursor=${cursor}`;
      const { body } = await send('GET', `/orgs/acme/users?${query}&pageSize=2${from}`);
      found.push(...body.items.map(({ id }: { id: string }) => id));
      ({ cursor } = body);
    }
    return found;
  };
  await send('PUT', '/orgs/acme', { name: 'Acme', seats: 100, cycle: MONTH });
  for (const id of ['cat', 'dan', 'eve', 'fay']) await send('POST', '/orgs/acme/users', { id });
  const charged = async (hour: number, ...users: readonly string[]): Promise<void> => {
    await setClock(NOON + hour * HOUR_MS);
    for (const user of users) await charge(ledger, user, 1);
    await foldJournal(ledger, 'acme');
  };
  await charged(1, 'eve', 'ann');
  await charged(2, 'cat');
  const first = ['bob', 'dan', 'fay', 'ann', 'eve', 'cat'];
  t.same(await ids('sort=lastActiveAt'), first, 'first those who were never active, then by id');
  t.same(await ids('sort=-lastActiveAt'), [...first].reverse());
  t.same(await ids('sort=-lastActiveAt&q=a'), ['cat', 'ann', 'fay', 'dan'], 'filtered');
  const members = (await send('GET', '/orgs/acme/groups/eng/members?sort=-lastActiveAt')).body.items;
  t.same(
    members.map(({ id }: { id: string }) => id),
    ['ann', 'bob'],
    'members of a group too',
  );
  await charged(4, 'ann', 'bob');
  await send('DELETE', '/orgs/acme/users/cat');
  const later = ['dan', 'fay', 'eve', 'ann', 'bob'];
  const until = performance.now() + 5_000;
  // The copy is at most two seconds old.
  while ((await ids('sort=lastActiveAt')).join() !== later.join() && performance.now() < until)
    await delay(100);
  t.same(await ids('sort=lastActiveAt'), later, 'later charges count, and a removed user is not listed');
  await send('PATCH', '/orgs/acme/users/cat', { status: 'active' });
  t.same(await ids('sort=lastActiveAt'), ['dan', 'fay', 'eve', 'cat', 'ann', 'bob'], 'a user who returned');
});

t.test('an hour that occurs twice has two starts', async (t) => {
  const start = (hour: string) => new Date(hourStart('2026-10-25', hour, 'Europe/Madrid')).toISOString();
  t.equal(start('T02'), '2026-10-25T00:00:00.000Z');
  t.equal(start('T02+'), '2026-10-25T01:00:00.000Z');
  t.equal(start(''), '2026-10-24T22:00:00.000Z');
});
