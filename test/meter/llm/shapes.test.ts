// The specifics of each further API: where its model and output limit are, what is refused, and its format of errors
// and stream ends.
import t from 'tap';
import { ProblemError } from '../../../src/errors/catalogue.js';
import { type Api, errorShape, type Models } from '../../../src/meter/llm/index.js';
import { charged, meterOf, pass, priced } from './drive.js';
import { chunk, decoded, EVENT_STREAM, exception, message } from './shape-answers/bedrock.js';

const OUTPUT = { input: 0, cachedInput: 0, cacheWrite: 0, output: 1, reasoning: 1 };
const SPENT = new ProblemError('quota-exceeded', 'The budget of ai is spent.');
const MODELS: Models = [{ match: 'cheap*', multiplier: 1, maxOutputTokens: 500 }];

interface Held {
  readonly api: Api;
  readonly path: string;
  readonly body: object;
  /** Output tokens; a text: the code of the refusal. */
  readonly due: number | string;
}

const VERTEX = '/v1/projects/p/locations/l/publishers';
const CLAUDE = `${VERTEX}/anthropic/models/cheap@20250929`;
const GEMINI = `${VERTEX}/google/models/cheap`;

const HELD: readonly Held[] = [
  { api: 'ollama', path: '/api/chat', body: { model: 'cheap:1b', options: { num_predict: 70 } }, due: 70 },
  { api: 'ollama', path: '/api/generate', body: { model: 'cheap', options: { num_predict: -1 } }, due: 500 },
  { api: 'ollama', path: '/api/generate', body: { model: 'cheap', options: { num_predict: -2 } }, due: 500 },
  { api: 'ollama', path: '/api/generate', body: { model: 'cheap', options: null }, due: 500 },
  { api: 'ollama', path: '/api/chat', body: { model: 'cheap' }, due: 500 },
  { api: 'ollama', path: '/api/embed', body: { model: 'cheap', input: 'x' }, due: 0 },
  { api: 'ollama', path: '/api/chat', body: { model: 'dear' }, due: 'model-unknown' },
  { api: 'ollama', path: '/api/chat', body: {}, due: 'model-unknown' },
  { api: 'ollama', path: '/api/pull', body: { model: 'cheap' }, due: 'cost-invalid' },
  { api: 'ollama', path: '/api/chat', body: { model: 'cheap', options: [] }, due: 'cost-invalid' },
  {
    api: 'ollama',
    path: '/api/chat',
    body: { model: 'cheap', options: { num_predict: 1.5 } },
    due: 'cost-invalid',
  },
  { api: 'cohere', path: '/v2/chat', body: { model: 'cheap', max_tokens: 70 }, due: 70 },
  { api: 'cohere', path: '/v2/chat', body: { model: 'cheap', max_tokens: null }, due: 500 },
  { api: 'cohere', path: '/v2/chat', body: { model: 'dear', max_tokens: 70 }, due: 'model-unknown' },
  { api: 'cohere', path: '/v2/rerank', body: { model: 'cheap', documents: ['x'] }, due: 0 },
  { api: 'cohere', path: '/v2/embed', body: { model: 'cheap', texts: ['x'] }, due: 0 },
  { api: 'cohere', path: '/v1/chat', body: { model: 'cheap', message: 'x' }, due: 'cost-invalid' },
  { api: 'vertex-ai', path: `${CLAUDE}:rawPredict`, body: { max_tokens: 70 }, due: 70 },
  { api: 'vertex-ai', path: `${CLAUDE}:streamRawPredict`, body: { max_tokens: 70, model: 'dear' }, due: 70 },
  { api: 'vertex-ai', path: `${CLAUDE}:predict`, body: { max_tokens: 70 }, due: 'cost-invalid' },
  { api: 'vertex-ai', path: `${CLAUDE.replace('cheap', 'dear')}:rawPredict`, body: {}, due: 'model-unknown' },
  {
    api: 'vertex-ai',
    path: `${GEMINI}:generateContent`,
    body: { generationConfig: { maxOutputTokens: 70 } },
    due: 70,
  },
  { api: 'vertex-ai', path: `${GEMINI}:streamGenerateContent`, body: {}, due: 500 },
  { api: 'vertex-ai', path: `${GEMINI}:predictLongRunning`, body: {}, due: 'cost-invalid' },
  { api: 'vertex-ai', path: `${VERTEX}/mistralai/models/cheap:rawPredict`, body: {}, due: 'cost-invalid' },
  {
    api: 'vertex-ai',
    path: '/v1/projects/p/locations/l/endpoints/cheap-1:generateContent',
    body: {},
    due: 500,
  },
  {
    api: 'vertex-ai',
    path: '/v1/projects/p/locations/l/endpoints/openapi/chat/completions',
    body: { model: 'cheap', max_tokens: 70 },
    due: 70,
  },
  { api: 'bedrock', path: '/model/cheap.x/converse', body: { inferenceConfig: { maxTokens: 70 } }, due: 70 },
  {
    api: 'bedrock',
    path: '/model/cheap.x/converse-stream',
    body: { inferenceConfig: { maxTokens: 7 }, additionalModelRequestFields: { max_tokens: 70 } },
    due: 70,
  },
  { api: 'bedrock', path: '/model/cheap.x/converse', body: {}, due: 500 },
  { api: 'bedrock', path: '/model/cheap%3A0/invoke', body: { max_tokens: 1 }, due: 500 },
  { api: 'bedrock', path: '/model/cheap.anthropic.claude-v1%3A0/invoke', body: { max_tokens: 70 }, due: 70 },
  {
    api: 'bedrock',
    path: '/model/cheap.meta.llama3/invoke',
    body: { max_tokens: 1, max_gen_len: 70 },
    due: 70,
  },
  {
    api: 'bedrock',
    path: '/model/cheap.amazon.titan-embed-text-v2%3A0/invoke',
    body: { inputText: 'x' },
    due: 0,
  },
  {
    api: 'bedrock',
    path: '/model/cheap.amazon.nova-lite/invoke-with-response-stream',
    body: { inferenceConfig: { max_new_tokens: 70 } },
    due: 70,
  },
  { api: 'bedrock', path: '/model/dear/converse', body: {}, due: 'model-unknown' },
  { api: 'bedrock', path: '/model/cheap/async-invoke', body: {}, due: 'cost-invalid' },
];

