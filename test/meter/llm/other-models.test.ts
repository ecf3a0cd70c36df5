// All models that a request names are checked, the most expensive is held, and the one that answers is charged.
import t from 'tap';
import type { Api } from '../../../src/meter/llm/index.js';
import { answerModelTable } from '../../../src/meter/llm/models.js';
import type { Priced } from '../../../src/meter/priced.js';
import { meterOf, PATHS, pass, priced } from './drive.js';

const row = (match: string, multiplier: number) => ({ match, multiplier, maxOutputTokens: 100 });
const MODELS = [
  row('cheap*', 1),
  row('middle*', 3),
  row('dear*', 10),
  row('gemini-*', 1),
  row('@preset/*', 5),
];

const held = ({ charges }: Priced): number => charges.items[0]?.units ?? -1;

/** All of these let `dear` answer in place of `cheap`. */
const BODIES: readonly (readonly [Api, object])[] = [
  ['openai-chat', { models: ['cheap', 'dear'] }],
  ['openai-chat', { model: undefined, models: ['cheap', 'dear'], route: 'fallback' }],
  ['openai-compatible', { fallbacks: ['dear'] }],
  ['openai-compatible', { fallbacks: [{ model: 'dear', messages: [{ role: 'user', content: 'x' }] }] }],
  ['openai-compatible', { fallbacks: [{ cheap: ['middle', 'dear'] }] }],
  ['openai-compatible', { context_window_fallbacks: [{ cheap: ['dear'] }] }],
  ['openai-compatible', { content_policy_fallbacks: [{ cheap: ['dear'] }] }],
  ['openai-compatible', { route: { endpoints: [{ type: 'completion', model: 'dear' }] } }],
  ['openai-compatible', { provider: { models: ['dear'] } }],
  ['openai-compatible', { providers: [{ name: 'a', model_name: 'dear' }] }],
  ['openai-compatible', { providerOptions: { gateway: { models: ['dear'] } } }],
  ['openai-compatible', { plugins: [{ id: 'auto-router', allowed_models: ['dear'] }] }],
  ['openai-compatible', { plugins: [{ id: 'auto-router', allowedModels: ['dear'] }] }],
  ['openai-compatible', { extra_body: { model: 'dear' } }],
  ['openai-compatible', { user_config: { model_list: [{ litellm_params: { model: 'dear' } }] } }],
  [
    'openai-compatible',
    { tools: [{ type: 'openrouter:fusion', parameters: { analysis_models: ['dear'] } }] },
  ],
  ['openai-completions', { models: ['dear'] }],
  ['openai-embeddings', { fallbacks: ['dear'] }],
  ['openai-responses', { tools: [{ type: 'image_generation', model: 'dear' }] }],
  ['azure-openai', { data_sources: [{ parameters: { embedding_dependency: { deployment_name: 'dear' } } }] }],
  ['anthropic-messages', { max_tokens: 100, fallbacks: [{ model: 'dear' }] }],
  ['anthropic-messages', { max_tokens: 100, tools: [{ type: 'advisor_20260301', model: 'dear' }] }],
  ['ollama', { fallbacks: ['dear'] }],
  ['gemini', { generationConfig: { routingConfig: { manualMode: { modelName: 'dear' } } } }],
];

const path = (api: Api): string =>
  api === 'azure-openai' ? '/openai/deployments/cheap/chat/completions' : PATHS[api];

for (const [api, more] of BODIES) {
  const body = { ...(api === 'gemini' ? {} : { model: 'cheap' }), ...more };
  t.test(`${api} ${JSON.stringify(body)}`, async (t) => {
    const meter = meterOf(api, {}, MODELS);
    t.teardown(() => meter.close());
    const inputFloor = api === 'openai-embeddings' ? 10 : 1_000;
    t.ok(held(await priced(meter, body, path(api))) >= inputFloor, 'the dearest is held');
    const unlisted = JSON.stringify(body).replaceAll('"dear"', '"unlisted"');
    await t.rejects(priced(meter, unlisted, path(api)), { code: 'model-unknown', status: 400 });
    const strict = meterOf(api, { otherModels: 'refuse' }, MODELS);
    t.teardown(() => strict.close());
    await t.rejects(priced(strict, body, path(api)), { code: 'cost-invalid', status: 400 });
  });
}

