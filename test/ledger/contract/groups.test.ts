// A request counts for directory groups and claimed ones, each once and only where it exists; more than 64 are refused.
import type { ReserveOp } from '../../../src/ledger/port.js';
import { fixed, onBoth, reserve, set, type TestOrg } from '../../support/ledgers.js';

const ORG = {
  plans: { usage: 1000 },
  users: { ana: 'a:g1', bob: 'a:g2#3,g1', cy: 'a:' },
  groups: ['g1', 'g3'],
  limits: { 'usage:g:g3': 5 },
};
/** The groups that an admission was charged to. */
async function charged(testOrg: TestOrg, op: ReserveOp): Promise<string> {
  const result = await testOrg.do(op);
  return result.status === 'admitted' ? result.groups : result.status;
}

const one = (user: string, claims = '') => reserve(user, fixed('usage', 1), { claims });

onBoth('claimed groups join those of the directory, each once', ORG, async (t, testOrg) => {
  t.equal(await charged(testOrg, one('ana', 'g3,g1,g3')), 'g1,g3');
  t.equal(await testOrg.line('usage:g:g1'), '1+0');
  t.equal(await testOrg.line('usage:g:g3'), '1+0');
});

onBoth('the limit of a claimed group binds', ORG, async (t, testOrg) => {
  await testOrg.do(reserve('cy', fixed('usage', 5), { claims: 'g3' }));
  t.same(await testOrg.statuses([one('ana', 'g3'), one('ana')]), ['spent', 'admitted']);
});

onBoth('unknown claims are ignored and not stored', ORG, async (t, testOrg) => {
  t.equal(await charged(testOrg, one('cy', 'nobody,g3')), 'g3');
  t.same(Object.keys(await testOrg.fields('groups')), ['g1', 'g3']);
  t.same(Object.keys(await testOrg.fields('consumed:1000000')), ['usage:g:g3', 'usage:o', 'usage:u:cy']);
});

onBoth('a deleted group counts no more, by membership or by claim', ORG, async (t, testOrg) => {
  await testOrg.do(one('ana', 'g3'));
  await testOrg.commit(set('groups', 'g1', '-1;{"name":"g1"}'), set('groups', 'g3', '-1;{"name":"g3"}'));
  t.equal(await charged(testOrg, one('ana', 'g3')), '');
  t.equal(await testOrg.line('usage:g:g1'), '1+0');
});

onBoth(
  'a group that is created again under an old id starts without its old members',
  ORG,
  async (t, testOrg) => {
    t.equal(await charged(testOrg, one('bob')), 'g1', 'g2 does not exist');
    await testOrg.commit(set('groups', 'g2', '3;{"name":"g2"}'));
    t.equal(await charged(testOrg, one('bob')), 'g2,g1');
    await testOrg.commit(set('groups', 'g2', '-4;{"name":"g2"}'));
    t.equal(await charged(testOrg, one('bob')), 'g1');
    await testOrg.commit(set('groups', 'g2', '4;{"name":"g2"}'));
    t.equal(await charged(testOrg, one('bob')), 'g1', 'the membership was in generation 3');
    t.equal(await charged(testOrg, one('bob', 'g2')), 'g1,g2', 'a claim means the present group');
    await testOrg.commit(set('members', 'bob', 'a:g2#4'));
    t.equal(await charged(testOrg, one('bob')), 'g2');
  },
);

const names = (count: number): string[] => Array.from({ length: count }, (_, index) => `m${index}`);
const MANY = {
  plans: { usage: 1000 },
  users: { ana: `a:${names(64).join(',')}`, bob: `a:${names(60).join(',')}` },
  groups: names(70),
};

onBoth('64 groups are counted, more are refused and never cut off', MANY, async (t, testOrg) => {
  t.equal(await charged(testOrg, one('ana')), names(64).join(','));
  t.equal(await testOrg.line('usage:g:m63'), '1+0');
  const before = await testOrg.dump();
  t.same(await testOrg.statuses([one('ana', 'm64'), one('bob', 'm64,m65,m66,m67,m68')]), [
    'too-many-groups',
    'too-many-groups',
  ]);
  t.equal(await testOrg.dump(), before);
  t.same(await testOrg.statuses([one('ana', 'm3,nobody'), one('bob', 'm64,m65,m66,m67')]), [
    'admitted',
    'admitted',
  ]);
});

onBoth(
  'a group of 64 may be the one that refuses',
  { ...MANY, limits: { 'usage:g:m63': 1 } },
  async (t, testOrg) => {
    t.same(await testOrg.statuses([one('ana'), one('ana'), one('bob')]), ['admitted', 'spent', 'admitted']);
  },
);

const strict = (user: string, claims: string) =>
  reserve(user, fixed('usage', 1), { claims, unknownGroups: 'deny' });

onBoth(
  'where unknown groups are denied, all that are claimed must be known, exactly',
  ORG,
  async (t, testOrg) => {
    await testOrg.commit(set('groups', 'g4', '-1;{"name":"g4"}'));
    const before = await testOrg.dump();
    const denied = (groups: string) => ({ status: 'denied', reason: 'unknown-group', groups });
    t.match(await testOrg.do(strict('ana', 'nobody,g3,G1,g4')), denied('nobody,G1,g4'));
    t.match(await testOrg.do(strict('ana', 'g1 ')), denied('g1 '), 'names compare exactly');
    t.equal(await testOrg.dump(), before);
    t.equal(await charged(testOrg, strict('ana', 'g3')), 'g1,g3');
    t.equal(await charged(testOrg, strict('ana', 'g1')), 'g1');
    t.equal(await charged(testOrg, strict('ana', '')), 'g1');
    t.equal(await charged(testOrg, one('cy', 'g3,G3')), 'g3', 'what the answer does not name is unknown');
  },
);

onBoth('strict and lenient claims of the same groups in one call', ORG, async (t, testOrg) => {
  const claims = 'g3,nobody';
  t.same(
    await testOrg.statuses([
      one('ana', claims),
      strict('ana', claims),
      strict('ana', 'g3'),
      one('ana', 'g3'),
    ]),
    ['admitted', 'unknown-group', 'admitted', 'admitted'],
  );
});