for (const { api, path, body, due } of HELD) {
  t.test(`${api} ${path} ${JSON.stringify(body)}: ${due}`, async (t) => {
    const meter = meterOf(api, { weights: OUTPUT }, MODELS);
    if (typeof due === 'string') await t.rejects(priced(meter, body, path), { code: due });
    else t.equal((await priced(meter, body, path)).charges.items[0]?.units, due);
    await meter.close();
  });
}

const CLAMPED: readonly [Api, string, string, string][] = [
  ['ollama', '/api/chat', '{"model":"m"}', '{"options":{"num_predict":812},"model":"m"}'],
  [
    'ollama',
    '/api/chat',
    '{"model":"m","options":{"num_predict":-1}}',
    '{"model":"m","options":{"num_predict":812}}',
  ],
  [
    'ollama',
    '/api/chat',
    '{"model":"m","options":{"seed":1}}',
    '{"model":"m","options":{"num_predict":812,"seed":1}}',
  ],
  ['cohere', '/v2/chat', '{"model":"m"}', '{"max_tokens":812,"model":"m"}'],
  ['vertex-ai', `${CLAUDE}:rawPredict`, '{"max_tokens":4096}', '{"max_tokens":812}'],
  ['vertex-ai', `${GEMINI}:generateContent`, '{}', '{"generationConfig":{"maxOutputTokens":812}}'],
  ['bedrock', '/model/m/converse', '{"messages":[]}', '{"inferenceConfig":{"maxTokens":812},"messages":[]}'],
  ['bedrock', '/model/anthropic.m/invoke', '{"max_tokens":4096}', '{"max_tokens":812}'],
];

t.test('clamped', async (t) => {
  for (const [api, path, sent, due] of CLAMPED) {
    const meter = meterOf(api, { weights: OUTPUT, whenShort: 'clamp' });
    t.equal((await priced(meter, sent, path)).clamp?.(() => 812)?.body?.toString(), due, `${api} ${sent}`);
    await meter.close();
  }
});

interface Cut {
  readonly api: Api;
  readonly path: string;
  readonly request?: object;
  readonly type: string;
  /** An event with 300 bytes of text. */
  readonly event: string | Buffer;
  /** How the stream ends. */
  readonly last: RegExp;
}

