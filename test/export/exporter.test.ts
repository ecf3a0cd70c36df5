// Every journal entry reaches every target; what a target lacks is kept, up to a bound.
import { Webhook } from 'standardwebhooks';
import type { Target } from '../../src/export/target.js';
import { type HttpTargetOptions, httpTarget } from '../../src/export/targets/http.js';
import { encodeRefusal } from '../../src/ledger/codec.js';
import { charges } from '../../src/quota/charge.js';
import { type EventReceiver, unitsByUser } from '../support/event-receiver.js';
import { NOON, onBothExported, QUOTAS } from './support.js';

/** Entries younger than this may still be lost by the store. */
const OLD_MS = 2_000;

function targetOf({ url }: EventReceiver, over: Partial<HttpTargetOptions> = {}): Target {
  return httpTarget({ name: 'bills', url, batchEvents: 500, timeoutMs: 2_000, ...over });
}

onBothExported('each charge, refund, correction and refusal is an event', async (t, exported) => {
  const receiver = await exported.receiver();
  const replica = exported.replica({ targets: [targetOf(receiver)] });
  const two = charges('maps', [
    { quota: 'usage', units: 25, kind: 'fixed' },
    { quota: 'ai', units: 7, kind: 'fixed' },
  ]);
  const admission = {
    kind: 'reserve',
    user: 'ana',
    claims: '',
    charges: two,
    hold: '',
    ttlMs: 60_000,
  } as const;
  await exported.call(admission);
  await exported.call({ kind: 'reserve', user: 'b%20c', claims: '', charges: two, hold: '', ttlMs: 60_000 });
  const refusal = {
    at: NOON,
    user: 'bob',
    action: 'maps',
    quota: 'ai',
    scope: 'user',
    group: '',
    count: 3,
  } as const;
  await exported.call({ kind: 'refusals', lines: encodeRefusal(refusal) });
  const correction = { kind: 'adjust', user: 'ana', quota: 'ai', units: -3, action: 'adjustment' } as const;
  await exported.call({ ...correction, mark: 'm', audit: '' });
  await exported.wait(OLD_MS);
  await exported.settle(replica);
  const shown = receiver.events().map(({ type, subject, data }) => [type, subject, data]);
  const charge = { org: 'acme', action: 'maps', model: null, key: null, estimated: false };
  t.match(shown, [
    [
      'quotagate.charge',
      'ana',
      { ...charge, user: 'ana', groups: ['eng'], quota: 'usage', units: 2.5, raw: 2.5 },
    ],
    ['quotagate.charge', 'ana', { ...charge, user: 'ana', groups: ['eng'], quota: 'ai', units: 7, raw: 7 }],
    ['quotagate.charge', 'b c', { ...charge, user: 'b c', groups: [], quota: 'usage', units: 2.5 }],
    ['quotagate.charge', 'b c', { ...charge, user: 'b c', quota: 'ai', units: 7 }],
    [
      'quotagate.refusal',
      'bob',
      {
        org: 'acme',
        user: 'bob',
        groups: [],
        quota: 'ai',
        action: 'maps',
        count: 3,
        scope: 'user',
        group: null,
      },
    ],
    ['quotagate.adjustment', 'ana', { quota: 'ai', units: -3, raw: -3, action: 'adjustment' }],
  ]);
  const [first, second] = receiver.events();
  t.match(first, {
    specversion: '1.0',
    source: '/test/orgs/acme',
    time: '2026-05-22T10:00:00.000Z',
    datacontenttype: 'application/json',
    id: /^\d+-\d+\.0\.0$/,
  });
  t.equal(second?.id, first?.id.replace(/0$/, '1'), 'one event for each quota');
  t.equal(receiver.batches[0]?.headers['content-type'], 'application/cloudevents-batch+json; charset=UTF-8');
});

