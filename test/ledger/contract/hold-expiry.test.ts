// An expired hold is charged the progress of its last renewal, once; a late settlement charges the difference, once.

import { EXPIRE_BEFORE_REFUSAL, TOMBSTONE_MS } from '../../../src/ledger/port.js';
import {
  BEGIN_MS,
  cycleOf,
  del,
  fixed,
  held,
  onBoth,
  release,
  renew,
  reserve,
  START,
  settle,
  TTL_MS,
} from '../../support/ledgers.js';

const ORG = { plans: { usage: 100, lds: 10 }, users: { ana: 'a:' } };
const TEN = reserve('ana', held('usage', 10), { hold: 'h' });
const DUE_MS = BEGIN_MS + TTL_MS;
const LONG = { start: START.start, end: 1_000_000_000_000 };

onBoth('a hold lives until its expiry, and expires exactly then', ORG, async (t, testOrg) => {
  await testOrg.do(TEN);
  await testOrg.at(DUE_MS - 1);
  t.match(await testOrg.apply([]), { expired: 0 });
  t.equal(await testOrg.line('usage:u:ana'), '0+10');
  await testOrg.at(DUE_MS);
  t.match(await testOrg.apply([]), { expired: 1 });
  t.equal(await testOrg.line('usage:u:ana'), '0+0');
  t.same(await testOrg.texts('journal'), []);
});

onBoth('it is charged its progress, marked as estimated; fixed costs stay', ORG, async (t, testOrg) => {
  await testOrg.do(reserve('ana', [held('usage', 10), fixed('lds', 1)], { hold: 'h' }));
  await testOrg.do(renew('h', 4, 0, { quotas: ['usage', 'lds'], units: [4, 1], more: [0, 0] }));
  await testOrg.at(DUE_MS);
  await testOrg.call([]);
  t.equal(await testOrg.line('usage:u:ana'), '4+0');
  t.equal(await testOrg.line('lds:u:ana'), '1+0');
  t.same(await testOrg.texts('journal'), ['1500000|ana||maps|lds=1|', '1500000|ana||maps|usage=4|e']);
});

onBoth('progress above the hold is charged in full', ORG, async (t, testOrg) => {
  await testOrg.statuses([TEN, renew('h', 14)]);
  await testOrg.at(DUE_MS);
  await testOrg.call([]);
  t.equal(await testOrg.line('usage:u:ana'), '14+0');
});

onBoth('a late settlement charges the difference, once', ORG, async (t, testOrg) => {
  await testOrg.statuses([TEN, renew('h', 4)]);
  await testOrg.at(DUE_MS);
  t.same(await testOrg.do(settle('h', 9)), { status: 'settled', overshoot: [0], late: true });
  t.equal(await testOrg.line('usage:u:ana'), '9+0');
  t.match(await testOrg.do(settle('h', 9)), { late: true });
  t.equal(await testOrg.line('usage:u:ana'), '9+0');
  await testOrg.do(settle('h', 2));
  t.equal(await testOrg.line('usage:u:ana'), '2+0', 'less than the progress gives back');
});

onBoth('a late release gives back what expiry charged', ORG, async (t, testOrg) => {
  await testOrg.statuses([reserve('ana', [held('usage', 10), fixed('lds', 1)], { hold: 'h' })]);
  await testOrg.do(renew('h', 4, 0, { quotas: ['usage', 'lds'], units: [4, 1], more: [0, 0] }));
  await testOrg.at(DUE_MS);
  t.same(await testOrg.statuses([release('h'), release('h')]), ['released', 'released']);
  t.equal(await testOrg.line('usage:u:ana'), '0+0');
  t.equal(await testOrg.line('lds:u:ana'), '0+0');
});

onBoth('an expired hold is not renewed, nor its id used again', ORG, async (t, testOrg) => {
  await testOrg.do(TEN);
  await testOrg.at(DUE_MS);
  t.same(await testOrg.statuses([renew('h', 1), TEN]), ['expired-hold', 'voided']);
  t.equal(await testOrg.line('usage:u:ana'), '0+0');
});

onBoth('what it was charged is known for 24 hours, no longer', ORG, async (t, testOrg) => {
  await testOrg.commit({ set: 'org', field: 'end', value: String(LONG.end) });
  await testOrg.do(TEN, { cycles: [LONG] });
  await testOrg.at(DUE_MS);
  await testOrg.call([], { cycles: [LONG] });
  await testOrg.at(DUE_MS + TOMBSTONE_MS - 1);
  t.same(await testOrg.statuses([settle('h', 3)], { cycles: [LONG] }), ['settled']);
  await testOrg.at(DUE_MS + TOMBSTONE_MS);
  t.same(await testOrg.statuses([settle('h', 5), TEN], { cycles: [LONG] }), ['unknown-hold', 'admitted']);
  t.equal(await testOrg.line('usage:u:ana'), '3+10');
});

