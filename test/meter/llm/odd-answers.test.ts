// An answer whose usage is missing, late or nonsense is charged an estimate above 0 and marked; a usable one to the token.
import t from 'tap';
import { APIS, type Api, type LlmOptions } from '../../../src/meter/llm/index.js';
import { UNITS_MAX } from '../../../src/quota/charge.js';
import { CHAT_EVENTS, events, SAMPLES } from './answers.js';
import { type Answer, AZURE_QUERY, charged as chargedCosts, meterOf, PATHS, pass, priced } from './drive.js';

const SSE = { type: 'text/event-stream' };
const TEXT = 'x'.repeat(300);
const PROMPT = { input: 0, cachedInput: 0, cacheWrite: 0, output: 1, reasoning: 1 };

async function charged(
  api: Api,
  body: unknown,
  answer: Answer = {},
  request: object = {},
  more: Partial<LlmOptions> = {},
) {
  const meter = meterOf(api, more);
  const asked = { model: 'm', max_tokens: 1000, ...request };
  const one = await priced(meter, api === 'gemini' ? {} : asked, PATHS[api], { query: AZURE_QUERY });
  const passed = await pass(one, Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)), answer);
  await meter.close();
  return { ...passed, cost: passed.costs[0], held: one.charges.items[0]?.units ?? 0 };
}

const chat = (usage: unknown, more: object = {}) => ({
  choices: [{ message: { role: 'assistant', content: TEXT } }],
  usage,
  ...more,
});
const UNUSABLE: unknown[] = [
  undefined,
  null,
  0,
  'many',
  [],
  [5],
  {},
  { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 },
  { prompt_tokens: -5, completion_tokens: 10 },
  { prompt_tokens: '5', completion_tokens: 10 },
  { prompt_tokens: 5, completion_tokens: 1.5 },
  { prompt_tokens: 5, completion_tokens: 9e15 },
  { prompt_tokens: 5, completion_tokens: 1e300 },
];

t.test('usage that cannot be used: input by the prompt, output by the text', async (t) => {
  for (const usage of UNUSABLE) {
    const { cost } = await charged('openai-chat', chat(usage), {}, {}, { weights: PROMPT });
    t.strictSame(cost, { units: 100, estimated: true }, JSON.stringify(usage));
  }
});

t.test('usage that contradicts itself: never negative, never below the total', async (t) => {
  const cases: [object, number][] = [
    [{ prompt_tokens: 5, completion_tokens: 60, total_tokens: 1 }, 65],
    [{ prompt_tokens: 5, completion_tokens: 60, total_tokens: 100 }, 100],
    [{ prompt_tokens: 5, completion_tokens: 60, total_tokens: -3 }, 65],
    [
      {
        prompt_tokens: 208,
        completion_tokens: 60,
        total_tokens: 268,
        prompt_tokens_details: { cached_tokens: 314 },
      },
      268,
    ],
    [{ prompt_tokens: 208, completion_tokens: 60, prompt_tokens_details: { cached_tokens: 314 } }, 582],
    [
      {
        prompt_tokens: 5,
        completion_tokens: 60,
        total_tokens: 65,
        completion_tokens_details: { reasoning_tokens: 62 },
      },
      65,
    ],
    [{ prompt_tokens: 5, completion_tokens: 60, completion_tokens_details: { reasoning_tokens: 99 } }, 164],
    [
      {
        prompt_tokens: 108,
        completion_tokens: 3_256,
        total_tokens: 3_364,
        completion_tokens_details: { reasoning_tokens: 73_248 },
      },
      76_612,
    ],
    [
      {
        prompt_tokens: 5,
        completion_tokens: 60,
        prompt_tokens_details: { cached_tokens: -4, cache_write_tokens: 'x' },
      },
      65,
    ],
    [
      {
        prompt_tokens: 12,
        completion_tokens: 2,
        total_tokens: 334,
        completion_tokens_details: { reasoning_tokens: 320 },
      },
      334,
    ],
    [{ total_tokens: 77 }, 77],
    [{ prompt_tokens: 5, completion_tokens: 5_000_000 }, 5_000_005],
  ];
  for (const [usage, units] of cases) {
    const { cost, report } = await charged('openai-chat', chat(usage));
    t.strictSame(cost, { units, estimated: false }, JSON.stringify(usage));
    const { input = 0, cachedInput = 0, cacheWrite = 0, output = 0, reasoning = 0 } = report?.usage ?? {};
    t.ok(input - cachedInput - cacheWrite >= 0 && output - reasoning >= 0 && cacheWrite >= 0);
  }
});

