// Users are invited, active, inactive or removed; unknown ones are registered or denied; active users take seats.
import { fixed, onBoth, reserve, set } from '../../support/ledgers.js';

const BOOK = {
  plans: { usage: 100 },
  users: { ana: 'a:', ivy: 'i:g1', ned: 'n:', ray: 'r:' },
  groups: ['g1'],
};
const one = (user: string) => reserve(user, fixed('usage', 1));
const DENY = { unknownUsers: 'deny' } as const;

onBoth('an unknown user is registered at first sight, and takes a seat', BOOK, async (t, book) => {
  const version = await book.version();
  t.same(await book.told([one('zed'), one('zed')]), ['admitted', 'admitted']);
  t.equal((await book.fields('members')).zed, 'a:');
  t.equal(await book.orgField('seatsUsed'), '2');
  t.equal(await book.version(), version + 1, 'a registration is a change of the directory');
});

onBoth('a refused request registers its user all the same', BOOK, async (t, book) => {
  t.same(await book.told([reserve('zed', fixed('usage', 101))]), ['spent']);
  t.equal((await book.fields('members')).zed, 'a:');
});

onBoth('or an unknown user is denied, and nothing is stored', BOOK, async (t, book) => {
  const before = await book.dump();
  t.same(await book.told([one('zed')], DENY), ['unknown-user']);
  t.equal(await book.dump(), before);
});

onBoth('an invited user becomes active at first sight, in either case', BOOK, async (t, book) => {
  t.match(await book.do(one('ivy'), DENY), { status: 'admitted', groups: 'g1' });
  t.equal((await book.fields('members')).ivy, 'a:g1');
  t.equal(await book.orgField('seatsUsed'), '2');
});

onBoth('inactive and removed users are denied, and their counters stay', BOOK, async (t, book) => {
  await book.do(one('ana'));
  t.same(await book.told([one('ned'), one('ray')]), ['inactive-user', 'inactive-user']);
  for (const status of ['n:', 'r:']) {
    await book.commit(set('members', 'ana', status));
    t.same(await book.told([one('ana')]), ['inactive-user']);
    t.equal(await book.line('usage:u:ana'), '1+0');
  }
  await book.commit(set('members', 'ana', 'a:'));
  t.same(await book.told([one('ana')]), ['admitted']);
});

onBoth(
  'without a free seat nobody new gets in, and nothing is stored',
  { ...BOOK, seats: 2 },
  async (t, book) => {
    t.same(await book.told([one('zed')]), ['admitted']);
    const before = await book.dump();
    t.same(await book.told([one('yves'), one('ivy')]), ['no-seat', 'no-seat']);
    t.equal(await book.dump(), before);
    t.same(await book.told([one('ana'), one('zed')]), ['admitted', 'admitted'], 'who has a seat keeps it');
  },
);

onBoth('two users in one call do not share the last seat', { ...BOOK, seats: 2 }, async (t, book) => {
  t.same(await book.told([one('yves'), one('zed'), one('yves')]), ['admitted', 'no-seat', 'admitted']);
  t.equal(await book.orgField('seatsUsed'), '2');
});

onBoth('an archived org denies every reservation', BOOK, async (t, book) => {
  await book.commit(set('org', 'state', 'archived'));
  const before = await book.dump();
  t.same(await book.told([one('ana'), one('zed')]), ['org-archived', 'org-archived']);
  t.equal(await book.dump(), before);
});