onBoth('a late charge above a hard limit is overshoot', ORG, async (t, testOrg) => {
  await testOrg.statuses([TEN, renew('h', 4)]);
  await testOrg.at(DUE_MS);
  await testOrg.do(reserve('ana', fixed('usage', 95)));
  t.same(await testOrg.do(settle('h', 9)), { status: 'settled', overshoot: [4], late: true });
  t.match(await testOrg.do(settle('h', 9)), { overshoot: [0] }, 'reported once');
});

onBoth('the progress of an expired hold above a hard limit is overshoot', ORG, async (t, testOrg) => {
  const both = reserve('ana', [held('usage', 10), held('lds', 2)], { hold: 'h' });
  await testOrg.statuses([
    both,
    renew('h', 15, 0, { quotas: ['usage', 'lds'], units: [15, 2], more: [0, 0] }),
  ]);
  t.match(await testOrg.apply([reserve('ana', fixed('usage', 88))]), { expired: 0, overshoots: [] });
  await testOrg.at(DUE_MS);
  t.match(await testOrg.apply([]), { expired: 1, overshoots: [{ quota: 'usage', units: 3 }] });
  t.equal(await testOrg.line('usage:o'), '103+0');
  t.match(await testOrg.apply([settle('h', [16, 2])]), { overshoots: [{ quota: 'usage', units: 1 }] });
  t.same((await testOrg.apply([settle('h', [16, 2])])).overshoots, [], 'reported once');
});

onBoth('an answer that asks for more holds all of it again, if it fits', ORG, async (t, testOrg) => {
  await testOrg.statuses([TEN, renew('h', 4)]);
  await testOrg.at(DUE_MS);
  await testOrg.do(reserve('ana', fixed('usage', 70)));
  t.same(await testOrg.statuses([renew('h', 12, 21), renew('h', 12, 20)]), ['spent', 'renewed']);
  t.equal(await testOrg.line('usage:o'), '70+30', 'what expiry charged came back');
  t.same(await testOrg.statuses([reserve('ana', fixed('usage', 1))]), ['held']);
  t.match(await testOrg.do(settle('h', 31)), { overshoot: [1], late: false });
  t.equal(await testOrg.line('usage:o'), '101+0');
});

onBoth('held again, it expires at its progress', ORG, async (t, testOrg) => {
  await testOrg.statuses([TEN, renew('h', 4)]);
  await testOrg.at(DUE_MS);
  await testOrg.statuses([renew('h', 12, 20)]);
  await testOrg.at(DUE_MS + TTL_MS);
  await testOrg.call([]);
  t.equal(await testOrg.line('usage:o'), '12+0');
  t.same(await testOrg.statuses([settle('h', 15)]), ['settled']);
  t.equal(await testOrg.line('usage:o'), '15+0');
});

onBoth('what has ended late is not held again by a renewal that comes after it', ORG, async (t, testOrg) => {
  await testOrg.statuses([TEN, reserve('ana', held('usage', 10), { hold: 'i' })]);
  await testOrg.at(DUE_MS);
  await testOrg.statuses([settle('h', 9), release('i')]);
  t.same(await testOrg.statuses([renew('h', 9, 5), renew('i', 9, 5)]), ['expired-hold', 'expired-hold']);
  t.equal(await testOrg.line('usage:o'), '9+0');
});

const many = (count: number, ttlMs: number) =>
  Array.from({ length: count }, (_, index) => reserve('ana', held('usage', 1), { hold: `h${index}`, ttlMs }));

onBoth('a call expires as many due holds as it says', ORG, async (t, testOrg) => {
  await testOrg.call(many(20, 1));
  await testOrg.at(BEGIN_MS + 1);
  for (const [expireMost, expired, left] of [
    [0, 0, 20],
    [8, 8, 12],
    [8, 8, 4],
    [8, 4, 0],
    [8, 0, 0],
  ] as const) {
    t.match(await testOrg.apply([], { expireMost }), { code: 'ok', expired });
    t.equal(await testOrg.line('usage:u:ana'), `0+${left}`);
  }
});

onBoth('no request is refused because of an expired hold', ORG, async (t, testOrg) => {
  await testOrg.call(many(EXPIRE_BEFORE_REFUSAL, 1));
  await testOrg.at(BEGIN_MS + 1);
  const reply = await testOrg.apply([reserve('ana', fixed('usage', 100))], { expireMost: 0 });
  t.match(reply, { expired: EXPIRE_BEFORE_REFUSAL, results: [{ status: 'admitted' }] });
});