t.test(
  'a usage that shrinks in a stream stays what it was; one that then turns to nonsense is an estimate',
  async (t) => {
    const step = (completion: unknown, finish: string | null = null) => ({
      choices: [{ delta: { content: 'abc' }, finish_reason: finish }],
      usage: { prompt_tokens: 5, completion_tokens: completion },
    });
    t.strictSame((await charged('openai-chat', events([step(50), step(20)]), SSE, { stream: true })).cost, {
      units: 55,
      estimated: false,
    });
    const spoilt = await charged('openai-chat', events([step(50), step(-20)]), SSE, { stream: true });
    t.strictSame(spoilt.cost, { units: 55, estimated: true });
  },
);

t.test('no answer of any shape is free', async (t) => {
  const bodies = [
    '',
    '{',
    '[]',
    'null',
    '"hi"',
    '<html>no</html>',
    'data: {',
    ': hi\n\n',
    'data: [DONE]\n\n',
    'data: {"a":1}\n\n',
    '{"a":1}',
  ];
  // Moderations cost nothing, so their answers have no reader; audio takes forms.
  for (const api of APIS.filter((one) => one !== 'openai-moderations' && one !== 'openai-audio')) {
    for (const body of bodies) {
      for (const answer of [
        SSE,
        {},
        { coding: 'gzip' },
        { coding: 'unheard-of' },
        { whole: false },
      ] as Answer[]) {
        const { cost, client } = await charged(api, body, answer);
        t.ok((cost?.units ?? 0) > 0 && cost?.estimated === true, `${api} ${body} ${JSON.stringify(answer)}`);
        if (client.toString() !== body) t.equal(client.toString(), body);
      }
    }
  }
});

t.test('a client that disconnects: the received output is charged, never the whole hold', async (t) => {
  const list = CHAT_EVENTS.slice(0, 3);
  const { cost, report, held } = await charged(
    'openai-chat',
    events(list),
    { ...SSE, whole: false },
    { stream: true },
  );
  t.equal(cost?.estimated, true);
  t.ok(report !== undefined && report.usage.output > 10 && report.usage.input > 0);
  t.ok((cost?.units ?? 0) < held);
  const long = Array.from({ length: 20 }, () => ({ choices: [{ delta: { content: TEXT } }] }));
  const bounded = await charged(
    'openai-chat',
    events(long),
    { ...SSE, whole: false },
    { stream: true, max_tokens: 1500 },
  );
  t.equal(bounded.report?.usage.output, 1500, 'text is at most what the upstream was reported to stop at');
  const ignored = await charged(
    'openai-chat',
    events(long),
    { ...SSE, whole: false },
    { stream: true, max_tokens: 100 },
  );
  t.equal(ignored.report?.usage.output, 2000, 'far more text than the ceiling shows that it was not kept to');
});

t.test('a client that leaves after the usage has come: to the token', async (t) => {
  for (const sample of SAMPLES.filter(({ type, api }) => type === SSE.type && api !== 'gemini')) {
    const meter = meterOf(sample.api);
    const one = await priced(meter, sample.request, sample.path, { query: sample.query });
    const { costs } = await pass(one, Buffer.from(sample.body), { ...SSE, whole: false });
    t.strictSame(costs, [{ units: 65, estimated: false }], sample.name);
    await meter.close();
  }
});

t.test('a client that leaves before any answer pays for its prompt', async (t) => {
  const meter = meterOf('openai-chat');
  const { reader, charges } = await priced(
    meter,
    { model: 'm', max_tokens: 10, stream: true },
    PATHS['openai-chat'],
  );
  t.strictSame(reader?.progress(), [0]);
  t.strictSame(chargedCosts((await reader?.costs(false)) ?? []), [
    { units: (charges.items[0]?.units ?? 0) - 10, estimated: true },
  ]);
  await meter.close();
});

t.test('progress follows the stream', async (t) => {
  const meter = meterOf('openai-chat', { weights: PROMPT });
  const { reader } = await priced(
    meter,
    { model: 'm', max_tokens: 1000, stream: true },
    PATHS['openai-chat'],
  );
  reader?.head(200, [Buffer.from('content-type'), Buffer.from('text/event-stream')]);
  t.strictSame(reader?.progress(), [0]);
  for (const due of [100, 200, 300]) {
    reader?.data(Buffer.from(events([{ choices: [{ delta: { content: TEXT } }] }])));
    t.strictSame(reader?.progress(), [due]);
  }
  await meter.close();
});

