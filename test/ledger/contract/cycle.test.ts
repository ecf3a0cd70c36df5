// Counters reset with the cycle, exactly at its boundary by the store's clock; limits stay; only `ok` changes anything.
import {
  BEGIN_MS,
  cycleOf,
  fixed,
  held,
  NONE,
  onBoth,
  reserve,
  START,
  set,
  settle,
} from '../../support/ledgers.js';

const ORG = { plans: { usage: 100 }, users: { ana: 'a:' }, limits: { 'usage:u:ana': 10 } };
const SECOND = { cycles: [cycleOf(2), START] };
const ALL = reserve('ana', fixed('usage', 10));
const ONE = reserve('ana', fixed('usage', 1));

onBoth('in the last millisecond of a cycle its counters hold', ORG, async (t, testOrg) => {
  await testOrg.at(START.end - 1);
  t.same(await testOrg.statuses([ALL, ONE]), ['admitted', 'spent']);
  t.equal((await testOrg.apply([ONE], SECOND)).code, 'cycle', 'the next one has not begun');
});

onBoth('from the boundary on the counters are new and the limit is the same', ORG, async (t, testOrg) => {
  await testOrg.do(ALL);
  await testOrg.at(START.end);
  t.equal((await testOrg.apply([ONE])).code, 'cycle', 'the old one is over');
  t.same(await testOrg.statuses([ALL, ONE], SECOND), ['admitted', 'spent']);
  t.equal(await testOrg.line('usage:u:ana', 2_000_000), '10+0');
  t.equal(await testOrg.line('usage:u:ana', 1_000_000), '10+0', 'the closed cycle keeps its figures');
});

onBoth('the answer names the present cycle and the one before', ORG, async (t, testOrg) => {
  t.match(await testOrg.apply([]), { code: 'ok', now: BEGIN_MS, cycle: START, previous: 0, ruleVersion: 1 });
  await testOrg.at(2_500_000);
  t.match(await testOrg.apply([], SECOND), {
    code: 'ok',
    cycle: cycleOf(2),
    previous: START.start,
    now: 2_500_000,
  });
  t.same(await testOrg.fields('cycles'), { '1000000': '2000000' });
});

onBoth(
  'a call for another cycle gets the bounds, the rule and the time, and changes nothing',
  ORG,
  async (t, testOrg) => {
    await testOrg.do(reserve('ana', held('usage', 1), { hold: 'h', ttlMs: 1 }));
    const before = await testOrg.dump();
    for (const cycles of [[cycleOf(2), START], [cycleOf(0)], []]) {
      await testOrg.at(BEGIN_MS + 500);
      const reply = await testOrg.apply([ONE, settle('h', 1)], { cycles, producer: 'l', seq: 1 });
      t.match(reply, {
        code: 'cycle',
        now: BEGIN_MS + 500,
        cycle: START,
        rule: '{"every":"hour"}',
        ruleVersion: 1,
      });
      t.same(reply.results, []);
      t.equal(await testOrg.dump(), before);
    }
    t.equal(
      (await testOrg.apply([ONE], { producer: 'l', seq: 1 })).replayed,
      false,
      'its number on the producer is not used up',
    );
  },
);

onBoth(
  'an org rolls only to a cycle of the present rule, if the call names the closed one',
  ORG,
  async (t, testOrg) => {
    await testOrg.at(2_500_000);
    const before = await testOrg.dump();
    const askings = [
      { cycles: [cycleOf(2), START], ruleVersion: 2 },
      { cycles: [cycleOf(2)] },
      { cycles: [START, cycleOf(2)] },
      { cycles: [cycleOf(3), START] },
      { cycles: [{ start: 1_900_000, end: 3_000_000 }, START] },
      { cycles: [{ start: 2_000_000, end: 2_500_000 }, START] },
    ];
    for (const asking of askings) t.equal((await testOrg.apply([ONE], asking)).code, 'cycle');
    t.equal(await testOrg.dump(), before);
    await testOrg.commit(set('org', 'ruleVersion', 2));
    t.equal((await testOrg.apply([ONE], SECOND)).code, 'cycle');
    t.equal((await testOrg.apply([ONE], { ...SECOND, ruleVersion: 2 })).code, 'ok');
  },
);

onBoth('within a cycle the version of the rule does not matter', ORG, async (t, testOrg) => {
  t.equal((await testOrg.apply([ONE], { ruleVersion: 7 })).code, 'ok');
});

onBoth('a new rule begins at its next boundary, wherever that lies', ORG, async (t, testOrg) => {
  await testOrg.at(2_700_000);
  const cycles = [{ start: 2_600_000, end: 5_000_000 }, START];
  t.match(await testOrg.apply([ONE], { cycles }), { code: 'ok', cycle: cycles[0], previous: START.start });
});

onBoth('the clock of an org does not go back', ORG, async (t, testOrg) => {
  await testOrg.do(reserve('ana', held('usage', 10), { hold: 'h', ttlMs: 1000 }));
  await testOrg.at(BEGIN_MS + 999);
  t.equal((await testOrg.apply([])).now, BEGIN_MS + 999);
  await testOrg.at(BEGIN_MS - 300_000);
  t.match(await testOrg.apply([NONE]), { now: BEGIN_MS + 999, expired: 0 });
  t.equal((await testOrg.ledger.read(testOrg.org, [])).now, BEGIN_MS + 999);
  await testOrg.at(2_000_000);
  await testOrg.call([], SECOND);
  await testOrg.at(1_999_999);
  t.match(
    await testOrg.apply([ONE], SECOND),
    { code: 'ok', now: 2_000_000 },
    'no way back into a closed cycle',
  );
  t.equal((await testOrg.apply([ONE])).code, 'cycle');
});

onBoth('a request belongs to the cycle of its admission', ORG, async (t, testOrg) => {
  await testOrg.do(reserve('ana', held('usage', 10), { hold: 'h', ttlMs: 2_000_000 }));
  await testOrg.at(2_100_000);
  t.same(await testOrg.statuses([ALL, settle('h', 7), ONE], SECOND), ['admitted', 'settled', 'spent']);
  t.equal(await testOrg.line('usage:u:ana', 1_000_000), '7+0');
  t.equal(await testOrg.line('usage:u:ana', 2_000_000), '10+0');
  t.match((await testOrg.texts('journal'))[1], /^1500000\|ana/, 'history has it at its admission');
});