onBoth('before a refusal at most so many are expired', ORG, async (t, testOrg) => {
  await testOrg.call(many(EXPIRE_BEFORE_REFUSAL + 1, 1));
  await testOrg.at(BEGIN_MS + 1);
  const reply = await testOrg.apply([reserve('ana', fixed('usage', 100))], { expireMost: 0 });
  t.match(reply, { expired: EXPIRE_BEFORE_REFUSAL, results: [{ status: 'refused', reason: 'held' }] });
  t.same(await testOrg.statuses([reserve('ana', fixed('usage', 100))], { expireMost: 0 }), ['admitted']);
});

onBoth('an extension is not refused for a dead hold either', ORG, async (t, testOrg) => {
  await testOrg.call([reserve('ana', held('usage', 90), { hold: 'dead', ttlMs: 1 }), TEN]);
  await testOrg.at(BEGIN_MS + 1);
  t.same(await testOrg.statuses([renew('h', 0, 90)], { expireMost: 0 }), ['renewed']);
});

onBoth('due holds of a cycle that the call does not name wait, and are reported', ORG, async (t, testOrg) => {
  await testOrg.statuses([reserve('ana', held('usage', 10), { hold: 'h', ttlMs: 1_000_000 }), renew('h', 6)]);
  await testOrg.at(2_100_000);
  await testOrg.call([], { cycles: [cycleOf(2), START], expireMost: 0 });
  t.match(await testOrg.apply([], { cycles: [cycleOf(2)] }), { expired: 0, dueIn: START.start });
  t.equal(await testOrg.line('usage:u:ana'), '0+10');
  t.match(await testOrg.apply([], { cycles: [cycleOf(2), START] }), { expired: 1, dueIn: 0 });
  t.equal(await testOrg.line('usage:u:ana'), '6+0');
});

onBoth('a due hold without its record is forgotten', ORG, async (t, testOrg) => {
  await testOrg.call([
    reserve('ana', held('usage', 3), { hold: 'h', ttlMs: 1 }),
    reserve('ana', held('usage', 4), { hold: 'k', ttlMs: 2 }),
  ]);
  await testOrg.commit(del('holds', 'h'));
  await testOrg.at(BEGIN_MS + 10);
  t.match(await testOrg.apply([], { expireMost: 1 }), { code: 'ok', expired: 1 });
  t.match(await testOrg.apply([], { expireMost: 1 }), { code: 'ok', expired: 1 }, 'those behind it go on');
  t.match(await testOrg.apply([]), { code: 'ok', expired: 0 });
  t.same(Object.keys(await testOrg.fields('holds')), ['k']);
});

onBoth(
  'a hold is due when its record says so, not when an earlier one of its id was',
  ORG,
  async (t, testOrg) => {
    await testOrg.do(TEN);
    await testOrg.commit(del('holds', 'h'));
    await testOrg.at(BEGIN_MS + 100);
    await testOrg.do(TEN);
    await testOrg.at(DUE_MS);
    t.equal(await testOrg.line('usage:u:ana'), '0+20', 'what the lost one held is nobody’s');
    t.match(await testOrg.apply([]), { code: 'ok' });
    t.equal(await testOrg.line('usage:u:ana'), '0+20');
    await testOrg.at(DUE_MS + 100);
    t.match(await testOrg.apply([]), { code: 'ok', expired: 1 });
    t.equal(await testOrg.line('usage:u:ana'), '0+10');
    t.match(await testOrg.apply([]), { code: 'ok', expired: 0 });
  },
);

for (const record of [
  '',
  'o|1',
  'o|0|0|ana||maps|usage:e:x:0|1510000',
  'o|0|x|ana||maps|usage:e:10:0|1510000',
])
  onBoth(`a record that cannot be read stops nobody: "${record}"`, ORG, async (t, testOrg) => {
    await testOrg.do(TEN);
    await testOrg.commit({ set: 'holds', field: 'h', value: record });
    t.same(await testOrg.statuses([settle('h', 3), release('h'), renew('h', 1)]), [
      'unknown-hold',
      'unknown-hold',
      'unknown-hold',
    ]);
    await testOrg.do(reserve('ana', held('usage', 5), { hold: 'i' }));
    await testOrg.at(DUE_MS);
    t.match(await testOrg.apply([]), { code: 'ok' });
    t.match(await testOrg.apply([]), { code: 'ok', expired: 0 });
    t.equal(await testOrg.line('usage:u:ana'), '0+10', 'what it held is not known');
    t.same(await testOrg.statuses([reserve('ana', held('usage', 5), { hold: 'h' })]), ['admitted']);
  });
