// Unusual requests: free calls, output limits that mean no limit, budgets above the output limit, stored prompts.
import t from 'tap';
import type { Priced } from '../../../src/meter/priced.js';
import { clamped, meterOf, PATHS, pass, priced } from './drive.js';

const held = ({ charges }: Priced): number => charges.items[0]?.units ?? 0;
const row = (match: string, multiplier: number) => ({ match, multiplier, maxOutputTokens: 100 });
const MODELS = [row('cheap*', 1), row('dear*', 10)];

t.test('counting tokens is free', async (t) => {
  const long = { model: 'm', messages: [{ role: 'user', content: 'x'.repeat(30_000) }] };
  for (const [api, path] of [
    ['gemini', '/v1beta/models/gemini-2.5-flash:countTokens'],
    ['vertex-ai', '/v1/projects/p/locations/l/publishers/google/models/gemini-2.5-flash:countTokens'],
    ['anthropic-messages', '/v1/messages/count_tokens'],
    ['bedrock', '/model/anthropic.claude/count-tokens'],
    ['openai-responses', '/v1/responses/input_tokens'],
  ] as const) {
    const meter = meterOf(api);
    const one = await priced(meter, long, path);
    t.strictSame(one.charges.items, [], path);
    t.equal(one.reader, undefined);
    await meter.close();
  }
  const meter = meterOf('anthropic-messages');
  t.ok(held(await priced(meter, { model: 'm', max_tokens: 5 }, '/v1/messages/Count_Tokens')) > 0);
  await meter.close();
});

t.test('compatible servers: an output limit below 0, or null, means no limit', async (t) => {
  const meter = meterOf('openai-compatible', { whenShort: 'clamp' }, [row('*', 1)]);
  t.teardown(() => meter.close());
  for (const max_tokens of [-1, null, 0]) {
    const one = await priced(meter, { model: 'm', max_tokens }, PATHS['openai-compatible']);
    t.ok(held(one) >= 100 && held(one) < 120, `${max_tokens}`);
    t.match(JSON.parse(one.clamp?.(() => 50)?.body?.toString() ?? '{}'), { max_tokens: Number }, 'clamped');
  }
  const strict = meterOf('openai-chat', {}, [row('*', 1)]);
  t.teardown(() => strict.close());
  await t.rejects(priced(strict, { model: 'm', max_tokens: -1 }, PATHS['openai-chat']), {
    code: 'cost-invalid',
  });
});

t.test('servers that refuse stream_options are not asked', async (t) => {
  const meter = meterOf('openai-compatible', { askUsage: false });
  t.teardown(() => meter.close());
  const one = await priced(meter, { model: 'm', stream: true }, PATHS['openai-compatible']);
  t.equal(one.body, undefined);
  const sse = `data: ${JSON.stringify({ choices: [{ delta: { content: 'x'.repeat(300) } }] })}\n\n`;
  const { costs } = await pass(one, Buffer.from(sse), { type: 'text/event-stream' });
  t.match(costs[0], { estimated: true });
  t.ok((costs[0]?.units ?? 0) >= 100);
});

t.test('interleaved thinking: the budget can exceed the output limit', async (t) => {
  const meter = meterOf('anthropic-messages', { whenShort: 'clamp' });
  t.teardown(() => meter.close());
  const body = { model: 'm', max_tokens: 4_000, thinking: { type: 'enabled', budget_tokens: 10_000 } };
  const reduced = async (headers: string[]) => {
    const one = await priced(meter, body, PATHS['anthropic-messages'], { headers });
    return clamped(one, () => 1_000)?.body?.toString();
  };
  t.equal(await reduced([]), undefined, 'no ceiling below the budget would be taken');
  const text = await reduced(['Anthropic-Beta', 'a,interleaved-thinking-2025-05-14']);
  const { max_tokens } = JSON.parse(text ?? '{}') as { max_tokens: number };
  t.ok(max_tokens > 900 && max_tokens < 1_000);
});

t.test('a stored prompt names the model', async (t) => {
  const meter = meterOf('openai-responses', {}, MODELS);
  t.teardown(() => meter.close());
  const body = { prompt: { id: 'pmpt_1' }, max_output_tokens: 100 };
  const usage = { input_tokens: 10, output_tokens: 10 };
  for (const [model, units] of [
    ['cheap-2026-01-01', 20],
    ['dear', 200],
    ['unlisted', 200],
  ] as const) {
    const one = await priced(meter, body, PATHS['openai-responses']);
    t.ok(held(one) >= 1_000, 'the dearest that is listed is held');
    const answer = Buffer.from(JSON.stringify({ model, status: 'completed', output: [], usage }));
    t.strictSame((await pass(one, answer, {})).costs, [{ units, estimated: false }]);
  }
  await t.rejects(priced(meter, { prompt: 'text' }, PATHS['openai-responses']), { code: 'model-unknown' });
});

t.test('output limits and numbers of answers under server-specific names', async (t) => {
  const invoke = (model: string) => `/model/${model}/invoke`;
  for (const [api, path, body, units] of [
    ['openai-compatible', PATHS['openai-compatible'], { max_tokens: 5, n_predict: 9_000 }, 9_000],
    ['openai-compatible', PATHS['openai-compatible'], { max_tokens: 5, n_predict: -1 }, 4_096],
    ['openai-compatible', PATHS['openai-compatible'], { max_tokens: 1_000, n_cmpl: 9 }, 9_000],
    ['openai-compatible', '/v1/completions', { max_tokens: 5, n_predict: 9_000 }, 9_000],
    ['bedrock', invoke('ai21.jamba-1-5'), { n: 9 }, 9 * 4_096],
    ['bedrock', invoke('cohere.command'), { max_tokens: 1_000, num_generations: 5 }, 5_000],
    ['bedrock', PATHS.bedrock, { additionalModelRequestFields: { n: 9 } }, 9 * 4_096],
  ] as const) {
    const meter = meterOf(api);
    t.teardown(() => meter.close());
    const one = held(await priced(meter, { model: 'm', ...body }, path));
    t.ok(one >= units && one < units + 100, `${path} ${JSON.stringify(body)}: ${one}`);
  }
});

t.test('Google: parameters and headers that override others', async (t) => {
  const meter = meterOf('gemini');
  t.teardown(() => meter.close());
  for (const asked of [
    { query: '?$httpHeaders=X-Goog-FieldMask%3Acandidates' },
    { query: '?%24httpMethod=GET' },
    { query: '?$ct=application/x-protobuf' },
    { query: '?$req=x' },
    { headers: ['Accept', 'application/x-protobuf'] },
  ])
    await t.rejects(priced(meter, {}, PATHS.gemini, asked), { code: 'cost-invalid' });
  await t.resolves(priced(meter, {}, PATHS.gemini, { headers: ['Accept', '*/*'] }));
});
