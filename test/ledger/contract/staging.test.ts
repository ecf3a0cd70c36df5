// Stagings: a change of many fields is written in pieces that nothing reads, and becomes current in one step.
import { commitAll } from '../../../src/ledger/large-commit.js';
import { STAGING_IDLE_MS, type StagedChange } from '../../../src/ledger/port.js';
import { scanAll } from '../../../src/ledger/scan-all.js';
import { BEGIN_MS, del, fixed, incr, onBoth, reserve, set, type TestOrg } from '../../support/ledgers.js';

const ORG = {
  plans: { usage: 100 },
  users: { ana: 'a:eng', bob: 'i:', zoe: 'n:' },
  limits: { 'usage:u:ana': 5, 'usage:u:bob': 7 },
  groups: ['eng'],
  seats: 4,
};

const limit = (field: string, value: string | number): StagedChange => ({
  table: 'limits',
  field: `usage:u:${field}`,
  value: String(value),
});
const member = (field: string, value: string): StagedChange => ({ table: 'members', field, value });

async function begin({ ledger, org }: TestOrg, ...changes: StagedChange[]): Promise<string> {
  const id = await ledger.beginStaging(org);
  if (id === undefined) throw new Error('the org has a staging');
  const outcome = await ledger.stage(org, id, changes);
  if (outcome !== 'ok') throw new Error(`the piece was refused: ${outcome}`);
  return id;
}

const switchTo = ({ ledger, org }: TestOrg, staging: string, ...changes: ReturnType<typeof incr>[]) =>
  ledger.commit(org, { changes, audit: 'switched', staging });

const admitted = async (testOrg: TestOrg, user: string, units: number): Promise<string> =>
  (await testOrg.call([reserve(user, fixed('usage', units))]))[0]?.status ?? '';

onBoth('nothing reads a piece before the switch, and everything reads it after', ORG, async (t, testOrg) => {
  const { ledger, org } = testOrg;
  const before = [await testOrg.fields('limits'), await testOrg.fields('members')];
  const id = await begin(
    testOrg,
    limit('ana', 1),
    limit('bob', ''),
    member('zoe', 'a:'),
    member('yan', 'i:eng'),
  );
  t.same([await testOrg.fields('limits'), await testOrg.fields('members')], before, 'scans leave it out');
  t.equal(await admitted(testOrg, 'ana', 5), 'admitted');
  t.equal(await admitted(testOrg, 'zoe', 1), 'denied');
  t.equal(await testOrg.version(), 1);
  const wants = [
    { table: 'limits', fields: ['usage:u:ana', 'usage:u:bob'] },
    { table: 'members', fields: ['zoe', 'yan', 'ana'] },
  ] as const;
  const after = await ledger.commit(org, { changes: [], audit: 'switched', staging: id, wants });
  const values = [
    ['1', null],
    ['a:', 'i:eng', 'a:eng'],
  ];
  t.match(after, { version: 2, values }, 'the switch reads it');
  t.same((await ledger.read(org, wants)).values, values, 'a read too');
  t.match(await testOrg.call([reserve('ana', fixed('usage', 1))]), [
    { status: 'refused', violated: [{ scope: 'user', limit: 1, consumed: 5 }] },
  ]);
  t.equal(await admitted(testOrg, 'zoe', 1), 'admitted');
  t.match(await testOrg.call([reserve('bob', fixed('usage', 50))]), [{ status: 'admitted' }], 'deleted');
  t.match(await testOrg.call([reserve('yan', fixed('usage', 1))]), [{ status: 'admitted', groups: 'eng' }]);
  t.same(await testOrg.texts('audit'), ['switched']);
  t.equal(await ledger.endStaging(org), true);
  t.same(await testOrg.fields('limits'), { 'usage:u:ana': '1' });
  t.same(await testOrg.fields('members'), { ana: 'a:eng', bob: 'a:', zoe: 'a:', yan: 'a:eng' });
  t.equal(await testOrg.orgField('state'), 'open');
  t.match(await testOrg.call([reserve('ana', fixed('usage', 1))]), [{ status: 'refused' }], 'and in place');
  t.same(await scanAll(ledger, org, 'limits'), new Map([['usage:u:ana', '1']]));
});

onBoth('a correction counts for the groups of the switch', ORG, async (t, testOrg) => {
  const id = await begin(testOrg, member('ana', 'a:'));
  await switchTo(testOrg, id);
  const stated = { user: 'ana', quota: 'usage', action: 'adjustment', mark: 'm', audit: '{}' };
  t.match(await testOrg.do({ kind: 'adjust', units: 1, ...stated }), { outcome: 'corrected', groups: '' });
});

onBoth('groups are staged too', ORG, async (t, testOrg) => {
  const gone: StagedChange = { table: 'groups', field: 'eng', value: '-1;{"name":"eng"}' };
  const made: StagedChange = { table: 'groups', field: 'ops', value: '0;{"name":"ops"}' };
  const id = await begin(testOrg, gone, made, member('bob', 'a:ops'));
  const groups = async (user: string) => (await testOrg.call([reserve(user, fixed('usage', 1))]))[0];
  t.match(await groups('ana'), { groups: 'eng' });
  await switchTo(testOrg, id);
  t.match(await groups('ana'), { groups: '' });
  t.match(await groups('bob'), { groups: 'ops' });
});

