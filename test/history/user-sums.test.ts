// Sums of users that are kept current: exact whatever is charged and folded while they are read, and read again when they missed entries.
import t from 'tap';
import { LiveHistory } from '../../src/history/live-history.js';
import { queryHistory } from '../../src/history/query.js';
import type { Ledger } from '../../src/ledger/port.js';
import { foldJournal } from '../../src/maintenance/fold.js';
import { onBothMaintained } from '../maintenance/support.js';
import { fixed, reserve, set } from '../support/ledgers.js';

const USERS = Object.fromEntries(Array.from({ length: 8 }, (_, index) => [`u${index}`, 'a:g1'] as const));
const ORG = { plans: { usage: 100_000 }, users: USERS, groups: ['g1'] };
const RULE = { every: 'hour', anchor: 0, timeZone: 'UTC' } as const;
const DAYS = { from: '1970-01-01', to: '1970-01-02' };
const QUERY = { ...DAYS, org: 'acme', rule: RULE, by: 'total', groupBy: ['user'], only: {} } as const;

async function readOf(ledger: Ledger): Promise<Record<string, number>> {
  const rows = await queryHistory(ledger, QUERY);
  return Object.fromEntries(rows.map(({ at, units }) => [at.user, units]));
}

async function keptOf(live: LiveHistory): Promise<Record<string, number>> {
  const users = [...(await live.userSums(QUERY)).values()];
  const sorted = users.sort((a, b) => (a.user < b.user ? -1 : 1));
  return Object.fromEntries(sorted.map(({ user, sums }) => [user, sums[0]?.units ?? 0]));
}

onBothMaintained('kept sums equal the history', t, async (t, maintained) => {
  const org = await maintained.seed('acme', ORG);
  await org.commit(set('org', 'rule', JSON.stringify(QUERY.rule)));
  const chargeAll = async (units: number): Promise<void> => {
    await org.call(Object.keys(USERS).map((user) => reserve(user, fixed('usage', units))));
  };
  let scans = 0;
  // After the tail was read and before the texts of the users are, charges come and are folded; the tail is read again meanwhile.
  const busy = Object.assign(Object.create(org.ledger) as Ledger, {
    async scan(...args: Parameters<Ledger['scan']>) {
      scans += 1;
      await chargeAll(10);
      await live.tail({ org: 'acme', timeZone: 'UTC' });
      await foldJournal(org.ledger, 'acme');
      await chargeAll(100);
      return org.ledger.scan(...args);
    },
  });
  await chargeAll(1);
  await foldJournal(org.ledger, 'acme');
  await chargeAll(2);
  const live: LiveHistory = new LiveHistory(busy);
  t.teardown(() => live.close());
  const first = await keptOf(live);
  t.ok(
    Object.values(first).every((units) => units === 113),
    JSON.stringify(first),
  );
  t.same(await keptOf(live), await readOf(org.ledger), 'followed');
  await chargeAll(5);
  t.same(await keptOf(live), await readOf(org.ledger), 'to the last request');
  t.equal(scans, 1, 'the texts were read once');
  await chargeAll(7);
  await foldJournal(org.ledger, 'acme');
  await keptOf(live);
  t.equal(scans, 2, 'entries were folded unseen: read again');
  t.same(await keptOf(live), await readOf(org.ledger));
});