t.test('errors inside a 200', async (t) => {
  const failed = {
    type: 'response.failed',
    response: { status: 'failed', error: { code: 'x' }, usage: null },
  };
  t.equal((await charged('openai-responses', events([failed]), SSE, { stream: true })).cost?.estimated, true);
  const groq = [
    { choices: [{ delta: { content: TEXT } }], usage: { prompt_tokens: 9, completion_tokens: 9 } },
    { error: { message: 'x' } },
  ];
  const { cost, report } = await charged('openai-chat', events(groq), SSE, { stream: true });
  t.equal(cost?.estimated, true);
  t.strictSame(
    [report?.usage.input, report?.usage.output],
    [9, 100],
    'the prompt by its word, the output by the text',
  );
});

t.test('a stream that begins with an error and brings nothing is void', async (t) => {
  const error = { error: { message: 'overloaded', code: 529 } };
  const text = { choices: [{ delta: { content: TEXT } }] };
  const usage = { choices: [], usage: { prompt_tokens: 9, completion_tokens: 0 } };
  const isVoid = async (api: Api, documents: object[], more: object, path = PATHS[api]) => {
    const meter = meterOf(api);
    const one = await priced(meter, { model: 'm', max_tokens: 10, ...more }, path);
    await pass(one, Buffer.from(events(documents)), SSE);
    await meter.close();
    return one.reader?.isVoid?.();
  };
  const stream = { stream: true };
  t.equal(await isVoid('openai-chat', [error], stream), true);
  t.equal(await isVoid('openai-chat', [error, error], stream), true);
  t.equal(await isVoid('anthropic-messages', [{ type: 'error', ...error }], stream), true);
  const gemini = '/v1beta/models/gemini-2.5-flash:streamGenerateContent';
  t.equal(await isVoid('gemini', [error], { max_tokens: undefined }, gemini), true);
  for (const documents of [[text, error], [error, text], [error, usage], [{ choices: [] }, error], []])
    t.not(await isVoid('openai-chat', documents, stream), true, JSON.stringify(documents).slice(0, 60));
  t.not(await isVoid('openai-chat', [error], {}), true, 'no stream was asked for');
  const failed = { type: 'response.failed', response: { error: { code: 'x' } } };
  t.not(await isVoid('openai-responses', [failed], { ...stream, max_tokens: undefined }), true);
});

t.test('a response in the background is charged its hold, until somebody fetches it', async (t) => {
  const queued = { object: 'response', status: 'queued', usage: null, output: [] };
  const { cost, held } = await charged(
    'openai-responses',
    queued,
    {},
    { background: true, max_output_tokens: 500 },
  );
  t.strictSame(cost, { units: held, estimated: true });
  const request = { background: true, stream: true, max_output_tokens: 500 };
  const [created, completed] = [
    { type: 'response.created', response: { status: 'queued', background: true } },
    { type: 'response.completed', response: { usage: { input_tokens: 3, output_tokens: 4 } } },
  ];
  const left = await charged('openai-responses', events([created]), { ...SSE, whole: false }, request);
  t.strictSame(left.cost, { units: left.held, estimated: true }, 'it goes on when its stream is left');
  const unseen = await charged('openai-responses', '', { ...SSE, whole: false }, request);
  t.strictSame(unseen.cost, { units: unseen.held, estimated: true }, 'seen or not');
  const read = await charged('openai-responses', events([created, completed]), SSE, request);
  t.strictSame(read.cost, { units: 7, estimated: false });
});

t.test('paths that only the upstream takes for the same', async (t) => {
  const body = events([
    { type: 'response.output_text.delta', delta: TEXT },
    { type: 'response.completed', response: { usage: { input_tokens: 3, output_tokens: 400 } } },
  ]);
  const paths: [Api, string][] = [
    ['openai-compatible', '/v1/responses/'],
    ['openai-compatible', '/v1/Responses'],
    ['azure-openai', '/openai/v1/responses/'],
    ['azure-openai', '/openai/deployments/m/RESPONSES'],
  ];
  for (const [api, path] of paths) {
    const meter = meterOf(api);
    const one = await priced(meter, { model: 'm', stream: true }, path);
    const { costs } = await pass(one, Buffer.from(body), SSE);
    t.strictSame(costs, [{ units: 403, estimated: false }], `${api} ${path}`);
    await meter.close();
  }
});