onBothExported('model, raw amount and estimate are told', async (t, exported) => {
  const receiver = await exported.receiver();
  const replica = exported.replica({ targets: [targetOf(receiver)] });
  const hold = charges('chat', [{ quota: 'ai', units: 100, kind: 'held' }]);
  const call = { kind: 'reserve', user: 'ana', claims: '', hold: 'h1', ttlMs: 60_000 } as const;
  await exported.call({ ...call, charges: { ...hold, model: 'gpt' } });
  await exported.call({ kind: 'settle', hold: 'h1', units: [40], raws: [50], estimated: true, model: 'gpt' });
  await exported.wait(OLD_MS);
  await exported.settle(replica);
  t.match(receiver.events(), [
    { type: 'quotagate.charge', data: { quota: 'ai', units: 40, raw: 50, model: 'gpt', estimated: true } },
  ]);
});

onBothExported('a young entry waits: the store may still lose it', async (t, exported) => {
  if (exported.ledger.name === 'redis') return void t.pass('the ids of its entries are from the real clock');
  const receiver = await exported.receiver();
  const replica = exported.replica({ targets: [targetOf(receiver)] });
  await exported.until(async () => (await exported.noted('bills')) !== undefined, replica);
  await exported.use('ana', 1);
  await exported.wait(OLD_MS - 1);
  await exported.visit(replica);
  t.same(receiver.batches, []);
  await exported.wait(1);
  await exported.settle(replica);
  t.equal(receiver.batches.length, 1);
});

onBothExported('a receiver that fails gets all of it later, under the same ids', async (t, exported) => {
  const receiver = await exported.receiver();
  for (let units = 1; units <= 5; units += 1) await exported.use('ana', units);
  await exported.wait(OLD_MS);
  // Each attempt by a new process: one that has failed waits longer each time.
  const attempt = async (status: number, slowMs: number) => {
    Object.assign(receiver, { status, slowMs });
    const replica = exported.replica({ targets: [targetOf(receiver, { batchEvents: 2, timeoutMs: 300 })] });
    await exported.until(() => replica.notes.failed.length > 0, replica);
    return replica;
  };
  const failed: string[] = [];
  for (const status of [503, 301, 0]) {
    const { exporter, notes } = await attempt(status, 0);
    failed.push(...notes.failed);
    await exporter.close();
  }
  const replica = await attempt(202, 400);
  failed.push(...replica.notes.failed);
  t.match(failed, [/answered 503/, /answered 301/, /closed|socket|reset/i, /timeout/i]);
  t.match(await exported.noted('bills'), { last: '', error: /timeout/i });
  t.ok(replica.notes.lagging);
  t.equal(await exported.fold(), 5);
  t.equal(await exported.journalLength(), 5, 'folded, and kept');
  receiver.slowMs = 0;
  await exported.settle(replica);
  t.same(unitsByUser(receiver.events()), { ana: 1.5 });
  t.same(new Set(receiver.batches.slice(0, 4).map(({ text }) => text)).size, 1, 'the same batch each time');
  t.equal(receiver.events().length, 5);
  t.match(await exported.noted('bills'), { error: '', lost: 0 });
  t.equal(await exported.journalLength(), 0);
});

onBothExported('requests carry the bearer and a signature', async (t, exported) => {
  const receiver = await exported.receiver();
  const secret = `whsec_${Buffer.from('a secret of 24 bytes, ok').toString('base64')}`;
  let token = 'first';
  const target = targetOf(receiver, { batchEvents: 1, bearer: () => token, secret: () => secret });
  const replica = exported.replica({ targets: [target] });
  await exported.use('ana', 1);
  await exported.wait(OLD_MS);
  await exported.settle(replica);
  token = 'second';
  await exported.use('ana', 1);
  await exported.wait(OLD_MS);
  await exported.settle(replica);
  t.same(
    receiver.batches.map(({ headers }) => headers.authorization),
    ['Bearer first', 'Bearer second'],
  );
  for (const { text, headers } of receiver.batches)
    t.ok(new Webhook(secret).verify(text, headers as Record<string, string>));
});

