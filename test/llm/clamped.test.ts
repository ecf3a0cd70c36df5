// If less remains than a request asks for, the output limit of every API is lowered to the rest, however it was stated.
import t from 'tap';
import { ask } from '../support/gateway.js';
import { APIS, factsOf, post } from './raw.js';
import { setUp, totalOf } from './support.js';

const ALLOWANCE = 300;

type Members = Record<string, unknown>;

/** Where each API states its ceiling, and how a request states one. */
const CEILINGS: Readonly<Record<string, { at: readonly string[]; ways: readonly Members[] }>> = {
  'openai-chat': { at: ['max_tokens'], ways: [{ max_tokens: 5_000 }] },
  'openai-completions': { at: ['max_tokens'], ways: [{ max_tokens: 5_000 }] },
  'openai-responses': { at: ['max_output_tokens'], ways: [{ max_output_tokens: 5_000 }] },
  'azure-openai': { at: ['max_completion_tokens'], ways: [{ max_completion_tokens: 5_000 }] },
  'anthropic-messages': { at: ['max_tokens'], ways: [{ max_tokens: 5_000 }] },
  gemini: {
    at: ['generationConfig', 'maxOutputTokens'],
    ways: [{ generationConfig: { maxOutputTokens: 5_000 } }],
  },
};

function at(body: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((value, name) => (value as Members | undefined)?.[name], body);
}

for (const { api, path, streamPath = path, body } of APIS) {
  t.test(api, async (t) => {
    const { at: place = [], ways = [] } = CEILINGS[api] ?? {};
    for (const stream of [false, true]) {
      for (const way of ways) {
        const bed = await setUp(t, { allowance: ALLOWANCE, llm: 'whenShort: clamp' });
        const send = (members: Members) =>
          post(bed.url + (stream ? streamPath : path), { body: members, headers: bed.headers });
        const asked = { ...body('Go on. [[tokens=1000]]', stream), ...way };
        const answer = await send(asked);
        t.equal(answer.status, 200);
        const ceiling = Number(answer.headers['quotagate-clamped']);
        t.ok(ceiling > ALLOWANCE / 2 && ceiling < ALLOWANCE, `${ceiling}`);
        t.equal(at(bed.last().body, place), ceiling, 'the upstream was asked for no more');
        t.equal(bed.last().usage?.output, ceiling);
        const consumed = await bed.settled(t);
        t.equal(consumed, totalOf(bed.last().usage));
        t.ok(consumed <= ALLOWANCE, `${consumed} of ${ALLOWANCE}`);
        const last = bed.sample.log.length;
        const refused = await send({ ...asked, ...body('x'.repeat(400), stream) });
        t.equal(refused.status, 429, 'not even the input fits');
        t.equal(bed.sample.log.length, last);
      }
    }
  });
}

t.test('each of several answers gets its part', async (t) => {
  const bed = await setUp(t, { allowance: ALLOWANCE, llm: 'whenShort: clamp' });
  const { path, body } = factsOf('openai-chat');
  const asked = { ...body('[[tokens=1000]]', false), n: 4, max_tokens: 1_000 };
  const answer = await post(bed.url + path, { body: asked, headers: bed.headers });
  const ceiling = Number(answer.headers['quotagate-clamped']);
  t.ok(ceiling > 60 && ceiling <= ALLOWANCE / 4, `${ceiling}`);
  t.equal(bed.last().usage?.output, 4 * ceiling);
  t.ok((await bed.settled(t)) <= ALLOWANCE);
});

t.test('a request without an output limit gets one', async (t) => {
  for (const { api, path, body } of APIS.filter(({ alwaysCeiling }) => alwaysCeiling !== true)) {
    const bed = await setUp(t, { allowance: ALLOWANCE, llm: 'whenShort: clamp' });
    const answer = await post(bed.url + path, { body: body('[[tokens=1000]]', false), headers: bed.headers });
    t.equal(bed.last().usage?.output, Number(answer.headers['quotagate-clamped']), api);
    t.ok((await bed.settled(t)) <= ALLOWANCE, api);
  }
});

/** Operations that the gateway has sent to the store. */
async function operations(ops: string): Promise<number> {
  const { body } = await ask(ops, '/metrics');
  return Number(/^quotagate_store_call_operations_sum(?:\{.*\})? (\d+)$/m.exec(body)?.[1]);
}

t.test('a clamped request asks the store once', async (t) => {
  const bed = await setUp(t, { allowance: ALLOWANCE, llm: 'whenShort: clamp' });
  await bed.limit('ana', ALLOWANCE - 50);
  const { path, body } = factsOf('openai-chat');
  const asked = { ...body('[[tokens=20]]', false), max_tokens: 5_000 };
  const before = await operations(bed.ops);
  const answer = await post(bed.url + path, { body: asked, headers: bed.headers });
  t.equal(answer.status, 200);
  t.ok(Number(answer.headers['quotagate-clamped']) < ALLOWANCE - 50);
  await bed.settled(t);
  t.equal((await operations(bed.ops)) - before, 2, 'one decision and one settlement');
});

t.test('a cost that no clamp makes smaller is asked about once', async (t) => {
  const charges = '[{ quota: ai, llm: { api: openai-chat, whenShort: clamp } }, { quota: usage, units: 1 }]';
  const bed = await setUp(t, {
    routes: `\n  - { match: 'POST /v1/chat/completions', action: chat, upstream: up, charges: ${charges} }\n`,
    orgs: '\n  acme:\n    plans:\n      ai: { allowance: 100000 }\n      usage: { allowance: 0.5 }\n',
  });
  const { path, body } = factsOf('openai-chat');
  const before = await operations(bed.ops);
  const answer = await post(bed.url + path, { body: body('Hello', false), headers: bed.headers });
  t.equal(answer.status, 429);
  t.equal((await operations(bed.ops)) - before, 1);
});
