// Sections of users have numbers in place of the ids of groups: by group, the history stays what was charged, also beside sections of
// earlier versions, which have the ids.
import t from 'tap';
import { GROUPS_TABLE } from '../../src/history/group-numbers.js';
import { LiveHistory } from '../../src/history/live-history.js';
import { userDetail, userName } from '../../src/history/names.js';
import { addCell, emptyPacked, pack } from '../../src/history/packed.js';
import { queryHistory } from '../../src/history/query.js';
import type { HistoryStore } from '../../src/history/reader.js';
import type { Table } from '../../src/ledger/port.js';
import { foldJournal } from '../../src/maintenance/fold.js';
import { onBothMaintained } from '../maintenance/support.js';
import { fixed, reserve, set, type TestOrg } from '../support/ledgers.js';

const TEN = Array.from({ length: 10 }, (_, index) => `department-${10 + index}`);
const USERS = { ana: `a:${TEN.join(',')}`, bob: 'a:department-11', eve: 'a:' };
const ORG = { plans: { usage: 100_000 }, users: USERS, groups: TEN };
const RULE = { every: 'hour', anchor: 0, timeZone: 'UTC' } as const;
const DAYS = { org: 'acme', rule: RULE, from: '1970-01-01', to: '1970-01-02' } as const;
const HOURS_TABLE: Table = 'history:userhours:1970-01-01';

/** Units by user and group. */
async function byGroup(
  store: HistoryStore,
  only: Record<string, string> = {},
): Promise<Record<string, number>> {
  const query = { ...DAYS, by: 'hour', groupBy: ['user', 'group'], only } as const;
  const rows = await queryHistory(store, query);
  return Object.fromEntries(rows.map(({ at, units }) => [`${at.user} ${at.group}`, units]));
}

function ofAna(units: number, groups: readonly string[] = TEN): Record<string, number> {
  return Object.fromEntries(groups.map((group) => [`ana ${group}`, units]));
}

async function begin(org: TestOrg): Promise<void> {
  await org.commit(set('org', 'rule', JSON.stringify(RULE)));
}

const use = (user: string, units: number) => reserve(user, fixed('usage', units));

onBothMaintained('ten groups of a user take ten numbers', t, async (t, maintained) => {
  const org = await maintained.seed('acme', ORG);
  await begin(org);
  await org.call([use('ana', 3), use('bob', 2), use('eve', 1)]);
  const expected = { ...ofAna(3), 'bob department-11': 2 };
  t.same(await byGroup(org.ledger), expected, 'of the journal');
  await foldJournal(org.ledger, 'acme');
  t.same(await byGroup(org.ledger), expected, 'of the texts');
  const { ana = '', eve = '' } = await org.fields(HOURS_TABLE);
  t.match(ana, /;usage\|maps\|\|\|#[A-J]{10}:/);
  t.match(eve, /;usage\|maps\|\|\|:/, 'no group, no number');
  await org.call([use('ana', 4)]);
  t.same(await byGroup(org.ledger, { user: 'ana' }), ofAna(7), 'of both');
  await foldJournal(org.ledger, 'acme');
  t.same(await byGroup(org.ledger, { group: 'department-11' }), {
    'ana department-11': 7,
    'bob department-11': 2,
  });
  const live = new LiveHistory(org.ledger);
  t.teardown(() => live.close());
  const query = { ...DAYS, by: 'total', groupBy: ['user'], only: { group: 'department-19' } } as const;
  t.same([...(await live.userSums(query)).keys()], ['ana'], 'kept sums of a group');
});

onBothMaintained('a group keeps its number; later groups get the next', t, async (t, maintained) => {
  const org = await maintained.seed('acme', ORG);
  await begin(org);
  await org.call([use('bob', 1)]);
  await foldJournal(org.ledger, 'acme');
  const first = await org.fields(GROUPS_TABLE);
  t.same(first, { 'g:department-11': '0', 'n:0': 'department-11', count: '1' });
  await org.call([use('ana', 1)]);
  await Promise.all([1, 2, 3].map(() => foldJournal(org.ledger, 'acme')));
  await foldJournal(org.ledger, 'acme');
  const all = await org.fields(GROUPS_TABLE);
  t.match(all, { ...first, count: '10' });
  for (let number = 0; number < 10; number += 1) t.equal(all[`g:${all[`n:${number}`]}`], String(number));
  t.same(await byGroup(org.ledger), { ...ofAna(1), 'bob department-11': 1 });
});

onBothMaintained('texts of earlier versions have the ids of groups', t, async (t, maintained) => {
  const org = await maintained.seed('acme', ORG);
  await begin(org);
  const old = emptyPacked();
  addCell(old, userName('usage', 'maps', '', userDetail('', ['department-10', 'gone'])), 0, {
    units: 5,
    raw: 5,
  });
  const puts = [{ table: HOURS_TABLE, field: 'ana', value: pack(old) }];
  await org.call([use('eve', 1)]);
  const [entry] = await org.ledger.log('acme', 'journal', '', 1);
  await org.ledger.fold('acme', { from: '', to: entry?.id ?? '', puts });
  t.same(await byGroup(org.ledger), ofAna(5, ['department-10', 'gone']));
  await org.call([use('ana', 2)]);
  await foldJournal(org.ledger, 'acme');
  t.same(await byGroup(org.ledger), { ...ofAna(2), 'ana department-10': 7, 'ana gone': 5 });
});

onBothMaintained('a number that the org has not given is an error', t, async (t, maintained) => {
  const org = await maintained.seed('acme', ORG);
  await begin(org);
  await org.call([use('eve', 1)]);
  const [entry] = await org.ledger.log('acme', 'journal', '', 1);
  const puts = [{ table: HOURS_TABLE, field: 'ana', value: 'AA;usage|maps|||#F:AB' }];
  await org.ledger.fold('acme', { from: '', to: entry?.id ?? '', puts });
  await t.rejects(byGroup(org.ledger), /the history of acme has no group number 5/);
  const { length } = await queryHistory(org.ledger, { ...DAYS, by: 'hour', groupBy: ['user'], only: {} });
  t.equal(length, 1, 'without groups, it is read');
});
