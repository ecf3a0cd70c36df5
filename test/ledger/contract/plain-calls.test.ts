// Calls of nothing but reservations of fixed costs, which the Redis ledger decides on its common path. There are no thresholds here:
// a new notice leads to the full path, which would hide a mistake of the common one.
import type { Test } from 'tap';
import type { Op, Result } from '../../../src/ledger/port.js';
import {
  BEGIN_MS,
  bindingLimitsOf,
  cycleOf,
  FULL_PATH_ONLY,
  fixed,
  held,
  onBoth,
  reserve,
  START,
  set,
  type TestOrg,
  violatedOf,
} from '../../support/ledgers.js';

const ORG = {
  plans: { usage: 1_000, other: '100:s' },
  limits: { 'usage:u:ana': 10, 'usage:g:g1': 15, 'other:u:bo': 'u;5;0;w;0;0' },
  users: { ana: 'a:g1', bo: 'a:g1,g2', cy: 'a:' },
  groups: ['g1', 'g2'],
  thresholds: '',
};
const use = (user: string, units: number, quota = 'usage') => reserve(user, fixed(quota, units));
const SEQUENCE = { producer: 'gw-1.0' };

/** Expects that the Redis ledger takes its common path. */
async function plain(t: Test, testOrg: TestOrg, ops: readonly Op[], over = {}): Promise<Result[]> {
  const reply = await testOrg.apply(ops, over);
  t.equal(reply.code, 'ok');
  if (testOrg.ledger.name === 'redis') t.equal(reply.common, !FULL_PATH_ONLY, 'on the common path');
  return [...reply.results];
}

const statusOf = (result: Result): string => ('reason' in result ? result.reason : result.status);

onBoth('each request of a call sees those before it', ORG, async (t, testOrg) => {
  await testOrg.do(use('ana', 11));
  const results = await plain(t, testOrg, [use('ana', 4), use('ana', 4), use('ana', 4), use('ana', 2)]);
  t.same(results.map(statusOf), ['admitted', 'admitted', 'spent', 'admitted']);
  const remaining = results.map((result) => bindingLimitsOf(result)[0]);
  t.match(remaining[0], { scope: 'user', limit: 10, remaining: 6 });
  t.match(remaining[1], { scope: 'user', limit: 10, remaining: 2 });
  t.match(remaining[2], { scope: 'user', limit: 10, remaining: 2 });
  t.match(remaining[3], { scope: 'user', limit: 10, remaining: 0 });
  t.equal(await testOrg.line('usage:u:ana'), '10+0');
  t.equal(await testOrg.line('usage:g:g1'), '10+0');
  t.equal(await testOrg.line('usage:o'), '10+0');
});

onBoth(
  'a hold that begins after plain calls counts in them, and expires in them',
  ORG,
  async (t, testOrg) => {
    await plain(t, testOrg, [use('ana', 1)]);
    await testOrg.do(reserve('ana', held('usage', 6), { hold: 'h', ttlMs: 50 }));
    const [refused] = await plain(t, testOrg, [use('ana', 4)]);
    t.match(refused, { status: 'refused', reason: 'held' });
    await testOrg.at(BEGIN_MS + 50);
    t.match(await testOrg.apply([use('ana', 4)]), { expired: 1, results: [{ status: 'admitted' }] });
  },
);

onBoth('what is held counts, and a refusal takes nothing', ORG, async (t, testOrg) => {
  await testOrg.do(reserve('ana', held('usage', 6), { hold: 'h' }));
  const [refused, admitted] = await plain(t, testOrg, [use('ana', 5), use('ana', 4)]);
  t.match(refused, { status: 'refused', reason: 'held', primary: 0 });
  t.match(violatedOf(refused as Result)[0], { scope: 'user', limit: 10, consumed: 0, held: 6, requested: 5 });
  t.equal(admitted?.status, 'admitted');
  t.equal(await testOrg.line('usage:u:ana'), '4+6');
});

onBoth(
  'a group refuses its members, and the spent limit is the primary violation',
  ORG,
  async (t, testOrg) => {
    await testOrg.do(use('bo', 12));
    await testOrg.do(use('ana', 11));
    await testOrg.do(reserve('ana', held('usage', 1), { hold: 'h' }));
    await testOrg.do(use('ana', 10));
    const [refused] = await plain(t, testOrg, [use('ana', 10)]);
    t.match(refused, { status: 'refused', reason: 'spent', primary: 1 });
    t.match(violatedOf(refused as Result), [
      { scope: 'user', limit: 10, consumed: 0, held: 1 },
      { scope: 'group', group: 'g1', limit: 15, consumed: 12, held: 1 },
    ]);
  },
);

onBoth('soft pools and shadow limits admit and report', ORG, async (t, testOrg) => {
  const [first, second] = await plain(t, testOrg, [use('bo', 6, 'other'), use('cy', 95, 'other')]);
  t.match(first, { status: 'admitted', violated: [{ scope: 'user', limit: 5, consumed: 0, requested: 6 }] });
  t.match(second, {
    status: 'admitted',
    violated: [{ scope: 'org', limit: 100, consumed: 6, requested: 95 }],
  });
  t.match(bindingLimitsOf(second as Result)[0], { scope: undefined });
  t.equal(await testOrg.line('other:o'), '101+0');
});