const EXCEPTION =
  /:exception-type.{3}throttlingException.*:message-type.{3}exception\{"message":"The budget of ai is spent\."\}/s;
const X = 'x'.repeat(300);
const CUT: readonly Cut[] = [
  {
    api: 'ollama',
    path: '/api/chat',
    type: 'application/x-ndjson',
    event: `${JSON.stringify({ message: { content: X }, done: false })}\n`,
    last: /^\{"error":"The budget of ai is spent\."\}\n$/,
  },
  {
    api: 'ollama',
    path: '/api/generate',
    type: 'application/x-ndjson',
    event: `${JSON.stringify({ thinking: X, done: false })}\n`,
    last: /^\{"error":"The budget of ai is spent\."\}\n$/,
  },
  {
    api: 'cohere',
    path: '/v2/chat',
    type: 'text/event-stream',
    event: `event: content-delta\ndata: ${JSON.stringify({
      type: 'content-delta',
      index: 0,
      delta: { message: { content: { text: X } } },
    })}\n\n`,
    last: /^event: message-end\ndata: \{"type":"message-end","delta":\{"finish_reason":"ERROR","error":"The.*\}\}\n\ndata: \[DONE\]\n\n$/,
  },
  {
    api: 'vertex-ai',
    path: `${CLAUDE}:streamRawPredict`,
    request: { max_tokens: 1000 },
    type: 'text/event-stream',
    event: `data: ${JSON.stringify({ type: 'content_block_delta', delta: { text: X } })}\n\n`,
    last: /^event: error\ndata: \{"type":"error","error":\{"type":"rate_limit_error".*\}\}\n\n$/,
  },
  {
    api: 'vertex-ai',
    path: `${GEMINI}:streamGenerateContent`,
    request: {},
    type: 'text/event-stream',
    event: `data: ${JSON.stringify({ candidates: [{ content: { parts: [{ text: X }] } }] })}\n\n`,
    last: /^\{"error":\{"code":429.*\}\}\n\n$/,
  },
  {
    api: 'bedrock',
    path: '/model/m/converse-stream',
    request: {},
    type: EVENT_STREAM,
    event: message('contentBlockDelta', { contentBlockIndex: 0, delta: { text: X }, p: 'abcd' }),
    last: EXCEPTION,
  },
  {
    api: 'bedrock',
    path: '/model/anthropic.m/invoke-with-response-stream',
    request: { max_tokens: 1000 },
    type: EVENT_STREAM,
    event: chunk({ type: 'content_block_delta', delta: { text: X } }),
    last: EXCEPTION,
  },
  {
    api: 'bedrock',
    path: '/model/meta.m/invoke-with-response-stream',
    request: {},
    type: EVENT_STREAM,
    event: chunk({ generation: X, prompt_token_count: null, stop_reason: null }),
    last: EXCEPTION,
  },
];

for (const { api, path, request, type, event, last } of CUT) {
  t.test(`a cut stream: ${api} ${path}`, async (t) => {
    const terms = { weights: OUTPUT, hold: 'step', whenSpent: 'cut', stepTokens: 50 } as const;
    const meter = meterOf(api, terms);
    const { reader, setFields } = await priced(meter, request ?? { model: 'm', stream: true }, path);
    const { steps } = reader ?? {};
    if (reader === undefined || steps === undefined) return t.fail('no steps');
    t.strictSame(setFields, ['accept-encoding', 'identity']);
    let asked = 0;
    steps.onShort = () => {
      asked += 1;
    };
    t.equal(
      reader.head(200, [Buffer.from('content-type'), Buffer.from(type)]),
      true,
      'its length may change',
    );
    const bytes = Buffer.from(event);
    t.ok(reader.data(bytes)?.equals(bytes), 'a whole event passes');
    t.equal(asked, 1);
    t.equal(reader.data(bytes.subarray(0, 20)), undefined, 'an event that has only begun is kept back');
    const end = steps.refused(SPENT) ?? Buffer.alloc(0);
    t.match(end.toString('latin1'), last);
    t.equal(reader.data(bytes.subarray(20)), undefined);
    t.strictSame(charged(await reader.costs(true)), [{ units: 100, estimated: true }]);
    await meter.close();
    return undefined;
  });
}

t.test('errors in the words of each API', (t) => {
  const held = new ProblemError('budget-held', 'The rest is held.');
  t.strictSame(errorShape('ollama')(held, 429), { error: 'The rest is held.' });
  const path = `${CLAUDE}:rawPredict`;
  t.match(errorShape('vertex-ai')(held, 429, path), { type: 'error', error: { type: 'rate_limit_error' } });
  t.match(errorShape('vertex-ai')(held, 429, `${GEMINI}:streamGenerateContent`), { error: { code: 429 } });
  t.match(errorShape('vertex-ai')(held, 400, `${CLAUDE}:predict`), { error: { code: 400 } });
  t.match(errorShape('bedrock')(held, 429), { __type: 'ThrottlingException', message: 'The rest is held.' });
  t.match(errorShape('bedrock')(SPENT, 429), { __type: 'ServiceQuotaExceededException' });
  t.strictSame(errorShape('cohere')(held, 429), { message: 'The rest is held.' });
  t.end();
});

t.test(
  'ollama: a fault in a stream, and one that breaks off, is what it had reported and the text',
  async (t) => {
    const meter = meterOf('ollama', { weights: OUTPUT });
    const line = `${JSON.stringify({ message: { content: X }, done: false })}\n`;
    for (const [body, whole] of [
      [`${line}{"error":"out of memory"}\n`, true],
      [`${line}${line.slice(0, 40)}`, false],
    ] as const) {
      const one = await priced(meter, { model: 'm' }, '/api/chat');
      const { costs } = await pass(one, Buffer.from(body), { type: 'application/x-ndjson', whole });
      t.equal(costs[0]?.estimated, true);
      t.ok((costs[0]?.units ?? 0) >= 100, `${costs[0]?.units}`);
    }
    await meter.close();
  },
);

t.test('images of Ollama are media, a text in their place is text', async (t) => {
  const meter = meterOf('ollama', { weights: { ...OUTPUT, input: 1, output: 0 }, bytesPerToken: 1 });
  const inputOf = async (images: unknown[]) => {
    const body = { model: 'm', messages: [{ role: 'user', content: 'x', images }] };
    return (await priced(meter, body, '/api/chat')).charges.items[0]?.units ?? 0;
  };
  const base = await inputOf([]);
  const image = 'iVBORw0KGgo'.repeat(400);
  t.equal(await inputOf([image]), base + 1500);
  t.equal(await inputOf([image, image]), base + 3000);
  t.equal(await inputOf(['so many words']), base + 13);
  t.equal(await inputOf([{ a: 'so many words' }]), base + 14);
  await meter.close();
});

t.test('cohere: rerank is held and charged in searches', async (t) => {
  const meter = meterOf('cohere', { weights: { ...OUTPUT, input: 40 } });
  const held = async (documents: unknown, path = '/v2/rerank') =>
    (await priced(meter, { model: 'm', query: 'x', documents }, path)).charges.items[0]?.units;
  t.equal(await held(['a', 'b']), 40);
  t.equal(await held(Array.from({ length: 100 }, () => 'a')), 40);
  t.equal(
    await held(
      Array.from({ length: 101 }, () => ({ text: 'a' })),
      '/v1/rerank',
    ),
    80,
  );
  t.equal(await held(['a'.repeat(3 * 500 * 250)]), 3 * 40, 'long documents count as several');
  t.equal(await held([]), 40, 'never 0');
  const one = await priced(meter, { model: 'm', query: 'x', documents: ['a'] }, '/v2/rerank');
  const answer = { results: [], meta: { billed_units: { search_units: 2 } } };
  const { costs } = await pass(one, Buffer.from(JSON.stringify(answer)), {});
  t.strictSame(costs, [{ units: 80, estimated: false }]);
  const silent = await priced(meter, { model: 'm', query: 'x', documents: ['a'] }, '/v2/rerank');
  t.strictSame((await pass(silent, Buffer.from('{"results":[]}'), {})).costs, [
    { units: 40, estimated: true },
  ]);
  await meter.close();
});

t.test('bedrock: the last message of a cut stream, as the codec of its clients reads it', async (t) => {
  const meter = meterOf('bedrock', { weights: OUTPUT, hold: 'step', whenSpent: 'cut', stepTokens: 50 });
  const { reader } = await priced(meter, {}, '/model/m/converse-stream');
  reader?.head(200, [Buffer.from('content-type'), Buffer.from(EVENT_STREAM)]);
  const last = decoded(reader?.steps?.refused(SPENT) ?? Buffer.alloc(0));
  t.strictSame(last, {
    headers: {
      ':exception-type': 'throttlingException',
      ':content-type': 'application/json',
      ':message-type': 'exception',
    },
    body: { message: 'The budget of ai is spent.' },
  });
  await meter.close();
});

t.test('bedrock: the counts in the head of an answer, and an exception in a stream', async (t) => {
  const meter = meterOf('bedrock');
  const one = await priced(meter, { prompt: 'x', max_gen_len: 100 }, '/model/meta.m/invoke');
  const names = ['input', '30', 'cache-read-input', '10', 'output', '25'];
  const head = names.map((text, at) => (at % 2 === 0 ? `X-Amzn-Bedrock-${text}-Token-Count` : text));
  one.reader?.head(
    200,
    head.map((text) => Buffer.from(text)),
  );
  one.reader?.data(Buffer.from(JSON.stringify({ generation: 'x', prompt_token_count: 30 })));
  one.reader?.end();
  t.strictSame(await one.reader?.costs(true), [{ units: 65, estimated: false }]);
  const two = await priced(meter, {}, '/model/m/converse-stream');
  const body = Buffer.concat([
    message('contentBlockDelta', { delta: { text: X } }),
    exception('modelStreamErrorException'),
  ]);
  const { costs } = await pass(two, body, { type: EVENT_STREAM });
  t.ok(costs[0]?.estimated && costs[0].units >= 100, `${costs[0]?.units}`);
  await meter.close();
});

t.test('what only says how a request is to be read is no text that its usage is judged by', async (t) => {
  const meter = meterOf('bedrock');
  const request = {
    anthropic_version: 'bedrock-2023-05-31',
    max_tokens: 9,
    messages: [{ role: 'user', content: 'Go on, do.' }],
  };
  const one = await priced(meter, request, '/model/anthropic.m/invoke');
  const usage = { input_tokens: 3, output_tokens: 1 };
  const { costs } = await pass(one, Buffer.from(JSON.stringify({ type: 'message', content: [], usage })), {});
  t.strictSame(costs, [{ units: 4, estimated: false }]);
  const gemini = meterOf('gemini');
  const generationConfig = {
    responseMimeType: 'application/json',
    responseJsonSchema: { type: 'string', description: 'x'.repeat(99) },
    stopSequences: ['x'.repeat(99)],
  };
  const asked = { contents: [{ parts: [{ text: 'A city?' }] }], generationConfig };
  const path = '/v1beta/models/m:generateContent';
  const usageMetadata = { promptTokenCount: 2, candidatesTokenCount: 1, totalTokenCount: 3 };
  const answer = Buffer.from(JSON.stringify({ candidates: [], usageMetadata }));
  const json = await pass(await priced(gemini, asked, path), answer, {});
  t.strictSame(json.costs, [{ units: 3, estimated: false }]);
  const speech = meterOf('openai-audio');
  const spoken = {
    model: 'm',
    input: 'Hi.',
    voice: 'v'.repeat(99),
    response_format: 'mp3',
    stream_format: 'sse',
  };
  const done = `data: ${JSON.stringify({ type: 'speech.audio.done', usage: { input_tokens: 1, output_tokens: 2 } })}\n\n`;
  const heard = await pass(await priced(speech, spoken, '/v1/audio/speech'), Buffer.from(done), {
    type: 'text/event-stream',
  });
  t.strictSame(heard.costs, [{ units: 3, estimated: false }]);
  await Promise.all([meter.close(), gemini.close(), speech.close()]);
});

t.test('moderations are free, whatever they contain', async (t) => {
  const meter = meterOf('openai-moderations', {}, MODELS);
  for (const body of [{ input: 'x' }, { model: 'omni-moderation-latest', input: ['x'.repeat(10_000)] }]) {
    const { charges, reader } = await priced(meter, body, '/v1/moderations');
    t.strictSame(charges.items, []);
    t.equal(reader, undefined);
  }
  for (const path of ['/v1/chat/completions', '/v1/responses', '/v1/moderations/x'])
    await t.rejects(priced(meter, { model: 'cheap' }, path), { code: 'cost-invalid' }, path);
  t.match(errorShape('openai-moderations')(SPENT, 429), { error: { code: 'insufficient_quota' } });
  await meter.close();
});
