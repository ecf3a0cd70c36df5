// Lists come from copies that follow the journal and the change feed: equal to the store, whatever happened to it meanwhile.
import t from 'tap';
import { OrgCopy } from '../../src/admin/snapshots/org-copy.js';
import { FEED_KEPT } from '../../src/ledger/change-feed.js';
import type { Change, Ledger, Table } from '../../src/ledger/port.js';
import { scanAll } from '../../src/ledger/scan-all.js';
import { foldJournal } from '../../src/maintenance/fold.js';
import { charges } from '../../src/quota/charge.js';
import { applyNow, onBothLedgers, QUOTAS, startAcme } from './support.js';

const QUOTA_IDS = Object.keys(QUOTAS);

function use(user: string, units: number, hold = '') {
  const kind = hold === '' ? 'fixed' : 'held';
  const items = [{ quota: 'usage', units, kind }] as const;
  return { kind: 'reserve', user, claims: '', charges: charges('maps', items), hold, ttlMs: 60_000 } as const;
}

async function commit(ledger: Ledger, ...changes: Change[]): Promise<void> {
  const { version } = await ledger.read('acme', []);
  await ledger.commit('acme', { version, changes, audit: '' });
}

async function namesOf(ledger: Ledger): Promise<Table[]> {
  const { values } = await ledger.read('acme', [{ table: 'org', fields: ['start'] }]);
  const start = Number(values[0]?.[0]);
  return ['members', 'limits', 'groups', 'records', `consumed:${start}`, `held:${start}`];
}

onBothLedgers('a copy equals the tables after every kind of change', async (t, { ledger }) => {
  const names = await namesOf(ledger);
  const copy = new OrgCopy(ledger, 'acme', QUOTA_IDS);
  const equals = async (what: string): Promise<void> => {
    await copy.refresh({ names, withUsers: true });
    for (const name of names) {
      const stored = Object.fromEntries(await scanAll(ledger, 'acme', name));
      t.same(Object.fromEntries(copy.get(name) ?? []), stored, `${what}: ${name}`);
    }
    for (const { userKey, consumed } of copy.users?.values() ?? [])
      t.equal(
        consumed[0],
        Number(copy.get(names[4] ?? 'org')?.get(`usage:u:${userKey}`) ?? 0),
        `${what}: ${userKey}`,
      );
  };
  await equals('at first');
  await applyNow(ledger, 'acme', [use('ann', 10), use('bob', 20), use('ann', 5)]);
  await equals('after charges');
  await applyNow(ledger, 'acme', [use('ann', 7, 'h1'), use('zed', 3)]);
  await equals('with a hold and a registered user');
  t.equal(copy.users?.get('zed')?.member.status, 'active');
  await applyNow(ledger, 'acme', [{ kind: 'settle', hold: 'h1', units: [4], estimated: false }]);
  await equals('after a settlement');
  await commit(
    ledger,
    { set: 'limits', field: 'usage:u:ann', value: '50' },
    { set: 'records', field: 'user:ann', value: JSON.stringify({ name: 'Ann Other' }) },
  );
  await equals('after a commit');
  t.equal(copy.users?.get('ann')?.profile.name, 'Ann Other');
  await commit(ledger, { del: 'limits', field: 'usage:u:ann' }, { del: 'members', field: 'zed' });
  await equals('after a deletion');
  t.equal(copy.users?.get('zed'), undefined);
  const many = Array.from({ length: 600 }, (_, index): Change => {
    return { set: 'limits', field: `usage:u:u${index}`, value: '1' };
  });
  await commit(ledger, ...many);
  await equals('after a commit of many fields');
  await applyNow(ledger, 'acme', [use('bob', 1)]);
  await foldJournal(ledger, 'acme');
  await applyNow(ledger, 'acme', [use('bob', 2)]);
  await equals('after entries were folded unseen');
});

t.test('a copy that missed part of the feed is read again', async (t) => {
  const { ledger } = await startAcme(t);
  const copy = new OrgCopy(ledger, 'acme', QUOTA_IDS);
  await copy.refresh({ names: ['members'], withUsers: false });
  for (let index = 0; index < FEED_KEPT + 300; index += 1)
    await commit(ledger, { set: 'members', field: `u${index}`, value: 'a:' });
  await copy.refresh({ names: [], withUsers: false });
  t.equal(copy.get('members')?.size, FEED_KEPT + 300 + 2);
});

t.test('changes during the first scan are in the copy', async (t) => {
  const { ledger } = await startAcme(t);
  const [name = 'members'] = (await namesOf(ledger)).slice(4);
  let scans = 0;
  const slow = Object.assign(Object.create(ledger) as Ledger, {
    async scan(...args: Parameters<Ledger['scan']>) {
      const page = await ledger.scan(...args);
      scans += 1;
      await applyNow(ledger, 'acme', [use('ann', 10)]);
      await commit(ledger, { set: 'limits', field: `usage:u:u${scans}`, value: '1' });
      return page;
    },
  });
  const copy = new OrgCopy(slow, 'acme', QUOTA_IDS);
  await copy.refresh({ names: ['limits', name], withUsers: false });
  t.equal(copy.get(name)?.get('usage:u:ann'), String(10 * scans));
  t.equal(copy.get('limits')?.size, scans);
});

t.test('a warm list reads no table again, and shows this replica’s own writes at once', async (t) => {
  let scans = 0;
  const { send, ledger, reserve } = await startAcme(t);
  const scan = ledger.scan.bind(ledger);
  ledger.scan = async (...args) => {
    if (!args[1].startsWith('held:')) scans += 1;
    return scan(...args);
  };
  await send('GET', '/orgs/acme/users');
  const cold = scans;
  t.ok(cold > 0);
  await reserve('acme', 'ann', { usage: 10 });
  await send('POST', '/orgs/acme/users', { id: 'eve', name: 'Eve' });
  const { body } = await send('GET', '/orgs/acme/users?sort=-consumed:usage');
  t.same(
    body.items.map(({ id, quotas }: { id: string; quotas: { usage: { consumed: number } } }) => [
      id,
      quotas.usage.consumed,
    ]),
    [
      ['ann', 1],
      ['eve', 0],
      ['bob', 0],
    ],
  );
  t.equal(scans, cold, 'nothing but held units was scanned again');
  t.ok(body.snapshotAgeMs <= 2_000);
});