onBoth('an API key charges its holder, with its own secret and in its time only', ORG, async (t, testOrg) => {
  const hash = 'a'.repeat(64);
  await testOrg.commit(set('keys', 'k1', `${hash}|ana|${BEGIN_MS + 1_000}`));
  const by = (key: string) => ({ ...use('', 1), key });
  const [admitted] = await plain(t, testOrg, [by(`k1:${hash}`)]);
  t.match(admitted, { status: 'admitted', user: 'ana', groups: 'g1' });
  t.same(await testOrg.statuses([by(`k1:${'b'.repeat(64)}`)]), ['invalid-key']);
  await testOrg.at(BEGIN_MS + 1_000);
  t.same(await testOrg.statuses([by(`k1:${hash}`)]), ['invalid-key']);
  t.equal(await testOrg.line('usage:u:ana'), '1+0');
});

onBoth('a repeated call has the bounds in which it ran, whatever it names now', ORG, async (t, testOrg) => {
  await testOrg.apply([use('cy', 1)], { ...SEQUENCE, seq: 1 });
  const second = { ...SEQUENCE, seq: 2 };
  await plain(t, testOrg, [use('cy', 2)], second);
  const first = await testOrg.apply([use('cy', 2)], second);
  const other = { cycles: [{ start: 5, end: 6 }], ruleVersion: first.ruleVersion + 1 };
  t.same(await testOrg.apply([use('cy', 2)], { ...second, ...other }), first);
});

onBoth('a sequence number is charged once', ORG, async (t, testOrg) => {
  await testOrg.apply([use('cy', 1)], { ...SEQUENCE, seq: 1 });
  await plain(t, testOrg, [use('cy', 2)], { ...SEQUENCE, seq: 2 });
  t.match(await testOrg.apply([use('cy', 2)], { ...SEQUENCE, seq: 2 }), { replayed: true });
  t.match(await testOrg.apply([use('cy', 1)], { ...SEQUENCE, seq: 1 }), { code: 'stale' });
  t.match(await testOrg.apply([use('cy', 4)], { ...SEQUENCE, seq: 4 }), { code: 'producer-behind' });
  await plain(t, testOrg, [use('cy', 3)], { ...SEQUENCE, seq: 3 });
  t.equal(await testOrg.line('usage:o'), '6+0');
});

onBoth('extra that holds of closed cycles may still take is not spent', ORG, async (t, testOrg) => {
  await testOrg.commit(set('org', 'plan:usage', '10:h'), set('org', 'extra:usage', '20'));
  await testOrg.do(reserve('cy', held('usage', 25), { hold: 'h', ttlMs: 5_000_000 }));
  await testOrg.at(2_000_000);
  const second = { cycles: [cycleOf(2), START] };
  await testOrg.do(use('cy', 16), second);
  const [refused, admitted] = await plain(t, testOrg, [use('cy', 16), use('cy', 15)], second);
  t.match(refused, { status: 'refused', reason: 'held' });
  t.match(violatedOf(refused as Result), [{ scope: 'org', limit: 30, consumed: 0, held: 15 }]);
  t.equal(admitted?.status, 'admitted');
});

onBoth('counters stay exact integers', ORG, async (t, testOrg) => {
  await testOrg.commit(set('org', 'plan:usage', '9000000000000000:h'));
  await plain(t, testOrg, [use('cy', 7_000_000_000_000_001)]);
  await plain(t, testOrg, [use('cy', 1)]);
  t.equal(await testOrg.line('usage:o'), '7000000000000002+0');
});

onBoth('an archived org is not served', ORG, async (t, testOrg) => {
  await plain(t, testOrg, [use('cy', 1)]);
  await testOrg.commit(set('org', 'state', 'archived'));
  t.same(await testOrg.statuses([use('cy', 1)]), ['org-archived']);
});

onBoth('the journal has one line for each admission', ORG, async (t, testOrg) => {
  await plain(t, testOrg, [use('bo', 2), use('cy', 3)]);
  t.same(await testOrg.texts('journal'), [
    `${BEGIN_MS}|bo|g1,g2|maps|usage=2|`,
    `${BEGIN_MS}|cy||maps|usage=3|`,
  ]);
});

onBoth('another epoch is not charged', ORG, async (t, testOrg) => {
  await plain(t, testOrg, [use('cy', 1)], { epoch: 'e1' });
  t.match(await testOrg.apply([use('cy', 1)], { epoch: 'e0' }), { code: 'lost' });
  t.equal(await testOrg.line('usage:o'), '1+0');
});

onBoth('each reservation of a call has charges and claims of its own', ORG, async (t, testOrg) => {
  const ops = [
    use('bo', 1),
    reserve('cy', fixed('usage', 2), { claims: 'g2' }),
    use('cy', 3, 'other'),
    use('cy', 4),
    reserve('ana', fixed('usage', 5), { claims: 'g2', unknownGroups: 'deny' }),
  ];
  await plain(t, testOrg, ops);
  await testOrg.call([use('new', 6), ...ops]);
  const journal = (user: string, groups: string, charges: string) =>
    `${BEGIN_MS}|${user}|${groups}|maps|${charges}|`;
  const lines = [
    journal('bo', 'g1,g2', 'usage=1'),
    journal('cy', 'g2', 'usage=2'),
    journal('cy', '', 'other=3'),
    journal('cy', '', 'usage=4'),
    journal('ana', 'g1,g2', 'usage=5'),
  ];
  t.same(await testOrg.texts('journal'), [...lines, journal('new', '', 'usage=6'), ...lines]);
});
