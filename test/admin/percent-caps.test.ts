// Z10, Z12: 20 % of a plan of 5,000 admits exactly 1,000, a top-up moves it with the next request, and a distribution gives everything.
import type { Op } from '../../src/ledger/port.js';
import { fixed, reserve } from '../support/ledgers.js';
import { ACME, applyNow, onBothLedgers, type Replicas } from './support.js';

/** How many units are admitted one by one, beginning with large steps. */
async function admitted({ ledger }: Replicas, user: string): Promise<number> {
  let sum = 0;
  for (const step of [1_000, 100, 10, 1]) {
    const ops: Op[] = Array.from({ length: 11 }, () => reserve(user, fixed('ai', step)));
    for (;;) {
      const { results } = await applyNow(ledger, 'acme', ops);
      const count = results.filter(({ status }) => status === 'admitted').length;
      sum += count * step;
      if (count < ops.length) break;
    }
  }
  return sum;
}

async function withPlan({ one }: Replicas, users: number): Promise<string[]> {
  await one('PUT', '/orgs/acme', { seats: 20, cycle: ACME.cycle });
  await one('PUT', '/orgs/acme/plans/ai', { allowance: 4_500, mode: 'hard' });
  const ids = ['ann', 'bob'];
  for (let index = ids.length; index < users; index += 1) {
    ids.push(`user-${index}`);
    await one('POST', '/orgs/acme/users', { id: `user-${index}`, status: 'active' });
    await one('PATCH', `/orgs/acme/users/user-${index}`, { status: 'active' });
  }
  return ids;
}

onBothLedgers('20 % of 5,000 is 1,000, and 1,500 after a top-up of 2,500', async (t, replicas) => {
  const { one } = replicas;
  // 4,500 and the 500 extra of Acme.
  await withPlan(replicas, 2);
  const made = await one('POST', '/orgs/acme/limits', { user: 'ann', quota: 'ai', percent: 20 });
  t.match(made.body, { percent: 20, cap: 1_000 });
  t.equal(await admitted(replicas, 'ann'), 1_000);
  await one('POST', '/orgs/acme/plans/ai/extra', { units: 2_500, reason: 'order 17' });
  t.equal(await admitted(replicas, 'ann'), 500, '1,500 in all');
  t.match((await one('GET', '/orgs/acme/limits/ai:u:ann')).body, {
    cap: 1_500,
    consumed: 1_500,
    status: 'blocked',
  });
});

for (const users of [3, 7])
  onBothLedgers(
    `distributed over ${users} users, 5,000 are given and consumed to the unit`,
    async (t, replicas) => {
      const { one } = replicas;
      const ids = await withPlan(replicas, users);
      const made = await one('POST', '/orgs/acme/limits/distribute', { quota: 'ai' });
      t.match([made.status, made.body.users, made.body.capsSum], [200, users, 5_000]);
      const sumOf = async () => {
        const { items, caps } = (await one('GET', '/orgs/acme/limits?quota=ai')).body;
        t.match(caps.ai, { state: 'exact', percentSum: 100, unconsumable: 0 });
        return items.reduce((sum: number, { cap }: { cap: number }) => sum + cap, 0);
      };
      t.equal(await sumOf(), 5_000);
      let consumed = 0;
      for (const id of ids) consumed += await admitted(replicas, id);
      t.equal(consumed, 5_000);
      await one('POST', '/orgs/acme/plans/ai/extra', { units: 1, reason: 'one more' });
      t.equal(await sumOf(), 5_001);
      for (const id of ids) consumed += await admitted(replicas, id);
      t.equal(consumed, 5_001);
      t.equal((await one('GET', '/orgs/acme/plans/ai')).body.remaining, 0);
    },
  );
