// A percent cap is floor(percent × pool), moves with the pool at once, and distributed caps sum to the pool to the unit.
import { distribute } from '../../../src/quota/limit.js';
import {
  cycleOf,
  fixed,
  incr,
  onBoth,
  reserve,
  START,
  set,
  type TestOrg,
  violatedOf,
} from '../../support/ledgers.js';

const percent = (share: number, offset = 0): string => `p;${share};${offset};h;0;0`;
const TWENTY = percent(2_000_000);
const ORG = {
  plans: { usage: 5000 },
  users: { ana: 'a:g1' },
  groups: ['g1'],
  limits: { 'usage:u:ana': TWENTY },
};

/** The cap of a user, as a refusal tells it. */
async function capOf(testOrg: TestOrg, user: string): Promise<number | undefined> {
  const result = await testOrg.do(reserve(user, fixed('usage', 8_999_999_999_999_999)));
  return violatedOf(result).find((one) => one.scope === 'user')?.limit;
}

onBoth('20 % of 5,000 is 1,000', ORG, async (t, testOrg) => {
  t.same(await testOrg.statuses([reserve('ana', fixed('usage', 1000)), reserve('ana', fixed('usage', 1))]), [
    'admitted',
    'spent',
  ]);
});

onBoth('a share is rounded down', { ...ORG, plans: { usage: 14 } }, async (t, testOrg) => {
  t.equal(await capOf(testOrg, 'ana'), 2);
});

onBoth('extra counts, and a top-up or a new plan moves the cap at once', ORG, async (t, testOrg) => {
  await testOrg.commit(set('org', 'extra:usage', 50));
  t.equal(await capOf(testOrg, 'ana'), 1010);
  await testOrg.commit(incr('org', 'extra:usage', 500));
  t.equal(await capOf(testOrg, 'ana'), 1110);
  await testOrg.commit(set('org', 'plan:usage', '100:h'));
  t.equal(await capOf(testOrg, 'ana'), 130);
});

onBoth('consuming extra does not move the cap within the cycle', ORG, async (t, testOrg) => {
  await testOrg.commit(set('org', 'plan:usage', '10:h'), set('org', 'extra:usage', 40));
  await testOrg.do(reserve('bob', fixed('usage', 30)));
  t.equal(await capOf(testOrg, 'ana'), 10);
});

onBoth('what a cycle used of the extra is gone from the pool of the next', ORG, async (t, testOrg) => {
  await testOrg.commit(set('org', 'plan:usage', '100:h'), set('org', 'extra:usage', 50));
  await testOrg.do(reserve('bob', fixed('usage', 130)));
  t.equal(await capOf(testOrg, 'ana'), 30);
  await testOrg.at(2_000_000);
  const cycles = { cycles: [cycleOf(2), START] };
  const refused = await testOrg.do(reserve('ana', fixed('usage', 25)), cycles);
  t.match(violatedOf(refused), [{ scope: 'user', limit: 24, consumed: 0 }]);
});

onBoth('a group and a soft pool have percent caps too', ORG, async (t, testOrg) => {
  await testOrg.commit(set('org', 'plan:usage', '50:s'), set('limits', 'usage:g:g1', percent(1_000_000)));
  const result = await testOrg.do(reserve('ana', fixed('usage', 6)));
  t.match(violatedOf(result), [{ scope: 'group', limit: 5 }]);
});

for (const pool of [1, 3, 7, 1000, 8_999_999_999_999_999])
  onBoth(`three distributed caps sum to a pool of ${pool}`, ORG, async (t, testOrg) => {
    const users = ['ana', 'bob', 'cy'];
    const caps = distribute(3).map((share, index) =>
      set('limits', `usage:u:${users[index]}`, percent(share.percent, share.offset)),
    );
    await testOrg.commit(set('org', 'plan:usage', `${pool}:s`), ...caps);
    let sum = 0;
    for (const user of users) sum += (await capOf(testOrg, user)) ?? Number.NaN;
    t.equal(sum, pool);
  });

for (const [pool, share] of [
  [8_999_999_999_999_999n, 3_333_333n],
  [8_765_432_109_876_543n, 9_999_999n],
  [7_777_777_777_777_777n, 1n],
  [123_456_789_012_345n, 1_234_567n],
] as const)
  onBoth(`${share} ten-millionths of ${pool} to the unit`, ORG, async (t, testOrg) => {
    await testOrg.commit(
      set('org', 'plan:usage', `${pool}:s`),
      set('limits', 'usage:u:ana', percent(Number(share))),
    );
    t.equal(await capOf(testOrg, 'ana'), Number((pool * share) / 10_000_000n));
  });

onBoth('without a plan there is nothing to have a part of', ORG, async (t, testOrg) => {
  await testOrg.commit(set('org', 'plan:usage', '0:s'));
  t.equal(await capOf(testOrg, 'ana'), 0);
});