t.test('what names no other model', async (t) => {
  const meter = meterOf('openai-compatible', { otherModels: 'refuse' }, MODELS);
  t.teardown(() => meter.close());
  const schema = { type: 'object', properties: { model: { type: 'string' } }, required: ['model'] };
  for (const more of [
    { tools: [{ type: 'function', function: { name: 'f', parameters: schema } }] },
    { tools: [{ name: 'f', input_schema: schema }] },
    { tools: null, fallbacks: null, models: [] },
    { provider: { order: ['openai'], allow_fallbacks: false, sort: 'price' } },
    { messages: [{ role: 'user', content: '"models":["dear"]' }] },
    { metadata: { model: 'dear' } },
  ])
    t.ok(held(await priced(meter, { model: 'cheap', ...more }, PATHS['openai-compatible'])) < 1_000);
});

t.test('what could name a model and cannot be read', async (t) => {
  const meter = meterOf('openai-compatible', {}, MODELS);
  t.teardown(() => meter.close());
  for (const more of [
    { models: 'dear' },
    { fallbacks: [7] },
    { fallbacks: [{ model: 'cheap', max_tokens: '9' }] },
    { fallbacks: [{ model: 'cheap', n: 5 }] },
    { preset: 7 },
  ])
    await t.rejects(priced(meter, { model: 'cheap', ...more }, PATHS['openai-compatible']), {
      code: 'cost-invalid',
    });
  const any = { model: 'cheap', route: 'fallback' };
  await t.rejects(priced(meter, any, PATHS['openai-compatible']), { code: 'model-unknown' });
  t.ok(held(await priced(meter, { model: 'cheap', preset: 'x' }, PATHS['openai-compatible'])) >= 500);
});

t.test('keys in escapes', async (t) => {
  const meter = meterOf('openai-responses', {}, MODELS);
  t.teardown(() => meter.close());
  const body = String.raw`{"model":"cheap","t\u006fols":[{"type":"image_generation","mod\u0065l":"dear"}]}`;
  t.ok(held(await priced(meter, body, PATHS['openai-responses'])) >= 1_000);
});

t.test('a fallback with its own output limit', async (t) => {
  const meter = meterOf('openai-compatible', { whenShort: 'clamp' }, MODELS);
  t.teardown(() => meter.close());
  const body = { model: 'cheap', max_tokens: 5, fallbacks: [{ model: 'cheap-2', max_tokens: 9_000 }] };
  const one = await priced(meter, body, PATHS['openai-compatible']);
  t.ok(held(one) >= 9_000);
  t.equal(one.clamp, undefined, 'it would stay as it is');
});

t.test('headers and parameters that choose a model', async (t) => {
  const meter = meterOf('openai-compatible', {}, MODELS);
  t.teardown(() => meter.close());
  const body = { model: 'cheap' };
  for (const name of ['x-portkey-config', 'Helicone-Fallbacks', 'azureml-model-deployment', 'X-Model'])
    await t.rejects(priced(meter, body, PATHS['openai-compatible'], { headers: [name, 'x'] }), {
      code: 'cost-invalid',
    });
  for (const query of ['?models=dear', '?fallbacks=dear', '?model_id=dear'])
    await t.rejects(priced(meter, body, PATHS['openai-compatible'], { query }), { code: 'cost-invalid' });
  const headers = ['X-Stainless-Lang', 'js', 'OpenAI-Beta', 'a'];
  await t.resolves(priced(meter, body, PATHS['openai-compatible'], { headers }));
});

const USAGE = { prompt_tokens: 10, completion_tokens: 10, total_tokens: 20 };
const REQUEST = { model: 'cheap', models: ['cheap', 'dear', 'middle'] };

for (const [answered, units] of [
  ['dear', 200],
  ['cheap', 20],
  ['cheap-2026-01-01', 20],
  ['middle-0613', 60],
  ['somebody', 200],
  [undefined, 200],
] as const) {
  t.test(`answered by ${answered}`, async (t) => {
    const meter = meterOf('openai-chat', {}, MODELS);
    t.teardown(() => meter.close());
    const json = Buffer.from(JSON.stringify({ model: answered, choices: [], usage: USAGE }));
    const one = await pass(await priced(meter, REQUEST, PATHS['openai-chat']), json, {});
    t.strictSame(one.costs, [{ units, estimated: false }]);
    const chunk = (more: object) => `data: ${JSON.stringify({ model: answered, ...more })}\n\n`;
    const text = { choices: [{ index: 0, delta: { content: 'x'.repeat(30) } }] };
    const sse = chunk(text) + chunk(text) + chunk({ choices: [], usage: USAGE });
    const streamed = { ...REQUEST, stream: true, stream_options: { include_usage: true } };
    const two = await pass(await priced(meter, streamed, PATHS['openai-chat']), Buffer.from(sse), {
      type: 'text/event-stream',
    });
    t.strictSame(two.costs, [{ units, estimated: false }]);
    const broken = await pass(await priced(meter, streamed, PATHS['openai-chat']), Buffer.from(chunk(text)), {
      type: 'text/event-stream',
      whole: false,
    });
    const estimate = broken.costs[0]?.units ?? 0;
    const { input = 0, output = 0 } = broken.report?.usage ?? {};
    t.equal(estimate, (input + output) * (units / 20), 'an estimate, at the price of who answered');
    t.equal(broken.report?.model, MODELS.find(({ multiplier }) => multiplier === units / 20)?.match);
  });
}

