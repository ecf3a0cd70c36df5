// Users are invited, active, inactive or removed; unknown ones are registered or denied; active users take seats.
import { fixed, onBoth, reserve, set } from '../../support/ledgers.js';

const ORG = {
  plans: { usage: 100 },
  users: { ana: 'a:', ivy: 'i:g1', ned: 'n:', ray: 'r:' },
  groups: ['g1'],
};
const one = (user: string) => reserve(user, fixed('usage', 1));
const DENY = { unknownUsers: 'deny' } as const;

onBoth('an unknown user is registered at first sight, and takes a seat', ORG, async (t, testOrg) => {
  const version = await testOrg.version();
  t.same(await testOrg.statuses([one('zed'), one('zed')]), ['admitted', 'admitted']);
  t.equal((await testOrg.fields('members')).zed, 'a:');
  t.equal(await testOrg.orgField('seatsUsed'), '2');
  t.equal(await testOrg.version(), version, 'commits of others go on');
});

onBoth('a refused request registers its user all the same', ORG, async (t, testOrg) => {
  t.same(await testOrg.statuses([reserve('zed', fixed('usage', 101))]), ['spent']);
  t.equal((await testOrg.fields('members')).zed, 'a:');
});

onBoth('or an unknown user is denied, and nothing is stored', ORG, async (t, testOrg) => {
  const before = await testOrg.dump();
  t.same(await testOrg.statuses([one('zed')], DENY), ['unknown-user']);
  t.equal(await testOrg.dump(), before);
});

onBoth(
  'a reservation without charges does not register the user',
  { ...ORG, seats: 2 },
  async (t, testOrg) => {
    const before = await testOrg.dump();
    t.same(await testOrg.statuses([reserve('zed', []), reserve('ivy', [])]), ['admitted', 'admitted']);
    t.same(await testOrg.statuses([reserve('ned', [])]), ['inactive-user']);
    t.equal(await testOrg.dump(), before);
  },
);

onBoth('an invited user becomes active at first sight, in either case', ORG, async (t, testOrg) => {
  t.match(await testOrg.do(one('ivy'), DENY), { status: 'admitted', groups: 'g1' });
  t.equal((await testOrg.fields('members')).ivy, 'a:g1');
  t.equal(await testOrg.orgField('seatsUsed'), '2');
});

onBoth('inactive and removed users are denied, and their counters stay', ORG, async (t, testOrg) => {
  await testOrg.do(one('ana'));
  t.same(await testOrg.statuses([one('ned'), one('ray')]), ['inactive-user', 'inactive-user']);
  for (const status of ['n:', 'r:']) {
    await testOrg.commit(set('members', 'ana', status));
    t.same(await testOrg.statuses([one('ana')]), ['inactive-user']);
    t.equal(await testOrg.line('usage:u:ana'), '1+0');
  }
  await testOrg.commit(set('members', 'ana', 'a:'));
  t.same(await testOrg.statuses([one('ana')]), ['admitted']);
});

onBoth(
  'without a free seat no new user is admitted, and nothing is stored',
  { ...ORG, seats: 2 },
  async (t, testOrg) => {
    t.same(await testOrg.statuses([one('zed')]), ['admitted']);
    const before = await testOrg.dump();
    t.same(await testOrg.statuses([one('yves'), one('ivy')]), ['no-seat', 'no-seat']);
    t.equal(await testOrg.dump(), before);
    t.same(
      await testOrg.statuses([one('ana'), one('zed')]),
      ['admitted', 'admitted'],
      'who has a seat keeps it',
    );
  },
);

onBoth('two users in one call do not share the last seat', { ...ORG, seats: 2 }, async (t, testOrg) => {
  t.same(await testOrg.statuses([one('yves'), one('zed'), one('yves')]), ['admitted', 'no-seat', 'admitted']);
  t.equal(await testOrg.orgField('seatsUsed'), '2');
});

onBoth('an archived org denies every reservation', ORG, async (t, testOrg) => {
  await testOrg.commit(set('org', 'state', 'archived'));
  const before = await testOrg.dump();
  t.same(await testOrg.statuses([one('ana'), one('zed')]), ['org-archived', 'org-archived']);
  t.equal(await testOrg.dump(), before);
});
