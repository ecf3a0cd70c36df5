// Calls that an earlier process left happen once, however many processes deliver them, and whenever those end.
import t from 'tap';
import type { UndeliveredCall } from '../../src/ledger/batching/index.js';
import { charges } from '../../src/quota/charge.js';
import { skipWithoutRedis } from '../support/redis.js';
import { CYCLE, consumed, reserve, setUp } from './support.js';

const skip = { skip: skipWithoutRedis };
const SERVED = charges('maps', [{ quota: 'usage', units: 3, kind: 'fixed' }]);

function charged(user: string, over: Partial<UndeliveredCall> = {}): UndeliveredCall {
  const op = {
    kind: 'charge',
    user,
    claims: '',
    charges: SERVED,
    at: CYCLE.start,
    estimated: false,
  } as const;
  const ops = [{ op, cycle: 0, void: false }];
  return { org: 'acme', epoch: 'e1', producer: 'earlier', seq: 1, inDoubt: false, ops, ...over };
}

t.test('two processes deliver the same call, and go on with requests of their own', skip, async (t) => {
  const { batcher, make, direct } = await setUp(t, { deadlineMs: 2_000 });
  const other = make();
  for (const each of [batcher, other]) await each.resume(charged('ana'));
  t.equal(await consumed(direct, 'ana'), 3, 'charged once');
  for (const user of ['ben', 'eva', 'kim'])
    for (const each of [batcher, other])
      t.match(await each.decide('acme', reserve(user)), { result: { status: 'admitted' } });
  for (const user of ['ben', 'eva', 'kim'])
    t.equal(await consumed(direct, user), 10, `${user}: each is charged`);
  await batcher.resume(charged('ana'));
  t.equal(await consumed(direct, 'ana'), 3, 'no request has used the producer of the call');
});

for (const seq of [1, 4])
  t.test(`for an org that was rebuilt, call ${seq} of its producer`, skip, async (t) => {
    const { batcher, make, direct, troubles } = await setUp(t);
    const { version } = await direct.read('acme', []);
    const changes = [{ set: 'org', field: 'lossAccepted', value: 'e1' }] as const;
    await direct.commit('acme', { version, changes, audit: '' });
    const left = charged('ana', { epoch: 'e0', seq });
    // One knows the new org, the others hear of it by this call.
    for (const each of [make(), batcher, make()]) await each.resume(left);
    t.equal(await consumed(direct, 'ana'), 3);
    await batcher.resume(left, true);
    t.equal(await consumed(direct, 'ana'), 3, 'nor is one sent that may be forgotten');
    t.ok(troubles.includes('charge-in-doubt'));
  });

t.test('for an org that lacks earlier calls of its producer', skip, async (t) => {
  const { batcher, make, direct } = await setUp(t);
  await batcher.resume(charged('eva'));
  const left = charged('ana', { seq: 4 });
  for (const each of [batcher, make()]) await each.resume(left);
  t.equal(await consumed(direct, 'ana'), 3);
});
