// Only charges that the org can prove are returned, and no counter goes below 0.
import {
  ADMISSION,
  BEGIN_MS,
  cycleOf,
  del,
  fixed,
  held,
  NONE,
  onBoth,
  refund,
  release,
  reserve,
  START,
  set,
  settle,
} from '../../support/ledgers.js';

const ORG = { plans: { usage: 100, lds: 10 }, users: { ana: 'a:g1' }, groups: ['g1'] };
const LATER_MS = 20_000;
const ten = reserve('ana', fixed('usage', 10));
const back = (call: string) => refund('ana', fixed('usage', 10), { groups: 'g1', call });

onBoth('a refund of a call that the org does not have gives back nothing', ORG, async (t, testOrg) => {
  await testOrg.call([ten], ADMISSION);
  const before = await testOrg.dump();
  for (const call of ['admission.2', 'admission.0', 'admission.', 'admission', 'other.1', '.1', ''])
    t.same(await testOrg.statuses([back(call)]), ['unproven'], `'${call}'`);
  t.equal(await testOrg.dump(), before);
  t.same(await testOrg.statuses([back('admission.1')]), ['refunded']);
  t.equal(await testOrg.line('usage:o'), '0+0');
});

onBoth('charges that a fail-over lost are not given back, those before are', ORG, async (t, testOrg) => {
  await testOrg.call([ten], ADMISSION);
  // Calls 2 to 10 were answered by a store that is gone: this one has heard of none of them.
  const lost = Array.from({ length: 9 }, (_, index) => back(`admission.${index + 2}`));
  t.equal((await testOrg.apply([NONE], { ...ADMISSION, seq: 11 })).code, 'producer-behind');
  t.same(new Set(await testOrg.statuses(lost, { producer: 'next', seq: 1 })), new Set(['unproven']));
  t.equal(await testOrg.line('usage:u:ana'), '10+0');
  const all = Array.from({ length: 10 }, () => ten);
  t.equal(
    (await testOrg.statuses(all)).filter((status) => status === 'admitted').length,
    9,
    'no budget is minted',
  );
  t.same(await testOrg.statuses([back('admission.1')], { producer: 'next', seq: 2 }), ['refunded']);
});

onBoth('a call does not prove itself', ORG, async (t, testOrg) => {
  t.same(await testOrg.statuses([ten, back('admission.1')], ADMISSION), ['admitted', 'unproven']);
});

onBoth('a hold that the org does not have gives back nothing', ORG, async (t, testOrg) => {
  await testOrg.call([ten]);
  const before = await testOrg.dump();
  t.same(await testOrg.statuses([settle('gone', 0), release('gone')]), ['unknown-hold', 'unknown-hold']);
  t.equal(await testOrg.dump(), before);
});

onBoth('a refund removes at most what is on a line', ORG, async (t, testOrg) => {
  const two = [fixed('usage', 10), fixed('lds', 2)];
  await testOrg.do(reserve('ana', two), ADMISSION);
  await testOrg.commit(set(`consumed:${START.start}`, 'usage:u:ana', 4));
  const reply = await testOrg.apply([refund('ana', two, { groups: 'g1' })]);
  t.match(reply, { clipped: 1, results: [{ status: 'refunded' }] });
  t.equal(await testOrg.line('usage:u:ana'), '0+0');
  t.equal(await testOrg.line('usage:o'), '6+0', 'the same on all lines, and in the journal');
  t.equal((await testOrg.texts('journal'))[1], `${BEGIN_MS}|ana|g1|maps|usage=-4,lds=-2|`);
});

onBoth('a late settlement and a release take no counter below 0', ORG, async (t, testOrg) => {
  const hold = (id: string) => reserve('ana', [held('usage', 10), fixed('lds', 1)], { hold: id });
  await testOrg.call([hold('a'), hold('b'), hold('c')]);
  await testOrg.commit(
    set(`consumed:${START.start}`, 'lds:o', 0),
    del(`held:${START.start}`, 'usage:g:g1'),
    set(`held:${START.start}`, 'usage:u:ana', 25),
  );
  t.match(await testOrg.apply([release('a')]), { clipped: 2 }, 'held of the group, and lds');
  t.match(await testOrg.apply([settle('b', [7, 1])]), { clipped: 1 });
  t.equal(await testOrg.line('usage:g:g1'), '7+0');
  t.equal(await testOrg.line('usage:u:ana'), '7+5');
  t.equal(await testOrg.line('lds:o'), '0+0');
  await testOrg.at(BEGIN_MS + LATER_MS);
  t.match(await testOrg.apply([]), { expired: 1, clipped: 2 }, 'nor does expiry');
  t.equal(await testOrg.line('usage:u:ana'), '7+0');
  await testOrg.commit(set(`consumed:${START.start}`, 'usage:o', 0));
  await testOrg.call([settle('b', 0), settle('c', [3, 1])]);
  t.match(await testOrg.apply([settle('c', [0, 1])]), { clipped: 0 });
});

onBoth('a settlement below what was charged stops at 0', ORG, async (t, testOrg) => {
  await testOrg.call([reserve('ana', held('usage', 10), { hold: 'h', ttlMs: 1 })]);
  await testOrg.at(BEGIN_MS + LATER_MS);
  await testOrg.call([settle('h', 8)]);
  await testOrg.commit(set(`consumed:${START.start}`, 'usage:o', 5));
  t.match(await testOrg.apply([settle('h', 0)]), {
    clipped: 1,
    results: [{ status: 'settled', late: true }],
  });
  t.equal(await testOrg.line('usage:o'), '0+0');
  t.equal(await testOrg.line('usage:u:ana'), '3+0');
});

onBoth('a closed cycle whose counters were dropped gets none below 0', ORG, async (t, testOrg) => {
  await testOrg.call([ten], ADMISSION);
  await testOrg.at(2_000_000);
  const both = { cycles: [cycleOf(2), START] };
  await testOrg.call([], both);
  await testOrg.ledger.drop(testOrg.org, [`consumed:${START.start}`]);
  t.match(await testOrg.apply([back('admission.1')], both), { clipped: 1 });
  t.same(await testOrg.fields(`consumed:${START.start}`), {});
});
