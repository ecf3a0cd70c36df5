// A correction changes what a user consumed in the present cycle, on all lines or none, and never below 0.
import type { AdjustOp } from '../../../src/ledger/port.js';
import { UNITS_MAX } from '../../../src/quota/charge.js';
import { BEGIN_MS, cycleOf, fixed, held, onBoth, reserve, START, set } from '../../support/ledgers.js';

const ORG = {
  plans: { usage: 1_000 },
  users: { ana: 'a:g1', bob: 'n:' },
  groups: ['g1', 'g2'],
  limits: { 'usage:u:ana': 100 },
};

function adjust(units: number, over: Partial<AdjustOp> = {}): AdjustOp {
  const stated = { user: 'ana', quota: 'usage', action: 'adjustment', mark: 'm', audit: '{"x":1}' };
  return { kind: 'adjust', units, ...stated, ...over };
}

onBoth('it moves the user, the groups and the org, in one entry of the journal', ORG, async (t, testOrg) => {
  await testOrg.do(reserve('ana', fixed('usage', 50)));
  t.same(await testOrg.do(adjust(-20)), {
    status: 'adjusted',
    outcome: 'corrected',
    mark: 'm',
    groups: 'g1',
    consumed: 30,
    orgConsumed: 30,
  });
  for (const line of ['u:ana', 'g:g1', 'o']) t.equal(await testOrg.line(`usage:${line}`), '30+0', line);
  t.equal((await testOrg.texts('journal'))[1], `${BEGIN_MS}|ana|g1|adjustment|usage=-20|`);
  t.same(await testOrg.texts('audit'), ['{"x":1}']);
});

onBoth('down to 0, and not below: then nothing changes', ORG, async (t, testOrg) => {
  await testOrg.do(reserve('ana', fixed('usage', 50)));
  const before = await testOrg.dump();
  t.match(await testOrg.do(adjust(-51)), {
    status: 'adjusted',
    outcome: 'below-zero',
    at: { scope: 'user', group: '' },
    consumed: 50,
  });
  t.equal(await testOrg.dump(), before);
  t.match(await testOrg.do(adjust(-50)), { outcome: 'corrected', consumed: 0, orgConsumed: 0 });
});

onBoth('a group that has less stops it, unless the groups are named', ORG, async (t, testOrg) => {
  await testOrg.do(reserve('ana', fixed('usage', 50)));
  await testOrg.commit(set('members', 'ana', 'a:g2'));
  t.match(await testOrg.do(adjust(-10)), { outcome: 'below-zero', at: { scope: 'group', group: 'g2' } });
  t.match(await testOrg.do(adjust(-10, { groups: 'g1' })), { outcome: 'corrected', groups: 'g1' });
  t.equal(await testOrg.line('usage:g:g1'), '40+0');
  t.equal(await testOrg.line('usage:g:g2'), '0+0');
  t.match(await testOrg.do(adjust(-10, { groups: '' })), { outcome: 'corrected', groups: '', consumed: 30 });
  t.equal(await testOrg.line('usage:g:g1'), '40+0');
});

onBoth('up past a limit: the next request is refused, and notices are queued', ORG, async (t, testOrg) => {
  t.match(await testOrg.do(adjust(120)), { outcome: 'corrected', consumed: 120 });
  t.same(await testOrg.statuses([reserve('ana', fixed('usage', 1))]), ['spent']);
  const notices = await testOrg.texts('outbox');
  t.equal(notices.filter((text) => text.includes('|user|ana|usage|adjustment|ana|100|120|')).length, 4);
});

onBoth('up to what can be counted, holds included', ORG, async (t, testOrg) => {
  await testOrg.commit(set('org', 'plan:usage', `${UNITS_MAX}:s`), set('limits', 'usage:u:ana', UNITS_MAX));
  await testOrg.do(reserve('ana', held('usage', 5), { hold: 'h' }));
  t.match(await testOrg.do(adjust(UNITS_MAX - 4)), {
    outcome: 'too-large',
    at: { scope: 'user', group: '' },
  });
  t.match(await testOrg.do(adjust(UNITS_MAX - 5)), { outcome: 'corrected', consumed: UNITS_MAX - 5 });
});

onBoth('users of any status, and nobody is registered', ORG, async (t, testOrg) => {
  t.match(await testOrg.do(adjust(5, { user: 'bob' })), { outcome: 'corrected', groups: '', consumed: 5 });
  t.match(await testOrg.do(adjust(5, { user: 'stranger' })), { outcome: 'corrected', orgConsumed: 10 });
  t.equal((await testOrg.fields('members')).stranger, undefined);
});

onBoth('in the present cycle only', ORG, async (t, testOrg) => {
  await testOrg.do(reserve('ana', fixed('usage', 50)));
  await testOrg.at(START.end);
  t.equal((await testOrg.apply([adjust(-10)])).code, 'cycle');
  const [result] = await testOrg.call([adjust(-10)], { cycles: [cycleOf(2), START] });
  t.match(result, { outcome: 'below-zero' });
  t.equal(await testOrg.line('usage:u:ana'), '50+0');
});

onBoth('once per producer, and the repetition says whose it is', ORG, async (t, testOrg) => {
  const once = { producer: 'i-1', seq: 1 };
  const first = await testOrg.apply([adjust(7, { mark: 'a' })], once);
  const again = await testOrg.apply([adjust(9, { mark: 'b' })], once);
  t.match(again, { replayed: true, results: [{ mark: 'a', consumed: 7 }] });
  t.same(again.results, first.results);
  t.equal(await testOrg.line('usage:u:ana'), '7+0');
});

onBoth('beside reservations in one call', ORG, async (t, testOrg) => {
  const ops = [
    reserve('ana', fixed('usage', 60)),
    adjust(-20),
    reserve('ana', fixed('usage', 60)),
    adjust(1),
  ];
  t.same(await testOrg.statuses(ops), ['admitted', 'adjusted', 'admitted', 'adjusted']);
  t.equal(await testOrg.line('usage:o'), '101+0');
});
