/**
 * A gateway with Redis under a short load in which everything happens that the metrics count: admitted and refused requests, AI answers,
 * holds, an overshoot, notices that arrive and that do not, a failing upstream, an export of the journal, and a store that stands still.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Test } from 'tap';
import { startSampleAi } from '../../src/demo/sample-ai/index.js';
import { as, ask, type GatewayProcess, type Reply, spawnGateway } from '../support/gateway.js';
import { startRedis } from '../support/redis.js';
import { waitFor } from '../support/redis-node.js';
import { TestSmtp } from '../support/smtp.js';
import { TestUpstream } from '../support/upstream.js';

export interface VariedRun {
  readonly gateway: GatewayProcess;
  /** Resolves when all of it has happened. */
  load(): Promise<void>;
}

const LOAD_MS = 4_000;
/** Between two rounds of requests. */
const PAUSE_MS = 100;
const STANDSTILL_MS = 1_500;

const ORGS = `
  acme:
    plans: { usage: { allowance: 100000 }, ai: { allowance: 10000000 } }
    users: { boss: { email: boss@example.com, role: admin }, ana: {}, ben: {}, eva: {} }
    limits: [{ user: ben, quota: usage, units: 1 }, { user: eva, quota: usage, units: 1 }]
  small: { plans: { usage: { allowance: 10 } } }
`;
const ROUTES = `
  - match: GET /unit
    action: unit
    upstream: up
    whenDown: { open: { units: 100000, seconds: 60 } }
    charges: [{ quota: usage, units: 1 }]
  - match: GET /measured
    action: measured
    upstream: up
    charges: [{ quota: usage, units: { responseHeader: x-cost }, hold: 1 }]
  - match: POST /v1/chat/completions
    action: chat
    upstream: models
    charges: [{ quota: ai, llm: { api: openai-chat } }]
  - { match: GET /dead, identity: none, upstream: dead }
`;

export async function startVariedRun(t: Test): Promise<VariedRun> {
  const folder = mkdtempSync(join(tmpdir(), 'quotagate-varied-'));
  const smtp = new TestSmtp({ starttls: false });
  const [redis, upstream, models] = await Promise.all([
    startRedis(),
    TestUpstream.start(),
    startSampleAi(),
    smtp.start(),
  ]);
  const mail = { host: '127.0.0.1', port: smtp.port, security: 'none', from: 'quota@example.com' };
  const gateway = await spawnGateway(
    {
      redis: redis.url,
      upstream: upstream.url,
      upstreams: { models: { url: models.url }, dead: { url: 'http://127.0.0.1:1' } },
      deadlineMs: 200,
      routes: ROUTES,
      orgs: ORGS,
      quotas: `
  ai: { unit: tokens }
models: [{ match: gpt-* }]
smtp: ${JSON.stringify(mail)}
journal: { exports: { archive: { folder: ${JSON.stringify(folder)} } } }`,
    },
    folder,
  );
  t.teardown(async () => {
    await gateway.stop('SIGKILL');
    await Promise.all([upstream.close(), models.close(), smtp.stop()]);
    await redis.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  return { gateway, load: () => loadIn({ at: gateway.gateway, upstream, smtp, redisPid: redis.pid }) };
}

interface Parts {
  readonly at: string;
  readonly upstream: TestUpstream;
  readonly smtp: TestSmtp;
  readonly redisPid: number;
}

async function loadIn({ at, upstream, smtp, redisPid }: Parts): Promise<void> {
  // Its hold is open, and the request in flight, until the end.
  const slow = ask(at, '/measured', { headers: { ...as('ana'), ...COSTS_ONE, 'x-test-hold': 'head' } });
  await rounds(at, 'ben', LOAD_MS / 2);
  // Past its hold and the pool.
  const costly = { ...as('kim', 'small'), 'x-test-fields': '["x-cost","50"]' };
  const { status, body } = await ask(at, '/measured', { headers: costly });
  if (status !== 200) throw new Error(`the costly request was answered ${status}: ${body}`);
  await waitFor('a notice has arrived', async () => smtp.mails.length > 0);
  // Nobody is told about the next user who is refused.
  smtp.mode = 'failing';
  await rounds(at, 'eva', LOAD_MS / 2);
  process.kill(redisPid, 'SIGSTOP');
  const meanwhile = rounds(at, 'eva', STANDSTILL_MS);
  await delay(STANDSTILL_MS / 3);
  upstream.release();
  await meanwhile;
  process.kill(redisPid, 'SIGCONT');
  await slow;
  await rounds(at, 'eva', STANDSTILL_MS);
}

const COSTS_ONE = { 'x-test-fields': '["x-cost","1"]' };

/** `spent`: a user whose limit is soon reached. */
async function rounds(at: string, spent: string, ms: number): Promise<void> {
  const until = performance.now() + ms;
  const asked: Promise<unknown>[] = [];
  while (performance.now() < until) {
    asked.push(...round(at, spent));
    await delay(PAUSE_MS);
  }
  await Promise.all(asked);
}

function round(at: string, spent: string): Promise<unknown>[] {
  const chat = (orders: string): Promise<Reply> => {
    const body = JSON.stringify({
      model: 'gpt-5',
      messages: [{ role: 'user', content: `Where is the sea? [[${orders}]]` }],
    });
    const headers = { ...as('ana'), 'content-type': 'application/json' };
    return ask(at, '/v1/chat/completions', { method: 'POST', headers, body });
  };
  return [
    // A claimed group that there is not, and a header that is dropped.
    ask(at, '/unit', { headers: { ...as('ana', 'acme', 'nobody'), a_b: '1' } }),
    ask(at, '/unit', { headers: as(spent) }),
    ask(at, '/measured', { headers: { ...as('ana'), ...COSTS_ONE } }),
    ask(at, '/dead'),
    ask(at, '/unit', { headers: { ...as('ana'), 'x-test-reset': '1' } }),
    chat('tokens=20 reasoning=5'),
    chat('tokens=20 usage=none'),
  ];
}
