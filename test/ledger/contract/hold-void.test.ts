// A reservation that got no answer is voided by id: if it had run its units return; if it arrives later it does nothing.

import { TOMBSTONE_MS } from '../../../src/ledger/port.js';
import { BEGIN_MS, fixed, held, onBoth, release, renew, reserve, settle } from '../../support/ledgers.js';

const ORG = { plans: { usage: 100, lds: 10 }, users: { ana: 'a:' } };
const TEN = reserve('ana', [held('usage', 10), fixed('lds', 2)], { hold: 'h' });

onBoth('voided after it ran, its units return and it cannot run again', ORG, async (t, testOrg) => {
  t.same(await testOrg.statuses([TEN, release('h', 'keep'), TEN]), ['admitted', 'released', 'voided']);
  t.equal(await testOrg.line('usage:o'), '0+0');
  t.equal(await testOrg.line('lds:o'), '0+0');
});

onBoth('voided before it arrives, it does nothing', ORG, async (t, testOrg) => {
  t.same(await testOrg.statuses([release('h', 'keep'), TEN, release('h', 'keep'), release('h')]), [
    'released',
    'voided',
    'released',
    'released',
  ]);
  t.equal(await testOrg.line('usage:o'), '0+0');
  t.same(await testOrg.texts('journal'), []);
});

onBoth('without keep, an unknown id is reported and leaves nothing', ORG, async (t, testOrg) => {
  t.same(await testOrg.statuses([release('h'), TEN]), ['unknown-hold', 'admitted']);
});

onBoth('nothing is settled on the void of an id that never ran', ORG, async (t, testOrg) => {
  t.same(await testOrg.statuses([release('h', 'keep'), settle('h', [5, 2])]), ['released', 'unknown-hold']);
  t.equal(await testOrg.line('usage:o'), '0+0');
});

onBoth('released by hand, the late settlement still charges what it cost, once', ORG, async (t, testOrg) => {
  await testOrg.statuses([TEN, release('h', 'keep')]);
  t.same(await testOrg.statuses([settle('h', [7, 2]), settle('h', [7, 2])]), ['settled', 'settled']);
  t.equal(await testOrg.line('usage:o'), '7+0');
  t.equal(await testOrg.line('lds:o'), '2+0');
  await testOrg.do(release('h', 'keep'));
  t.equal(await testOrg.line('usage:o'), '0+0', 'and released again it is given back');
  t.equal(await testOrg.line('lds:o'), '0+0');
});

onBoth('released by hand, its answer is checked again when it asks for more', ORG, async (t, testOrg) => {
  await testOrg.statuses([TEN, release('h', 'keep'), reserve('ana', fixed('usage', 85))]);
  const more = (units: number) =>
    renew('h', 0, 0, { quotas: ['usage', 'lds'], units: [8, 2], more: [units, 0] });
  t.same(await testOrg.statuses([renew('h', 3), more(6), more(5)]), ['expired-hold', 'spent', 'renewed']);
  t.equal(await testOrg.line('usage:o'), '85+15');
  t.match(await testOrg.do(settle('h', [16, 2])), { overshoot: [1, 0], late: false });
  t.equal(await testOrg.line('usage:o'), '101+0');
  t.equal(await testOrg.line('lds:o'), '2+0', 'its fixed cost is charged when it is settled');
});

onBoth('after a manual release, a settlement above a hard limit is overshoot', ORG, async (t, testOrg) => {
  await testOrg.statuses([TEN, release('h', 'keep'), reserve('ana', [fixed('usage', 98), fixed('lds', 9)])]);
  t.match(await testOrg.do(settle('h', [7, 2])), { overshoot: [5, 1], late: true });
});

onBoth('a void that never ran is not held again', ORG, async (t, testOrg) => {
  t.same(await testOrg.statuses([release('h', 'keep'), renew('h', 3, 5)]), ['released', 'expired-hold']);
});

onBoth(
  'an act leaves its entry in the audit log in the same step, if it did something',
  ORG,
  async (t, testOrg) => {
    const byHand = { ...release('h', 'keep'), audit: '{"who":"root"}' };
    t.same(await testOrg.statuses([{ ...release('h'), audit: 'none' }]), ['unknown-hold']);
    t.same(await testOrg.texts('audit'), []);
    t.same(await testOrg.statuses([TEN, byHand, release('h', 'keep')]), ['admitted', 'released', 'released']);
    t.same(await testOrg.texts('audit'), ['{"who":"root"}']);
  },
);

onBoth('the tombstone of a release lives for 24 hours', ORG, async (t, testOrg) => {
  const end = 1_000_000_000_000;
  const long = { cycles: [{ start: 1_000_000, end }] };
  await testOrg.commit({ set: 'org', field: 'end', value: String(end) });
  await testOrg.do(release('h', 'keep'), long);
  await testOrg.at(BEGIN_MS + TOMBSTONE_MS - 1);
  t.same(await testOrg.statuses([TEN], long), ['voided']);
  await testOrg.at(BEGIN_MS + TOMBSTONE_MS);
  t.same(await testOrg.statuses([TEN], long), ['admitted']);
});

onBoth('a void does not live longer by being repeated', ORG, async (t, testOrg) => {
  await testOrg.statuses([TEN, release('h', 'keep')]);
  const expiry = async () =>
    Object.values(await testOrg.fields('holds')).map((text) => text.split('|').at(-1));
  t.same(await expiry(), [String(BEGIN_MS + TOMBSTONE_MS)]);
  await testOrg.at(BEGIN_MS + 5000);
  await testOrg.statuses([release('h', 'keep'), release('h')]);
  t.same(await expiry(), [String(BEGIN_MS + TOMBSTONE_MS)]);
});
