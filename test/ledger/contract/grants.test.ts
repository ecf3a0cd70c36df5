// A reservation with a least and a most is granted what remains between both, in one decision.
import { type ChargeItem, UNITS_MAX } from '../../../src/quota/charge.js';
import {
  bindingLimitsOf,
  fixed,
  gate,
  held,
  NONE,
  onBoth,
  reserve,
  settle,
  violatedOf,
} from '../../support/ledgers.js';

const between = (quota: string, least: number, most: number): ChargeItem => ({ ...held(quota, most), least });

const TEAM = {
  plans: { usage: 100, credits: 1_000, lds: 10 },
  users: { ana: 'a:g1', bob: 'a:' },
  groups: ['g1'],
};

onBoth('the most is granted where it fits', TEAM, async (t, testOrg) => {
  const result = await testOrg.do(reserve('ana', between('usage', 10, 100), { hold: 'h' }));
  t.match(result, { status: 'admitted', granted: [100] });
  t.equal(await testOrg.line('usage:o'), '0+100');
  const plain = await testOrg.do(reserve('ana', held('credits', 5), { hold: 'h2' }));
  t.notMatch(plain, { granted: [] }, 'a reservation without a least states nothing');
});

const LIMITED = { ...TEAM, limits: { 'usage:u:ana': 60, 'usage:g:g1': 50 } };

onBoth(
  'less than the most is granted up to the limit with the least remaining',
  LIMITED,
  async (t, testOrg) => {
    await testOrg.do(reserve('ana', fixed('usage', 7)));
    const result = await testOrg.do(reserve('ana', between('usage', 10, 200), { hold: 'h' }));
    t.match(result, { status: 'admitted', granted: [43], violated: [] });
    t.match(bindingLimitsOf(result), [{ quota: 'usage', scope: 'group', limit: 50, remaining: 0 }]);
    for (const line of ['usage:u:ana', 'usage:g:g1', 'usage:o']) t.equal(await testOrg.line(line), '7+43');
    t.same(await testOrg.statuses([settle('h', 20)]), ['settled']);
    t.equal(await testOrg.line('usage:o'), '27+0');
  },
);

onBoth(
  'the least is granted where no more fits, and refused where one unit is missing',
  LIMITED,
  async (t, testOrg) => {
    await testOrg.do(reserve('ana', fixed('usage', 40)));
    t.match(await testOrg.do(reserve('ana', between('usage', 11, 200), { hold: 'h' })), {
      status: 'refused',
      reason: 'spent',
      violated: [{ scope: 'group', limit: 50, consumed: 40, requested: 11 }],
    });
    t.equal(await testOrg.line('usage:o'), '40+0');
    t.match(await testOrg.do(reserve('ana', between('usage', 10, 200), { hold: 'h' })), {
      status: 'admitted',
      granted: [10],
    });
  },
);

onBoth('only limits that the least exceeds refuse', LIMITED, async (t, testOrg) => {
  await testOrg.do(reserve('ana', held('usage', 45), { hold: 'open' }));
  const result = await testOrg.do(reserve('ana', between('usage', 10, 200), { hold: 'h' }));
  t.match(result, { status: 'refused', reason: 'held' }, 'the least fits without the open hold');
  t.same(
    violatedOf(result).map(({ scope, requested }) => [scope, requested]),
    [['group', 10]],
  );
});

onBoth('a request that gets less than its most is no refusal: no notice', LIMITED, async (t, testOrg) => {
  const most = between('usage', 10, 200);
  await testOrg.do(reserve('ana', most, { hold: 'h' }));
  t.same(await testOrg.texts('outbox'), []);
  await testOrg.do(settle('h', 0));
  await testOrg.do(reserve('ana', fixed('usage', 45)));
  const before = (await testOrg.texts('outbox')).length;
  t.same(await testOrg.statuses([reserve('ana', most, { hold: 'h2' })]), ['spent']);
  const notices = (await testOrg.texts('outbox')).slice(before);
  t.match(
    notices,
    [/^refused\|group\|g1\|usage\|maps\|ana\|50\|45\|.*\|10$/],
    'the least is what was refused',
  );
  t.equal(notices.length, 1);
});

const SHARED = { ...TEAM, limits: { 'usage:u:bob': 500, 'credits:u:bob': 130 } };

