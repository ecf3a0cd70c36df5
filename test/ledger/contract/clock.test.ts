// An impossible reading of the store's clock changes nothing: no cycle ends, no hold expires, and time does not stop.
import { BEGIN_MS, cycleOf, fixed, held, onBoth, reserve, START, settle } from '../../support/ledgers.js';

const ORG = { plans: { usage: 10 }, users: { ana: 'a:' } };
const ONE = reserve('ana', fixed('usage', 1));
const LATEST = BEGIN_MS + 300_000;
const BOTH = { cycles: [cycleOf(37), START] };
const JUMPED_MS = 37_500_000;

onBoth('a clock past the latest possible time changes nothing', ORG, async (t, testOrg) => {
  await testOrg.call([ONE, reserve('ana', held('usage', 2), { hold: 'h' })], { latest: LATEST });
  const before = await testOrg.dump();
  await testOrg.at(JUMPED_MS);
  for (const over of [{}, BOTH, { producer: 'l', seq: 1 }]) {
    const reply = await testOrg.apply([ONE], { latest: LATEST, ...over });
    t.match(reply, { code: 'clock', clock: JUMPED_MS, results: [] });
  }
  t.equal(await testOrg.dump(), before);
  await testOrg.at(BEGIN_MS + 5);
  const reply = await testOrg.apply([settle('h', 1)], { latest: LATEST, producer: 'l', seq: 1 });
  t.match(reply, { code: 'ok', now: BEGIN_MS + 5, clock: BEGIN_MS + 5, expired: 0 }, 'and time goes on');
  t.equal(await testOrg.line('usage:o'), '2+0');
});

onBoth('the latest possible time is possible, and 0 bounds nothing', ORG, async (t, testOrg) => {
  await testOrg.at(LATEST);
  t.match(await testOrg.apply([ONE], { latest: LATEST }), { code: 'ok' });
  await testOrg.at(LATEST + 1);
  t.match(await testOrg.apply([ONE], { latest: LATEST }), { code: 'clock' });
  t.match(await testOrg.apply([ONE], { latest: 0 }), { code: 'ok' });
  await testOrg.at(JUMPED_MS);
  t.match(await testOrg.apply([ONE], { ...BOTH, latest: 0 }), { code: 'ok', cycle: { start: 37_000_000 } });
});

onBoth('an answer is repeated whatever the clock shows', ORG, async (t, testOrg) => {
  const first = await testOrg.apply([ONE], { latest: LATEST, producer: 'l', seq: 1 });
  await testOrg.at(JUMPED_MS);
  t.same(await testOrg.apply([ONE], { latest: LATEST, producer: 'l', seq: 1 }), { ...first, replayed: true });
});

onBoth('an org that is ahead of the clock continues, and reports it', ORG, async (t, testOrg) => {
  await testOrg.at(BEGIN_MS + 400_000);
  await testOrg.call([ONE]);
  await testOrg.at(BEGIN_MS);
  const reply = await testOrg.apply([ONE], { latest: LATEST });
  t.match(reply, { code: 'ok', now: BEGIN_MS + 400_000, clock: BEGIN_MS });
});

onBoth('producers are forgotten by the time of the org', ORG, async (t, testOrg) => {
  await testOrg.call([ONE], { producer: 'l', seq: 1 });
  await testOrg.at(JUMPED_MS);
  t.equal(
    await testOrg.ledger.forgetProducers(testOrg.org, 1_000),
    0,
    'not by a clock that nobody has accepted',
  );
  await testOrg.call([ONE], BOTH);
  t.equal(await testOrg.ledger.forgetProducers(testOrg.org, 1_000), 1);
});
