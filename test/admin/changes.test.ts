// A page asks what has changed: each kind of change moves its own stamp, and many pages cost the store no more than one.
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { createOrg } from '../../src/admin/index.js';
import { foldJournal } from '../../src/maintenance/fold.js';
import {
  ACME,
  bound,
  type Json,
  onBothLedgers,
  problem,
  QUOTAS,
  type Send,
  startAcme,
  startAdmin,
} from './support.js';

const LIFE_MS = 1_000;

async function stampsOf(send: Send, etag?: string) {
  return send('GET', '/orgs/acme/changes', undefined, etag === undefined ? {} : { 'if-none-match': etag });
}

function moved(before: Json, after: Json): string[] {
  return Object.keys(before).filter((name) => name !== 'etag' && before[name] !== after[name]);
}

onBothLedgers(
  'a write moves the stamps at once here, and within a second elsewhere',
  async (t, { one, other }) => {
    const [first, elsewhere] = [await stampsOf(one), await stampsOf(other)];
    t.equal(first.headers.get('etag'), first.body.etag);
    t.same(elsewhere.body, first.body);
    const same = await stampsOf(one, first.body.etag);
    t.same([same.status, same.body, same.headers.get('etag')], [304, undefined, first.body.etag]);
    await one('POST', '/orgs/acme/limits', { user: 'ann', quota: 'ai', units: 5 });
    const second = await stampsOf(one, first.body.etag);
    t.same(moved(first.body, second.body), ['directory', 'audit']);
    await delay(LIFE_MS + 100);
    t.same((await stampsOf(other, first.body.etag)).body, second.body);
  },
);

t.test('a charge moves the stamp of consumption, folding it does not', async (t) => {
  const { send, reserve, ledger } = await startAcme(t);
  const first = (await stampsOf(send)).body;
  await reserve('acme', 'ann', { ai: 5 });
  await delay(LIFE_MS + 50);
  const second = (await stampsOf(send)).body;
  t.ok(moved(first, second).includes('consumption'));
  t.equal(await foldJournal(ledger, 'acme'), 1);
  await delay(LIFE_MS + 50);
  t.equal((await stampsOf(send)).body.consumption, second.consumption);
});

t.test('many pages cost the store what one costs', async (t) => {
  let calls = 0;
  const { send, ledger } = await startAdmin(t, (memory) => ({
    ...bound(memory),
    async logBack(org, log, before, count) {
      if (org === 'acme') calls += 1;
      return memory.logBack(org, log, before, count);
    },
  }));
  await createOrg(ledger, { id: 'acme', seed: ACME, quotas: QUOTAS });
  await Promise.all(Array.from({ length: 20 }, () => stampsOf(send)));
  t.equal(calls, 3, 'journal, events and audit');
  t.same(problem(await send('GET', '/orgs/nobody/changes')), [404, 'not-found']);
});