t.test('Anthropic: each pass at the price of its model', async (t) => {
  const meter = meterOf('anthropic-messages', {}, MODELS);
  t.teardown(() => meter.close());
  const iterations = [
    { type: 'message', model: 'cheap', input_tokens: 400, output_tokens: 0 },
    { type: 'fallback_message', model: 'dear-20260101', input_tokens: 410, output_tokens: 260 },
  ];
  const usage = { input_tokens: 410, output_tokens: 260, iterations };
  const body = { model: 'cheap', max_tokens: 500, fallbacks: [{ model: 'dear' }] };
  const json = Buffer.from(JSON.stringify({ type: 'message', model: 'dear-20260101', content: [], usage }));
  const one = await pass(await priced(meter, body, PATHS['anthropic-messages']), json, {});
  t.strictSame(one.costs, [{ units: 400 + 10 * 670, estimated: false }]);
  t.equal(one.report?.model, 'dear*');
});

t.test('a name that a bare star takes is not listed', (t) => {
  const rows = [
    row('gpt-4o', 10),
    row('gpt-*', 2),
    row('claude-x-20250101', 4),
    row('claude-*', 6),
    row('*', 1),
  ];
  const table = answerModelTable(rows);
  const gpt = [{ name: 'gpt-4o', row: 0 }];
  t.equal(table('GPT-4o', gpt), 0);
  t.equal(table('gpt-4o-2024-08-06', gpt), 0, 'a build of what was asked for is no cheaper');
  t.equal(table('gpt-4o-mini', gpt), 1);
  t.equal(table('other', gpt), undefined);
  const claude = [{ name: 'claude-x', row: 3 }];
  t.equal(table('claude-x-20250101', claude), 2, 'a row of its own');
  t.equal(table('claude-x-20260101', claude), 3);
  t.equal(table('x'.repeat(1_000), claude), undefined);
  t.equal(table('other', [{ name: 'mine', row: 4 }]), undefined);
  t.equal(table('mine-20250101', [{ name: 'mine', row: 4 }]), 4);
  t.equal(answerModelTable([])('any', []), 0);
  t.end();
});

t.test('names that some upstreams read another way', async (t) => {
  for (const [api, body] of [
    [
      'openai-responses',
      '{"model":"cheap","tools":[{"type":"image_generation","model":"dear","model":"cheap"}]}',
    ],
    ['openai-responses', '{"model":"cheap","tools":[{"type":"x","type":"function","y":{"model":"dear"}}]}'],
    ['openai-compatible', '{"model":"cheap","provider":{"models":["dear"],"mod\\u0065ls":["cheap"]}}'],
    ['openai-compatible', '{"model":"cheap,dear"}'],
    ['openai-compatible', '{"model":"cheap","models":["cheap, dear"]}'],
  ] as const) {
    const meter = meterOf(api, {}, MODELS);
    t.teardown(() => meter.close());
    await t.rejects(priced(meter, body, PATHS[api]), { code: 'cost-invalid' }, body);
  }
  const responses = meterOf('openai-responses', {}, MODELS);
  t.teardown(() => responses.close());
  const cased = { model: 'cheap', tools: [{ type: 'function', Type: 'x', y: { model: 'dear' } }] };
  t.ok(held(await priced(responses, cased, PATHS['openai-responses'])) >= 1_000, 'a type in two spellings');
  const azure = meterOf('azure-openai', {}, MODELS);
  t.teardown(() => azure.close());
  const tool = { tools: [{ type: 'search', deployment_name: 'dear' }] };
  t.ok(held(await priced(azure, tool, path('azure-openai'))) >= 1_000, 'a deployment of a tool');
});