onBoth('several items shrink together', SHARED, async (t, testOrg) => {
  const items = [between('usage', 0, 80), between('credits', 10, 250)];
  const result = await testOrg.do(reserve('bob', [gate('lds'), ...items], { hold: 'h' }));
  // Of the credits half of the range remains, so half of the usage is enough.
  t.match(result, { status: 'admitted', granted: [0, 40, 130] });
  t.equal(await testOrg.line('usage:o'), '0+40');
  t.equal(await testOrg.line('credits:o'), '0+130');
});

onBoth('a share is rounded up, and never past what remains', SHARED, async (t, testOrg) => {
  const items = [between('usage', 1, 3), between('credits', 1, 1_000)];
  const result = await testOrg.do(reserve('bob', items, { hold: 'h' }));
  t.match(result, { granted: [2, 130] });
  await testOrg.do(settle('h', [0, 0]));
  await testOrg.do(reserve('bob', fixed('usage', 98)));
  t.match(await testOrg.do(reserve('bob', items, { hold: 'h2' })), { granted: [2, 130] });
});

onBoth('items without a least are granted in whole or not at all', SHARED, async (t, testOrg) => {
  const ask = (lds: number, hold: string) =>
    reserve('bob', [fixed('lds', lds), between('credits', 10, 250)], { hold });
  const refused = await testOrg.do(ask(11, 'h'));
  t.match(refused, { status: 'refused' });
  t.same(
    violatedOf(refused).map(({ quota }) => quota),
    ['lds'],
  );
  t.equal(await testOrg.line('credits:o'), '0+0');
  t.match(await testOrg.do(ask(10, 'h')), { status: 'admitted', granted: [10, 130] });
  t.equal(await testOrg.line('lds:o'), '10+0');
});

const LENIENT = {
  ...TEAM,
  plans: { usage: '20:s' },
  limits: { 'usage:u:ana': 'u;30;0;w;0;0', 'usage:g:g1': 40 },
};

onBoth(
  'soft pools and shadow limits shrink nothing, and are reported for what was granted',
  LENIENT,
  async (t, testOrg) => {
    const result = await testOrg.do(reserve('ana', between('usage', 10, 200), { hold: 'h' }));
    t.match(result, { status: 'admitted', granted: [40] });
    t.same(
      violatedOf(result).map(({ scope, requested }) => [scope, requested]),
      [
        ['user', 40],
        ['org', 40],
      ],
    );
    const free = await testOrg.do(reserve('bob', between('usage', 10, 200), { hold: 'h2' }));
    t.match(free, { status: 'admitted', granted: [200] });
    const most = await testOrg.do(reserve('bob', between('usage', 1, UNITS_MAX), { hold: 'h3' }));
    t.match(most, { granted: [UNITS_MAX - 240] }, 'no more than can be counted');
  },
);

onBoth('due holds expire before less than the most is granted', TEAM, async (t, testOrg) => {
  await testOrg.do(reserve('ana', held('usage', 90), { hold: 'due', ttlMs: 1_000 }));
  await testOrg.at(1_502_000);
  const result = await testOrg.do(reserve('ana', between('usage', 1, 80), { hold: 'h' }), { expireMost: 0 });
  t.match(result, { status: 'admitted', granted: [80] });
});

onBoth('the same reservation again states what its hold has', LIMITED, async (t, testOrg) => {
  const op = reserve('ana', [gate('lds'), between('usage', 10, 200)], { hold: 'h' });
  t.match(await testOrg.do(op), { duplicate: false, granted: [0, 50] });
  t.match(await testOrg.do(op), { status: 'admitted', duplicate: true, granted: [0, 50] });
  const call = { producer: 'p', seq: 1 };
  const first = await testOrg.do(reserve('bob', between('credits', 10, 5_000), { hold: 'b' }), call);
  t.match(first, { granted: [1_000] });
  const replay = await testOrg.apply([reserve('bob', between('credits', 10, 5_000), { hold: 'b' })], call);
  t.equal(replay.replayed, true);
  t.match(replay.results, [{ status: 'admitted', granted: [1_000] }]);
  const [given] = (await testOrg.apply([NONE], call)).results;
  t.strictSame(given, { status: 'admitted', duplicate: false, groups: '', violated: [], bindingLimits: [] });
});