onBoth('one at a time, and no other change while it is moved into place', ORG, async (t, testOrg) => {
  const { ledger, org } = testOrg;
  const id = await begin(testOrg, limit('ana', 1));
  t.equal(await ledger.beginStaging(org), undefined);
  t.equal(await ledger.endStaging(org), false, 'it goes on');
  await testOrg.commit(set('limits', 'usage:u:zoe', 3));
  await switchTo(testOrg, id);
  t.equal(await ledger.beginStaging(org), undefined);
  const change = { changes: [set('limits', 'usage:u:ana', 9)], audit: '' };
  t.equal(await ledger.commit(org, change), undefined);
  await ledger.endStaging(org);
  t.ok(await ledger.commit(org, change));
  t.same(await testOrg.fields('limits'), { 'usage:u:ana': '9', 'usage:u:bob': '7', 'usage:u:zoe': '3' });
  const next = await begin(testOrg, limit('ana', 2));
  t.not(next, id);
  t.equal(await ledger.stage(org, id, [limit('ana', 3)]), 'ended');
  t.equal(await switchTo(testOrg, id), undefined);
});

onBoth('a field that is not what it was read as refuses a piece', ORG, async (t, testOrg) => {
  const { ledger, org } = testOrg;
  const id = await begin(testOrg);
  const stage = (field: string, was: string | null) =>
    ledger.stage(org, id, [limit('zoe', 1), { ...limit(field, 1), was }]);
  t.equal(await stage('ana', '4'), 'changed');
  t.equal(await stage('ana', null), 'changed');
  t.equal(await stage('yan', '5'), 'changed');
  t.equal(await stage('yan', null), 'ok');
  t.equal(await stage('ana', '5'), 'ok');
});

onBoth('a later change of a staged field is not undone: the switch is refused', ORG, async (t, testOrg) => {
  const { ledger, org } = testOrg;
  const id = await begin(testOrg, limit('ana', 1));
  await testOrg.commit(set('limits', 'usage:u:ana', 6));
  t.equal(await switchTo(testOrg, id), undefined);
  t.equal(await ledger.endStaging(org, id), true);
  t.same(await testOrg.fields('limits'), { 'usage:u:ana': '6', 'usage:u:bob': '7' });
  t.ok(await switchTo(testOrg, await begin(testOrg, limit('ana', 2))), 'the next one begins anew');
});

onBoth('an abandoned staging has no effect, and is cleaned up', ORG, async (t, testOrg) => {
  const { ledger, org } = testOrg;
  const id = await begin(testOrg, limit('ana', 1), member('yan', 'a:'));
  await testOrg.at(BEGIN_MS + STAGING_IDLE_MS - 1);
  t.equal(await ledger.endStaging(org), false);
  t.equal(await ledger.stage(org, id, []), 'ok', 'each piece keeps it');
  await testOrg.at(BEGIN_MS + 2 * STAGING_IDLE_MS - 2);
  t.equal(await ledger.endStaging(org), false);
  await testOrg.at(BEGIN_MS + 2 * STAGING_IDLE_MS - 1);
  t.match(await ledger.pendingWork(org), { stagingAt: BEGIN_MS + STAGING_IDLE_MS - 1 });
  t.equal(await ledger.endStaging(org), true);
  t.match(await ledger.pendingWork(org), { stagingAt: 0 });
  t.equal(await ledger.stage(org, id, []), 'ended');
  t.equal(await switchTo(testOrg, id), undefined);
  await switchTo(testOrg, await begin(testOrg, limit('zoe', 2)));
  t.match(await ledger.pendingWork(org), { stagingAt: 1 });
  t.equal(await admitted(testOrg, 'ana', 5), 'admitted');
  await ledger.endStaging(org);
  t.same(await testOrg.fields('limits'), { 'usage:u:ana': '5', 'usage:u:bob': '7', 'usage:u:zoe': '2' });
  t.same(await testOrg.fields('members'), { ana: 'a:eng', bob: 'i:', zoe: 'n:' });
});

onBoth('a seat that a staged user took meanwhile counts once', ORG, async (t, testOrg) => {
  const id = await begin(testOrg, member('bob', 'a:'), member('yan', 'a:'), member('zoe', 'a:'));
  t.equal(await admitted(testOrg, 'bob', 1), 'admitted', 'invited');
  t.equal(await admitted(testOrg, 'yan', 1), 'admitted', 'unknown');
  t.equal(await testOrg.orgField('seatsUsed'), '3');
  await switchTo(testOrg, id, incr('org', 'seatsUsed', 3));
  t.equal(await testOrg.orgField('seatsUsed'), '4');
  await testOrg.ledger.endStaging(testOrg.org);
  t.same(await testOrg.fields('members'), { ana: 'a:eng', bob: 'a:', yan: 'a:', zoe: 'a:' });
});

