// A repeated call is free only where the response marks a replay and the same call was charged in full before.
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import { ChargedCalls } from '../../src/gateway/replays.js';
import { admin, as, ask, startGateway } from '../support/gateway.js';
import { comesTo } from './load.js';

const QUOTAS = '  ai: { unit: tokens }';
const ORGS = `
  acme:
    plans: { usage: { allowance: 1000 }, ai: { allowance: 100000 } }
`;
const ROUTES = `
  - { match: POST /fixed, action: fixed, upstream: up, replayHeader: { name: idempotent-replayed }, charges: [{ quota: usage, units: 1 }] }
  - { match: POST /other, action: other, upstream: up, replayHeader: { name: x-replay, value: hit }, charges: [{ quota: usage, units: 1 }] }
  - { match: POST /plain, action: plain, upstream: up, charges: [{ quota: usage, units: 1 }] }
  - match: POST /v1/chat/completions
    action: chat
    upstream: up
    replayHeader: { name: idempotent-replayed }
    charges: [{ quota: ai, llm: { api: openai-chat } }, { quota: usage, units: 1 }]
`;
const USAGE = { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 };
const CHAT = JSON.stringify({ model: 'm', choices: [{ message: { content: 'hello there' } }], usage: USAGE });

async function setUp(t: Test, answer: (response: ServerResponse) => void) {
  const bodies: string[] = [];
  const upstream = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      bodies.push(body);
      answer(response);
    });
  });
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  const { port } = upstream.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  const gateway = await startGateway({ upstream: url, orgs: ORGS, routes: ROUTES, quotas: QUOTAS });
  t.teardown(async () => {
    await gateway.close();
    upstream.close();
  });
  const consumed = { usage: 0, ai: 0 };
  const figures = async () => {
    const { body } = await admin(gateway.admin, 'GET', '/orgs/acme/usage');
    const { org } = body as { org: { quota: string; consumed: number; held: number }[] };
    const of = (quota: string) => org.find((one) => one.quota === quota);
    return { usage: of('usage')?.consumed ?? 0, ai: of('ai')?.consumed ?? 0, held: of('ai')?.held ?? 0 };
  };
  const send = async (call: CallParts): Promise<void> => {
    const { path = '/fixed', user = 'ana', key = 'k', body = '{"n":1}', headers = {} } = call;
    const all = { ...as(user), 'content-type': 'application/json', 'idempotency-key': key, ...headers };
    await ask(gateway.gateway, path, { method: 'POST', headers: all, body }).catch(() => undefined);
  };
  /** Sends a call and expects this charge. */
  const costs = async (what: string, call: CallParts, usage: number, ai = 0) => {
    await send(call);
    consumed.usage += usage;
    consumed.ai += ai;
    await comesTo(t, figures, { ...consumed, held: 0 }, what);
  };
  /** Sends a call and expects an estimated charge. */
  const costsSome = async (what: string, call: CallParts) => {
    await send(call);
    consumed.usage += 1;
    const { ai: before } = consumed;
    const isDone = async () => {
      const { usage, ai, held } = await figures();
      consumed.ai = ai;
      return usage === consumed.usage && ai > before && held === 0;
    };
    await comesTo(t, isDone, true, what);
  };
  const metric = async (name: string): Promise<string[]> => {
    const { body } = await ask(gateway.ops, '/metrics');
    return body.split('\n').filter((line) => line.startsWith(name));
  };
  return { costs, costsSome, bodies, metric };
}

interface CallParts {
  readonly path?: string;
  readonly user?: string;
  readonly key?: string;
  readonly body?: string;
  readonly headers?: Record<string, string>;
}

