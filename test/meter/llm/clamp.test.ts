// With `clamp`, the output limit becomes the largest per answer that every budget can hold, and it is written to the
// body.
import t from 'tap';
import type { Api } from '../../../src/meter/llm/index.js';
import { compileLlm } from '../../../src/meter/llm/index.js';
import { clamped, meterOf, PATHS, pass, priced, terms } from './drive.js';

const CLAMP = {
  whenShort: 'clamp',
  weights: { input: 0, cachedInput: 0, cacheWrite: 0, output: 1, reasoning: 1 },
} as const;

t.test('the output limit in the body, in the member that the request used', async (t) => {
  const cases: [Api, string, number, string][] = [
    ['openai-chat', '{"model":"m","max_tokens" : 4096 }', 812, '{"model":"m","max_tokens" : 812 }'],
    [
      'openai-chat',
      '{"model":"m","max_completion_tokens":4096}',
      812,
      '{"model":"m","max_completion_tokens":812}',
    ],
    [
      'openai-chat',
      '{"model":"m","max_tokens":100,"max_completion_tokens":4096}',
      812,
      '{"model":"m","max_tokens":100,"max_completion_tokens":812}',
    ],
    ['openai-chat', '{"model":"m"}', 812, '{"max_completion_tokens":812,"model":"m"}'],
    ['openai-chat', '{"model":"m","max_tokens":null}', 812, '{"model":"m","max_tokens":812}'],
    ['openai-chat', '{"model":"m","max_tokens":0}', 812, '{"model":"m","max_tokens":812}'],
    ['openai-chat', '{"model":"m","max_tokens":4000,"n":3}', 1000, '{"model":"m","max_tokens":333,"n":3}'],
    ['openai-compatible', '{}', 812, '{"max_tokens":812}'],
    [
      'openai-completions',
      '{"model":"m","prompt":["a","b"]}',
      1001,
      '{"max_tokens":500,"model":"m","prompt":["a","b"]}',
    ],
    ['openai-responses', '{"model":"m"}', 812, '{"max_output_tokens":812,"model":"m"}'],
    ['azure-openai', '{}', 812, '{"max_tokens":812}'],
    ['anthropic-messages', '{"model":"m","max_tokens":4096}', 812, '{"model":"m","max_tokens":812}'],
    ['gemini', '{"contents":[]}', 812, '{"generationConfig":{"maxOutputTokens":812},"contents":[]}'],
    ['gemini', '{"generationConfig":{}}', 812, '{"generationConfig":{"maxOutputTokens":812}}'],
    ['gemini', '{"generationConfig":null}', 812, '{"generationConfig":{"maxOutputTokens":812}}'],
    [
      'gemini',
      '{"generation_config":{"topK":1}}',
      812,
      '{"generation_config":{"maxOutputTokens":812,"topK":1}}',
    ],
    [
      'gemini',
      '{"generation_config":{"max_output_tokens":9999}}',
      812,
      '{"generation_config":{"max_output_tokens":812}}',
    ],
    [
      'gemini',
      '{"generationConfig":{"candidateCount":2}}',
      900,
      '{"generationConfig":{"maxOutputTokens":450,"candidateCount":2}}',
    ],
  ];
  for (const [api, sent, left, due] of cases) {
    const meter = meterOf(api, CLAMP);
    const one = clamped(await priced(meter, sent, PATHS[api]), () => left);
    t.equal(one?.body?.toString(), due, `${api} ${sent}`);
    const reported = /(\d+)(?:\.0)?/.exec(String(one?.answerFields?.[1]))?.[1];
    t.strictSame(one?.answerFields, ['QuotaGate-Clamped', reported]);
    t.ok((one?.charges.items[0]?.units ?? Infinity) <= left, 'it fits');
    t.equal(one?.clamp, undefined);
    await meter.close();
  }
});

t.test('the last tokens can be used, and not one more', async (t) => {
  const meter = meterOf('openai-chat', { whenShort: 'clamp' });
  const one = await priced(meter, { model: 'm', max_tokens: 4096 }, PATHS['openai-chat']);
  const input = (one.charges.items[0]?.units ?? 0) - 4096;
  t.equal(clamped(one, () => input + 1)?.charges.items[0]?.units, input + 1);
  t.equal(
    clamped(one, () => input),
    undefined,
    'nothing left for a single token',
  );
  t.equal(
    clamped(one, () => -5),
    undefined,
  );
  t.equal(
    clamped(one, () => Number.NaN),
    undefined,
  );
  await meter.close();
});

t.test('the findBindingLimits of several budgets decides', async (t) => {
  const weights = { input: 0, cachedInput: 0, cacheWrite: 0, output: 3, reasoning: 1 };
  const specs = [
    { quota: 'ai', llm: terms('openai-chat', CLAMP) },
    { quota: 'credits', llm: terms('openai-chat', { ...CLAMP, weights, per: 10 }) },
  ];
  const meter = compileLlm(specs, { ai: { decimals: 0 }, credits: { decimals: 1 } }, []);
  const one = await priced(meter, { model: 'm' }, PATHS['openai-chat']);
  const less = clamped(one, (quota) => (quota === 'ai' ? 1000 : 700));
  // A token costs 0.3 credits, which is 3 of its tenths.
  t.strictSame(
    less?.charges.items.map(({ units }) => units),
    [233, 699],
  );
  t.strictSame(less?.answerFields, ['QuotaGate-Clamped', '233']);
  await meter.close();
});

t.test('what the upstream would refuse is refused here', async (t) => {
  const responses = meterOf('openai-responses', CLAMP);
  const one = await priced(responses, { model: 'm' }, PATHS['openai-responses']);
  t.equal(
    clamped(one, () => 15),
    undefined,
  );
  t.strictSame(clamped(one, () => 16)?.answerFields, ['QuotaGate-Clamped', '16']);
  const messages = meterOf('anthropic-messages', CLAMP);
  const thinking = { model: 'm', max_tokens: 8000, thinking: { type: 'enabled', budget_tokens: 2000 } };
  const two = await priced(messages, thinking, PATHS['anthropic-messages']);
  t.equal(
    clamped(two, () => 2000),
    undefined,
  );
  t.strictSame(clamped(two, () => 2001)?.answerFields, ['QuotaGate-Clamped', '2001']);
  await Promise.all([responses.close(), messages.close()]);
});

t.test('a clamped stream is asked for its usage too', async (t) => {
  const meter = meterOf('openai-chat', CLAMP);
  const one = clamped(await priced(meter, '{"model":"m","stream":true}', PATHS['openai-chat']), () => 5);
  t.strictSame(JSON.parse(String(one?.body)), {
    model: 'm',
    stream: true,
    max_completion_tokens: 5,
    stream_options: { include_usage: true },
  });
  if (one === undefined) throw new Error('not clamped');
  const body = Buffer.from('data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":5}}\n\n');
  const { client, costs, raws } = await pass(one, body, { type: 'text/event-stream' });
  t.equal(client.length, 0);
  t.strictSame(costs, [{ units: 5, estimated: false }]);
  t.strictSame(raws, [8], 'what was read, before weights');
  await meter.close();
});

t.test('nothing to clamp: embeddings, and routes that refuse', async (t) => {
  const embeddings = meterOf('openai-embeddings', CLAMP);
  t.equal((await priced(embeddings, { model: 'm' }, PATHS['openai-embeddings'])).clamp, undefined);
  const refuse = meterOf('openai-chat');
  t.equal((await priced(refuse, { model: 'm' }, PATHS['openai-chat'])).clamp, undefined);
  await Promise.all([embeddings.close(), refuse.close()]);
});
