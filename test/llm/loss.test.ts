// Streams are charged after kill -9 and after an outage of the store: reported usage is kept, and what was served is
// charged once.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { startSampleAi } from '../../src/demo/sample-ai/index.js';
import { openRedis } from '../../src/ledger/redis/index.js';
import { figuresOf } from '../e2e/figures.js';
import { comesTo, until } from '../e2e/load.js';
import { spawnGateway } from '../support/gateway.js';
import { type RedisServer, skipWithoutRedis, startRedis } from '../support/redis.js';
import { post, type RawAnswer } from './raw.js';
import { type Bed, bedOf, OUTPUT_ONLY, orgsOf, QUOTAS, routesOf, totalOf } from './support.js';

const STREAMS = 50;
const HOLD_MS = 2_000;
/** A hold is renewed three times in its life, and looked at as often in between; the rest is for a busy machine. */
const RENEWED_WITHIN_MS = HOLD_MS / 3 + HOLD_MS / 9 + 500;
const CHAT = '/v1/chat/completions';

async function processes(t: Test, count: number, llm: string) {
  const folder = mkdtempSync(join(tmpdir(), 'quotagate-llm-'));
  const redis = await startRedis();
  const sample = await startSampleAi();
  const parts = {
    redis: redis.url,
    store: `, holdMs: ${HOLD_MS}`,
    upstream: sample.url,
    orgs: orgsOf(10_000_000),
    routes: routesOf(llm),
    quotas: QUOTAS,
  };
  const gateways = await Promise.all(Array.from({ length: count }, () => spawnGateway(parts, folder)));
  t.teardown(async () => {
    await Promise.all(gateways.map((gateway) => gateway.stop('SIGKILL')));
    await sample.close();
    await redis.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  return { redis, gateways, beds: gateways.map((gateway) => bedOf(sample, gateway)), sample };
}

function streams(bed: Bed, count: number, orders: (number: number) => string): Promise<RawAnswer[]> {
  const one = (number: number): Promise<RawAnswer> => {
    const messages = [{ role: 'user', content: `[[${orders(number)}]]` }];
    const body = { model: 'sample-1', messages, max_tokens: 5_000, stream: true };
    return post(bed.url + CHAT, { body, headers: bed.headers });
  };
  return Promise.all(Array.from({ length: count }, (_, number) => one(number)));
}

/** Counters, history and journal tell the same. */
async function agrees(t: Test, redis: RedisServer): Promise<void> {
  const ledger = await openRedis({ url: redis.url });
  const figures = await figuresOf(ledger, 'acme');
  t.strictSame(figures.held, {});
  t.strictSame(figures.recorded, figures.consumed, 'history and journal say the same');
  await ledger.close();
}

t.test(`kill -9 in ${STREAMS} streams`, { skip: skipWithoutRedis }, async (t) => {
  const { redis, gateways, beds, sample } = await processes(t, 2, OUTPUT_ONLY);
  const [survivor, victim] = beds as [Bed, Bed];
  const sent = (): number => sample.log.reduce((sum, { tokensSent }) => sum + tokensSent, 0);
  const begun = performance.now();
  const running = streams(victim, STREAMS, () => 'tokens=5000 delay=25');
  const history: { at: number; tokens: number }[] = [];
  const enough = 2 * HOLD_MS;
  await until('holds were renewed', () => {
    history.push({ at: performance.now(), tokens: sent() });
    return performance.now() - begun > enough;
  });
  t.equal(sample.log.length, STREAMS);
  const killedAt = performance.now();
  await gateways[1]?.stop('SIGKILL');
  await running;
  await until('the upstream has noticed', () => sample.log.every(({ served }) => served === 'aborted'));

  t.ok((await survivor.figures()).held > 0, 'the holds outlive it');
  const consumed = await survivor.settled(t);
  const reported = history.findLast(({ at }) => at < killedAt - RENEWED_WITHIN_MS)?.tokens ?? 0;
  t.ok(reported > 0 && consumed >= reported, `${consumed} consumed, ${reported} reported`);
  t.ok(consumed <= sent(), `${consumed} consumed, ${sent()} sent`);
  await agrees(t, redis);
});

t.test('an outage that outlives the holds', { skip: skipWithoutRedis }, async (t) => {
  const { redis, beds, sample } = await processes(t, 1, 'hold: ceiling');
  const [bed] = beds as [Bed];
  const count = 20;
  // Half of them end while the store is silent, half after.
  const running = streams(bed, count, (number) =>
    number % 2 === 0 ? 'tokens=60 delay=25' : 'tokens=60 delay=25 hold=50',
  );
  await until('all are under way', () => {
    return sample.log.length === count && sample.log.every(({ tokensSent }) => tokensSent >= 5);
  });
  process.kill(redis.pid, 'SIGSTOP');
  const stoppedAt = performance.now();
  await until('no hold is alive', () => performance.now() - stoppedAt > 2 * HOLD_MS);
  t.equal(sample.log.filter(({ served }) => served === 'whole').length, count / 2);
  process.kill(redis.pid, 'SIGCONT');
  sample.release();
  const answers = await running;
  t.ok(
    answers.every(({ status, whole }) => status === 200 && whole),
    'the streams did not notice',
  );
  const total = sample.log.reduce((sum, { usage }) => sum + totalOf(usage), 0);
  const figures = () => bed.figures();
  await comesTo(t, figures, { consumed: total, held: 0 }, 'all are charged');
  await agrees(t, redis);
});