t.test('events that are no JSON count as text', async (t) => {
  const body = `data: ${TEXT}\n\ndata: [DONE]\n\n`;
  const { cost } = await charged('openai-chat', body, SSE, { stream: true }, { weights: PROMPT });
  t.strictSame(cost, { units: 100, estimated: true });
});

t.test('a large answer whose reasoning is only in the total', async (t) => {
  const usage = { prompt_tokens: 10, completion_tokens: 2, total_tokens: 332 };
  for (const logprobs of ['', 'x'.repeat(300_000), 'x'.repeat(600_000)]) {
    const { report } = await charged('openai-chat', chat(usage, { logprobs }));
    t.strictSame([report?.usage.input, report?.usage.output], [10, 322], `${logprobs.length} bytes more`);
  }
});

t.test('a large part of a list that is read slowly does not outlive the last word', async (t) => {
  const meter = meterOf('gemini');
  const part = (data: string, output: number, more: object = {}) => ({
    candidates: [{ content: { parts: [{ inlineData: { data } }] }, ...more }],
    usageMetadata: { promptTokenCount: 5, candidatesTokenCount: output },
  });
  const last = part('', 1290, { finishReason: 'STOP' });
  for (const sizes of [[900_000], [900_000, 300_000]]) {
    const list = [...sizes.map((size) => part('A'.repeat(size), 1)), last];
    const one = await priced(meter, {}, '/v1beta/models/m:streamGenerateContent');
    const { costs } = await pass(one, Buffer.from(JSON.stringify(list)), {});
    t.strictSame(costs, [{ units: 1295, estimated: false }]);
  }
  await meter.close();
});

t.test('a large answer is not parsed in whole', async (t) => {
  for (const size of [300_000, 900_000]) {
    const data = [{ embedding: 'A'.repeat(size) }];
    const body = { object: 'list', data, usage: { prompt_tokens: 7, total_tokens: 7 } };
    t.strictSame((await charged('openai-embeddings', body)).cost, { units: 7, estimated: false });
    t.equal((await charged('openai-embeddings', { data })).cost?.estimated, true);
    t.equal((await charged('openai-embeddings', `${JSON.stringify(body)}}`)).cost?.estimated, true);
  }
  const huge = `{"data":"${'A'.repeat(9_000_000)}","usage":{"prompt_tokens":7}}`;
  t.equal((await charged('openai-chat', huge, { chunkBytes: 65_536 })).cost?.estimated, true);
});

t.test('never above what can be counted', async (t) => {
  const weights = { ...PROMPT, output: 1e12 };
  const { cost } = await charged(
    'openai-chat',
    chat({ prompt_tokens: 1, completion_tokens: 1e6 }),
    {},
    { max_tokens: 1 },
    { weights },
  );
  t.strictSame(cost, { units: UNITS_MAX, estimated: false });
});

t.test('an allowance for reasoning that a broken stream does not show', async (t) => {
  const more = { weights: { ...PROMPT, output: 1, reasoning: 2 }, hiddenReasoningTokens: 500 };
  const body = events([{ choices: [{ delta: { content: TEXT } }] }]);
  const broken = { ...SSE, whole: false };
  const request = { stream: true, max_tokens: 5_000 };
  t.strictSame((await charged('openai-chat', body, broken, request, more)).cost, {
    units: 1_100,
    estimated: true,
  });
  const low = { stream: true, max_tokens: 300 };
  t.strictSame(
    (await charged('openai-chat', body, broken, low, more)).cost,
    { units: 500, estimated: true },
    'up to the ceiling',
  );
  t.strictSame(
    (await charged('openai-chat', body, SSE, request, more)).cost,
    { units: 100, estimated: true },
    'not for a whole one',
  );
  const reported = events([{ choices: [], usage: { prompt_tokens: 9, completion_tokens: 100 } }]);
  t.strictSame(
    (await charged('openai-chat', reported, broken, request, more)).cost,
    { units: 100, estimated: false },
    'nor where the usage came',
  );
  t.strictSame(
    (await charged('openai-chat', '', broken, request, more)).cost,
    { units: 1_000, estimated: true },
    'before its first byte too',
  );
});

t.test('Gemini with enums as numbers', async (t) => {
  const usageMetadata = { promptTokenCount: 5, candidatesTokenCount: 60, totalTokenCount: 65 };
  const list = [{ candidates: [{ content: { parts: [{ text: TEXT }] }, finishReason: 1 }], usageMetadata }];
  const { cost } = await charged('gemini', events(list), { ...SSE, whole: false });
  t.strictSame(cost, { units: 65, estimated: false });
});
