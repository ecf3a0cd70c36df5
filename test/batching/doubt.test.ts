// A decision without an answer in time costs nothing, whether it never ran, ran unseen, or runs late. Settlements
// happen once, however often they are sent.
import { Redis } from 'ioredis';
import t from 'tap';
import { ProblemError } from '../../src/errors/catalogue.js';
import type { Link } from '../support/fault-proxy.js';
import { skipWithoutRedis } from '../support/redis.js';
import { CYCLE, consumed, refund, reserve, setUp, until, untilSettled } from './support.js';

/** The machine may be busy; what must not happen is waiting for Redis. */
const NO_HANG_MS = 1_500;

t.test(
  'an answer that comes after the deadline: what it admitted is given back',
  { skip: skipWithoutRedis },
  async (t) => {
    const { link, batcher, direct } = await setUp(t);
    link.hold('toClient');
    const began = performance.now();
    await t.rejects(batcher.decide('acme', reserve('ana')), { code: 'store-unavailable' });
    t.ok(performance.now() - began < NO_HANG_MS, 'answered by the deadline, not by the connection');
    t.equal(await consumed(direct, 'ana'), 5, 'it had run');
    link.deliver('toClient');
    await untilSettled(t, batcher, direct, 'ana', 0);
  },
);

t.test(
  'a call that is delivered after the deadline runs late, and is given back',
  { skip: skipWithoutRedis },
  async (t) => {
    const { link, batcher, direct } = await setUp(t);
    link.hold('toStore');
    await t.rejects(batcher.decide('acme', reserve('ana')), { code: 'store-unavailable' });
    t.equal(await consumed(direct, 'ana'), 0);
    link.deliver('toStore');
    await until('it has run', async () =>
      (await direct.log('acme', 'journal', '', 100)).some(({ text }) => text.includes('|ana|')),
    );
    await untilSettled(t, batcher, direct, 'ana', 0);
  },
);

t.test(
  'an answer that is lost with its connection: found out and given back',
  { skip: skipWithoutRedis },
  async (t) => {
    const { link, proxy, batcher, direct } = await setUp(t);
    link.hold('toClient');
    const decision = batcher.decide('acme', reserve('ana'));
    await link.untilHeld('toClient');
    link.lose('toClient');
    proxy.refuse(true);
    link.cutClient();
    await t.rejects(decision, { code: 'store-unavailable' });
    proxy.refuse(false);
    await untilSettled(t, batcher, direct, 'ana', 0);
  },
);

t.test(
  'an answer that is lost with its connection: answered again within the deadline, charged once',
  { skip: skipWithoutRedis },
  async (t) => {
    const { link, batcher, direct } = await setUp(t, { deadlineMs: 2_000 });
    link.hold('toClient');
    const decision = batcher.decide('acme', reserve('ana'));
    await link.untilHeld('toClient');
    link.lose('toClient');
    link.cutClient();
    t.match((await decision).result, { status: 'admitted', bindingLimits: [{ quota: 'usage' }] });
    await untilSettled(t, batcher, direct, 'ana', 5);
  },
);

t.test(
  'a call that arrives twice, first over the next connection: charged once',
  { skip: skipWithoutRedis },
  async (t) => {
    const { link, batcher, direct } = await setUp(t, { deadlineMs: 2_000 });
    link.hold('toStore');
    const decision = batcher.decide('acme', reserve('ana'));
    await link.untilHeld('toStore');
    link.cutClient();
    t.equal((await decision).result.status, 'admitted');
    link.deliver('toStore');
    await untilSettled(t, batcher, direct, 'ana', 5);
    t.equal(
      (await batcher.decide('acme', reserve('ben'))).result.status,
      'admitted',
      'and the producer goes on',
    );
    await untilSettled(t, batcher, direct, 'ana', 5);
  },
);

t.test(
  'a reservation that arrives after it was given up does nothing',
  { skip: skipWithoutRedis },
  async (t) => {
    const { redis, link, proxy, batcher, direct } = await setUp(t);
    link.hold('toStore');
    const decision = batcher.decide('acme', reserve('ana'));
    await link.untilHeld('toStore');
    proxy.refuse(true);
    link.cutClient();
    await t.rejects(decision, { code: 'store-unavailable' });
    proxy.refuse(false);
    // The producer finds out over a new connection; the old call is still on its way.
    for (let attempt = 0; attempt < 100 && (await producerSeq(redis)) < 2; attempt += 1)
      await new Promise((resolve) => setTimeout(resolve, 20));
    link.deliver('toStore');
    await untilSettled(t, batcher, direct, 'ana', 0);
    t.equal(
      (await batcher.decide('acme', reserve('ben'))).result.status,
      'admitted',
      'and the producer goes on',
    );
  },
);

/** The highest number that any producer of the org has come to; the last calls of producers are not in a table of the port. */
async function producerSeq({ socket }: { readonly socket: string }): Promise<number> {
  const client = new Redis(socket);
  const fields = await client.hgetall('qg:{acme}:org');
  client.disconnect();
  const calls = Object.entries(fields).filter(([field]) => field.startsWith('!call:'));
  return Math.max(0, ...calls.map(([, record]) => Number(record.split('|')[0])));
}

t.test(
  'a refund whose answer is lost is sent again and happens once',
  { skip: skipWithoutRedis },
  async (t) => {
    const { link, proxy, batcher, direct } = await setUp(t);
    const admission = await batcher.decide('acme', reserve('ana'));
    await batcher.decide('acme', reserve('ana'));
    let lost = 0;
    const loseAnswer = (one: Link): void => {
      one.hold('toClient');
      one.untilHeld('toClient').then(() => {
        lost += 1;
        one.lose('toClient');
        if (lost === 2) proxy.onLink = () => undefined;
        one.cutClient();
      });
    };
    loseAnswer(link);
    await batcher.enqueueSettlement('acme', refund('ana', admission), CYCLE.start);
    await untilSettled(t, batcher, direct, 'ana', 5);
    t.ok(lost >= 1);
  },
);

t.test(
  'Redis stopped for two seconds: nothing hangs, nothing is charged, and service resumes',
  { skip: skipWithoutRedis },
  async (t) => {
    const { redis, batcher, direct } = await setUp(t);
    process.kill(redis.pid, 'SIGSTOP');
    const began = performance.now();
    let refusals = 0;
    while (performance.now() - began < 2_000) {
      const sent = performance.now();
      const burst = Array.from({ length: 20 }, (_, index) => batcher.decide('acme', reserve(`u${index}`)));
      for (const outcome of await Promise.allSettled(burst)) {
        t.equal(outcome.status, 'rejected');
        if (outcome.status === 'rejected') t.match(outcome.reason, ProblemError);
        refusals += 1;
      }
      t.ok(performance.now() - sent < NO_HANG_MS);
    }
    process.kill(redis.pid, 'SIGCONT');
    for (let index = 0; index < 20; index += 1) await untilSettled(t, batcher, direct, `u${index}`, 0);
    t.equal((await batcher.decide('acme', reserve('u0'))).result.status, 'admitted');
    t.comment(`${refusals} refused`);
  },
);

t.test(
  'a connection that falls silent is given up, and another one finds out',
  { skip: skipWithoutRedis },
  async (t) => {
    const { link, batcher, direct } = await setUp(t, { silenceMs: 300 });
    link.hold('toClient');
    await t.rejects(batcher.decide('acme', reserve('ana')), { code: 'store-unavailable' });
    await untilSettled(t, batcher, direct, 'ana', 0);
  },
);
