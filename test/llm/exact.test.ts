// What is charged is what the upstream reports, to the token: every API, JSON and streamed, however the bytes come.
import t from 'tap';
import type { Usage } from '../../src/demo/sample-ai/index.js';
import { APIS, factsOf, post } from './raw.js';
import { type Bed, MATCHES, setUp, totalOf } from './support.js';

/** Of a thousandth of a credit. */
const WEIGHTS = { input: 1, cachedInput: 0.1, cacheWrite: 1.25, output: 4, reasoning: 6 };

/** In hundredths of a weighted token, which are whole numbers. */
function weighted({ input, cached, written, output, reasoning }: Usage): number {
  const { input: plain, cachedInput, cacheWrite, output: out, reasoning: thought } = WEIGHTS;
  const hundredths = [
    (input - cached - written) * plain * 100,
    cached * cachedInput * 100,
    written * cacheWrite * 100,
    (output - reasoning) * out * 100,
    reasoning * thought * 100,
  ].map(Math.round);
  return hundredths.reduce((sum, one) => sum + one, 0);
}

/** Prompts, and how the bytes of their streams come. */
const WAYS = [
  'tokens=30',
  'tokens=30 reasoning=7 cached=5 written=3',
  'tokens=30 prompt=5000 cached=1234 reasoning=100',
  'tokens=25 cached=2 split=1',
  'tokens=25 reasoning=3 split=2 crlf comments',
  'tokens=25 coding=gzip insist cached=4',
  'tokens=25 coding=br insist split=3',
  'tokens=0',
];

async function one(bed: Bed, path: string, body: unknown, fields: Record<string, string> = {}) {
  const headers = { ...bed.headers, 'accept-encoding': 'gzip, br', ...fields };
  const answer = await post(bed.url + path, { body, headers });
  return { ...answer, usage: bed.last().usage };
}

t.test('tokens, one for one', async (t) => {
  const bed = await setUp(t);
  let consumed = 0;
  for (const { api, path, streamPath = path, body } of APIS) {
    for (const way of WAYS) {
      for (const stream of [false, true]) {
        const what = `${api} ${stream ? 'stream' : 'JSON'} ${way}`;
        const { status, whole, usage } = await one(
          bed,
          stream ? streamPath : path,
          body(`Tell me [[${way}]]`, stream),
        );
        t.equal(status, 200, what);
        t.ok(whole, what);
        t.equal(bed.last().stream, stream);
        consumed += totalOf(usage);
        await bed.settles(t, consumed, what);
      }
    }
  }
  const { usage } = await one(bed, '/v1/embeddings', { model: 'sample-1', input: ['a b c', 'd'] });
  consumed += totalOf(usage);
  await bed.settles(t, consumed, 'embeddings');
  const array = '/v1beta/models/sample-1:streamGenerateContent';
  const streamed = await one(bed, array, factsOf('gemini').body('[[tokens=9 reasoning=3]]', true));
  consumed += totalOf(streamed.usage);
  await bed.settles(t, consumed, 'a Gemini stream that is one array');
  const many = await one(bed, '/v1/chat/completions', {
    ...factsOf('openai-chat').body('[[tokens=9]]', true),
    n: 3,
  });
  t.equal(many.usage?.output, 27);
  consumed += totalOf(many.usage);
  await bed.settles(t, consumed, 'three choices');
});

t.test('a hold that grows with its answer is settled as exactly', async (t) => {
  const bed = await setUp(t, { llm: 'hold: step, stepTokens: 8' });
  let consumed = 0;
  for (const { api, path, streamPath = path, body } of APIS) {
    for (const way of [
      'tokens=100',
      'tokens=100 reasoning=50 cached=3 delay=1',
      'tokens=100 burst',
      'tokens=3',
    ]) {
      for (const stream of [false, true]) {
        const { status, usage } = await one(bed, stream ? streamPath : path, body(`[[${way}]]`, stream));
        t.equal(status, 200);
        consumed += totalOf(usage);
        await bed.settles(t, consumed, `${api} ${stream ? 'stream' : 'JSON'} ${way}`);
      }
    }
  }
});

t.test('weights, several charges, one request', async (t) => {
  const weights = Object.entries(WEIGHTS).map(([name, weight]) => `${name}: ${weight}`);
  const charges = (api: string) => `
      - { quota: credits, llm: { api: ${api}, per: 1000, weights: { ${weights.join(', ')} } } }
      - { quota: ai, llm: { api: ${api} } }
      - { quota: usage, units: 0.1 }`;
  const routes = APIS.map(
    ({ api }) => `
  - match: ${MATCHES[api]}
    action: ${api}
    upstream: up
    charges:${charges(api)}`,
  );
  const bed = await setUp(t, { routes: `${routes.join('')}\n` });
  let tokens = 0;
  let hundredths = 0;
  let requests = 0;
  for (const { api, path, streamPath = path, body, unreported } of APIS) {
    for (const stream of [false, true]) {
      const prompt = '[[prompt=400 cached=100 written=40 reasoning=20 tokens=30]]';
      const { status, usage } = await one(bed, stream ? streamPath : path, body(prompt, stream));
      t.equal(status, 200);
      requests += 1;
      tokens += totalOf(usage);
      hundredths += usage === undefined ? Number.NaN : weighted({ ...usage, ...unreported });
      const what = `${api} ${stream ? 'stream' : 'JSON'}`;
      await bed.settles(t, tokens, `${what}: tokens`);
      await bed.settles(t, hundredths / 100_000, `${what}: credits`, 'credits');
      await bed.settles(t, requests / 10, `${what}: requests`, 'usage');
    }
  }
});