onBoth('who becomes active by a request after the switch stays it', ORG, async (t, testOrg) => {
  await switchTo(testOrg, await begin(testOrg, member('yan', 'i:eng')));
  t.equal(await admitted(testOrg, 'yan', 1), 'admitted');
  await testOrg.ledger.endStaging(testOrg.org);
  t.equal((await testOrg.fields('members')).yan, 'a:eng');
});

onBoth('a commit of any size is one step', ORG, async (t, testOrg) => {
  const { ledger, org } = testOrg;
  const names = Array.from({ length: 900 }, (_, index) => `u${index}`);
  const changes = [
    ...names.flatMap((name) => [set('members', name, 'a:eng'), incr('records', 'members:eng#0', 1)]),
    ...names.map((name) => set('limits', `usage:u:${name}`, 3)),
    del('limits', 'usage:u:bob'),
    set('org', 'seats', ''),
    incr('org', 'seatsUsed', names.length),
    del('consumed:1000000', '!refused:usage:u:ana'),
    del('org', 'next:usage'),
  ];
  await testOrg.commit(set('consumed:1000000', '!refused:usage:u:ana', 5), set('org', 'next:usage', '9:h'));
  t.equal(await commitAll(ledger, org, { version: 1, changes, audit: 'x' }), undefined, 'another version');
  t.same(await testOrg.fields('limits'), { 'usage:u:ana': '5', 'usage:u:bob': '7' });
  const wants = [{ table: 'org', fields: ['seatsUsed', 'next:usage'] }] as const;
  const after = await commitAll(ledger, org, { version: 2, changes, audit: 'all', wants });
  t.match(after, { version: 3, values: [['901', null]] }, 'deletes of other tables are of that step');
  const limits = await testOrg.fields('limits');
  t.equal(Object.keys(limits).length, 901);
  t.match(limits, { u0: undefined, 'usage:u:u0': '3', 'usage:u:u899': '3', 'usage:u:ana': '5' });
  t.same(await testOrg.fields('records'), { 'members:eng#0': '900' });
  t.equal(await testOrg.orgField('seatsUsed'), '901');
  t.same(await testOrg.fields('consumed:1000000'), {});
  t.same(await testOrg.texts('audit'), ['all']);
  t.match(await testOrg.call([reserve('u7', fixed('usage', 4))]), [{ status: 'refused', groups: 'eng' }]);
});

onBoth('an org of any size is created in one step', {}, async (t, testOrg) => {
  const { ledger } = testOrg;
  const names = Array.from({ length: 400 }, (_, index) => `u${index}`);
  const id = await ledger.beginStaging('large');
  t.equal(id, '1');
  t.equal(await ledger.stage('large', '1', [member('u0', 'a:')]), 'ok');
  t.match(await ledger.read('large', []), { version: 0 });
  t.notOk((await ledger.orgs()).includes('large'));
  t.equal(await ledger.pendingWork('large'), undefined);
  await testOrg.at(BEGIN_MS + STAGING_IDLE_MS);
  const org = ['epoch', 'state'].map((field) => set('org', field, 'open'));
  const changes = [...org, ...names.slice(1).map((name) => set('members', name, 'a:'))];
  t.match(await commitAll(ledger, 'large', { version: 0, changes, audit: '' }), { version: 1 });
  t.equal((await scanAll(ledger, 'large', 'members')).size, 399, 'what was abandoned is gone');
  t.ok((await ledger.orgs()).includes('large'));
});

onBoth('a commit expects what was read, and not the version', ORG, async (t, testOrg) => {
  const { ledger, org } = testOrg;
  const attempt = (values: readonly (string | null)[], over = {}) =>
    ledger.commit(org, {
      changes: [set('records', 'x', '1')],
      audit: '',
      expects: [{ table: 'limits', fields: ['usage:u:ana', 'usage:u:yan'], values }],
      ...over,
    });
  for (const values of [
    ['4', null],
    [null, null],
    ['5', '5'],
    ['5', ''],
  ])
    t.equal(await attempt(values), undefined);
  t.ok(await attempt(['5', null]));
  const changes = (was: string | null) => ({ changes: [{ ...set('limits', 'usage:u:ana', 6), was }] });
  t.equal(await attempt(['5', null], changes('4')), undefined);
  t.equal(await attempt(['5', null], changes(null)), undefined);
  t.ok(await attempt(['5', null], changes('5')));
  t.equal(await attempt(['6', null], { changes: [{ ...incr('org', 'seatsUsed', 2), most: 2 }] }), undefined);
  t.ok(await attempt(['6', null], { changes: [{ ...incr('org', 'seatsUsed', 2), most: 3 }] }));
  t.equal(await testOrg.orgField('seatsUsed'), '3');
  t.equal(await testOrg.orgField('limitsVersion'), '2', 'counts changes of limits');
  t.equal(await ledger.commit('nobody', { changes: [], audit: '' }), undefined, 'the org must exist');
});