onBothExported('past the bound in bytes, entries are lost, counted and skipped', async (t, exported) => {
  const receiver = await exported.receiver();
  receiver.status = 500;
  const first = exported.replica({ targets: [targetOf(receiver)] });
  await exported.until(async () => (await exported.noted('bills')) !== undefined, first);
  await first.exporter.close();
  const [ENTRIES, LINES] = [120, 20];
  const cost = charges('maps', [{ quota: 'usage', units: 1, kind: 'fixed' }]);
  const op = { kind: 'reserve', user: 'ana', claims: '', charges: cost, hold: '', ttlMs: 60_000 } as const;
  const entry = Array.from({ length: LINES }, () => op);
  for (let count = 0; count < ENTRIES; count += 1) await exported.call(...entry);
  await exported.wait(OLD_MS);
  const bytes = async () => (await exported.ledger.pendingWork('acme'))?.journalBytes ?? 0;
  const all = await bytes();
  t.ok(all > 30 * ENTRIES * LINES && all < 100 * ENTRIES * LINES, `${all} bytes`);
  const keepBytes = Math.round(all / 2);
  const replica = exported.replica({ targets: [targetOf(receiver)], keepBytes });
  await exported.visit(replica);
  t.equal(replica.notes.lost, 0, 'what is not in the history is not deleted');
  await exported.fold();
  await exported.until(async () => (await bytes()) <= keepBytes, replica);
  const kept = await exported.journalLength();
  t.equal(kept + replica.notes.lost, ENTRIES);
  t.ok(kept > 0.3 * ENTRIES && kept < 0.6 * ENTRIES, `${kept} of ${ENTRIES} entries in half of the memory`);
  receiver.status = 200;
  await replica.exporter.close();
  const before = receiver.batches.length;
  await exported.settle(exported.replica({ targets: [targetOf(receiver)] }));
  t.equal(receiver.batches.slice(before).flatMap(({ events }) => events).length, kept * LINES);
  t.match(await exported.noted('bills'), { lost: ENTRIES - kept, error: '' });
});

onBothExported('a target that fails does not hold up another', async (t, exported) => {
  const [down, up] = [await exported.receiver(), await exported.receiver()];
  down.status = 500;
  const targets = [targetOf(down), targetOf(up, { name: 'archive' })];
  const replica = exported.replica({ targets });
  await exported.use('ana', 3);
  await exported.wait(OLD_MS);
  await exported.until(() => up.batches.length > 0, replica);
  t.same(unitsByUser(up.events()), { ana: 0.3 });
});

onBothExported(
  'a target that left the config is forgotten an hour after its last attempt',
  async (t, exported) => {
    const receiver = await exported.receiver();
    await exported.use('ana', 3);
    const before = exported.replica({ targets: [targetOf(receiver)] });
    await exported.until(async () => (await exported.noted('bills')) !== undefined, before);
    await before.exporter.close();
    const after = exported.replica({ targets: [] });
    await exported.use('ana', 4);
    await exported.fold();
    await exported.wait(3_599_000);
    await exported.visit(after);
    t.not(await exported.noted('bills'), undefined);
    await exported.wait(1_001);
    await exported.until(async () => (await exported.noted('bills')) === undefined, after);
    await exported.until(async () => (await exported.journalLength()) === 0, after);
  },
);

onBothExported('a quota that the config no longer has keeps its decimals', async (t, exported) => {
  const receiver = await exported.receiver();
  await exported.use('ana', 25);
  const replica = exported.replica({ targets: [targetOf(receiver)], quotas: { ai: QUOTAS.ai } });
  await exported.wait(OLD_MS);
  await exported.settle(replica);
  t.same(unitsByUser(receiver.events()), { ana: 2.5 });
});

onBothExported('two replicas export each entry once', async (t, exported) => {
  const receiver = await exported.receiver();
  receiver.slowMs = 30;
  const replicas = [1, 2].map(() => exported.replica({ targets: [targetOf(receiver, { batchEvents: 3 })] }));
  for (let count = 0; count < 20; count += 1) await exported.use('ana', 1);
  await exported.wait(OLD_MS);
  if (exported.ledger.name === 'embedded') return void t.pass('one process has this ledger');
  await exported.settle(...replicas);
  const ids = receiver.batches.flatMap(({ events }) => events.map(({ id }) => id));
  t.equal(ids.length, 20);
  t.equal(new Set(ids).size, 20);
});