t.test('replays on routes with fixed costs', async (t) => {
  let fields: Record<string, string | string[]> = { 'idempotent-replayed': 'true' };
  let status = 200;
  const { costs, bodies, metric } = await setUp(t, (response) => {
    response.writeHead(status, fields).end('ok');
  });
  await costs('a mark without an earlier call', {}, 1);
  await costs('the same call again', {}, 0);
  await costs('and again', {}, 0);
  t.strictSame(bodies, ['{"n":1}', '{"n":1}', '{"n":1}']);
  await costs('another body', { body: '{"n":2}' }, 1);
  await costs('another user', { user: 'eva' }, 1);
  await costs('another key', { key: 'l' }, 1);
  await costs('another query', { path: '/fixed?a=1' }, 1);
  await costs('a body that is not JSON', { body: 'n=1', headers: { 'content-type': 'text/csv' } }, 1);
  await costs('the same again', { body: 'n=1', headers: { 'content-type': 'text/csv' } }, 0);
  await costs('a route with another replay header', { path: '/other' }, 1);
  await costs('again', { path: '/other' }, 1);
  await costs('a route without the setting', { path: '/plain' }, 1);
  await costs('again', { path: '/plain' }, 1);
  await costs('no key', { key: '' }, 1);
  await costs('again', { key: '' }, 1);
  fields = { 'idempotent-replayed': 'false' };
  await costs('not marked', {}, 1);
  fields = { 'idempotent-replayed': ['true', 'true'] };
  await costs('marked twice', {}, 1);
  fields = {};
  await costs('no mark', {}, 1);
  fields = { 'x-replay': 'HIT' };
  await costs('the mark of the other route', {}, 1);
  await costs('on that route', { path: '/other' }, 0);
  fields = { 'idempotent-replayed': 'true' };
  status = 500;
  await costs('a status that does not count', { key: 'm' }, 0);
  status = 200;
  await costs('the replay of a call that was not charged', { key: 'm' }, 1);
  t.strictSame((await metric('quotagate_replays_total')).sort(), [
    'quotagate_replays_total{outcome="charged"} 7',
    'quotagate_replays_total{outcome="free"} 4',
  ]);
});

t.test('replays on routes whose response states the cost', async (t) => {
  let mark: Record<string, string> = {};
  let cut = false;
  let body = CHAT;
  const { costs, costsSome, metric } = await setUp(t, (response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length, ...mark });
    if (cut) response.write(body.slice(0, 40), () => setTimeout(() => response.destroy(), 20));
    else response.end(body);
  });
  const call = {
    path: '/v1/chat/completions',
    body: JSON.stringify({ model: 'm', max_tokens: 10, messages: [{ role: 'user', content: 'hi' }] }),
  };
  const tokens = async () => (await metric('quotagate_tokens_total{model="other",class="output"}')).join();
  await costs('the first', call, 1, 10);
  t.match(await tokens(), / 3$/);
  mark = { 'idempotent-replayed': 'true' };
  await costs('its replay', call, 0, 0);
  t.match(await tokens(), / 3$/, 'its tokens are not counted');
  await costs('a replay without an earlier call', { ...call, key: 'l' }, 1, 10);
  t.match(await tokens(), / 6$/);
  body = JSON.stringify({ model: 'm', choices: [{ message: { content: 'x'.repeat(3) } }] });
  await costsSome('a call charged at the estimate', { ...call, key: 'm' });
  body = CHAT;
  await costs('the replay of an estimated call is charged', { ...call, key: 'm' }, 1, 10);
  await costs('its next replay is free', { ...call, key: 'm' }, 0, 0);
  cut = true;
  mark = {};
  await costsSome('a truncated response', { ...call, key: 'n' });
  cut = false;
  mark = { 'idempotent-replayed': 'true' };
  await costs('the replay of a truncated response is charged', { ...call, key: 'n' }, 1, 10);
});

t.test('charged calls are remembered for a day, up to a maximum number', async (t) => {
  let now = 0;
  const calls = new ChargedCalls(() => now, 2);
  calls.add('a');
  calls.add('b');
  calls.add('a');
  calls.add('c');
  t.strictSame(
    ['a', 'b', 'c'].map((one) => calls.has(one)),
    [true, false, true],
    'the oldest is forgotten',
  );
  now = 24 * 3_600_000 - 1;
  t.ok(calls.has('a'));
  now += 1;
  t.notOk(calls.has('a'), 'forgotten after a day');
});
