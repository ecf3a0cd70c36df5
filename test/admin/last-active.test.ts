// When users were last active: from the history, by the hour, then by the day.
import t from 'tap';
import { encodeRefusal } from '../../src/ledger/codec.js';
import type { Ledger } from '../../src/ledger/port.js';
import { foldJournal } from '../../src/maintenance/fold.js';
import { charges } from '../../src/quota/charge.js';
import { hourStart } from '../../src/quota/cycle.js';
import { applyNow, NOON, onBothLedgers, type Send } from './support.js';

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

t.test('an hour that occurs twice has two starts', async (t) => {
  const start = (hour: string) => new Date(hourStart('2026-10-25', hour, 'Europe/Madrid')).toISOString();
  t.equal(start('T02'), '2026-10-25T00:00:00.000Z');
  t.equal(start('T02+'), '2026-10-25T01:00:00.000Z');
  t.equal(start(''), '2026-10-24T22:00:00.000Z');
});
