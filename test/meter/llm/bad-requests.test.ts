// A request without one clear price is refused with 400 and the reason; none is priced too low.
import t from 'tap';
import { ProblemError } from '../../../src/errors/catalogue.js';
import type { Api, Models } from '../../../src/meter/llm/index.js';
import { AZURE_QUERY, meterOf, PATHS, priced } from './drive.js';

const MODELS: Models = [
  { match: 'gpt-4o*', multiplier: 2, maxOutputTokens: 100 },
  { match: 'gemini-*-flash', multiplier: 1, maxOutputTokens: 100 },
];

const chat = (members: string): string => `{"model":"gpt-4o","messages":[]${members}}`;
const deep = (levels: number): string => chat(`,"x":${'['.repeat(levels)}${']'.repeat(levels)}`);

const CASES: [Api, string, string][] = [
  ['openai-chat', '', 'body-malformed'],
  ['openai-chat', 'hello', 'body-malformed'],
  ['openai-chat', '{"model":"gpt-4o"', 'body-malformed'],
  ['openai-chat', '{"model":"gpt-4o",}', 'body-malformed'],
  ['openai-chat', '[]', 'body-malformed'],
  ['openai-chat', '"gpt-4o"', 'body-malformed'],
  ['openai-chat', '{"model":"gpt-4o"} {}', 'body-malformed'],
  ['openai-chat', deep(200), 'body-malformed'],
  ['openai-chat', deep(100_000), 'body-malformed'],
  ['openai-chat', chat(',"max_tokens":1,"max_tokens":2'), 'body-malformed'],
  ['openai-chat', chat(',"Max_Tokens":1'), 'body-malformed'],
  ['openai-chat', chat(',"\\u006dax_tokens":1,"max_tokens":1'), 'body-malformed'],
  ['openai-chat', chat(',"max_to\u212aens":1'), 'body-malformed'],
  ['openai-chat', chat(',"n\\u0000":1'), 'body-malformed'],
  ['openai-chat', chat(',"max_tokens":"10"'), 'cost-invalid'],
  ['openai-chat', chat(',"max_tokens":-1'), 'cost-invalid'],
  ['openai-chat', chat(',"max_tokens":-0'), 'cost-invalid'],
  ['openai-chat', chat(',"max_tokens":1.5'), 'cost-invalid'],
  ['openai-chat', chat(',"max_tokens":1e309'), 'cost-invalid'],
  ['openai-chat', chat(',"max_tokens":9007199254740993'), 'cost-invalid'],
  ['openai-chat', chat(',"max_tokens":true'), 'cost-invalid'],
  ['openai-chat', chat(',"max_tokens":[1]'), 'cost-invalid'],
  ['openai-chat', chat(',"max_completion_tokens":{}'), 'cost-invalid'],
  ['openai-chat', chat(',"n":1000000'), 'cost-invalid'],
  ['openai-chat', chat(',"n":129'), 'cost-invalid'],
  ['openai-chat', chat(',"n":0'), 'cost-invalid'],
  ['openai-chat', chat(',"n":"2"'), 'cost-invalid'],
  ['openai-chat', chat(',"stream":"true"'), 'cost-invalid'],
  ['openai-chat', chat(',"stream":1'), 'cost-invalid'],
  ['openai-chat', chat(',"stream":true,"stream_options":[]'), 'cost-invalid'],
  ['openai-chat', chat(',"stream":true,"stream_options":{"include_usage":1}'), 'cost-invalid'],
  ['openai-chat', '{"messages":[]}', 'model-unknown'],
  ['openai-chat', '{"model":null}', 'model-unknown'],
  ['openai-chat', '{"model":""}', 'model-unknown'],
  ['openai-chat', '{"model":"o9"}', 'model-unknown'],
  ['openai-chat', `{"model":"gpt-4o${'x'.repeat(300)}"}`, 'model-unknown'],
  ['openai-chat', '{"model":7}', 'cost-invalid'],
  ['openai-completions', '{"model":"gpt-4o","best_of":500}', 'cost-invalid'],
  ['openai-completions', `{"model":"gpt-4o","prompt":[${'"a",'.repeat(5000)}"a"]}`, 'cost-invalid'],
  ['openai-responses', '{"model":"gpt-4o","max_output_tokens":"10"}', 'cost-invalid'],
  ['openai-embeddings', '{"input":"x"}', 'model-unknown'],
  ['openai-compatible', '{}', 'model-unknown'],
  ['anthropic-messages', '{"model":"gpt-4o","max_tokens":null}', 'cost-invalid'],
  [
    'anthropic-messages',
    '{"model":"gpt-4o","max_tokens":10,"thinking":{"budget_tokens":"5"}}',
    'cost-invalid',
  ],
  ['anthropic-messages', '{"model":"gpt-4o","max_tokens":10,"thinking":[]}', 'cost-invalid'],
  ['gemini', '{"generationConfig":{"maxOutputTokens":-5}}', 'cost-invalid'],
  ['gemini', '{"generationConfig":{"maxOutputTokens":5,"max_output_tokens":9}}', 'cost-invalid'],
  ['gemini', '{"generationConfig":{},"generation_config":{"maxOutputTokens":9}}', 'cost-invalid'],
  ['gemini', '{"generationConfig":{"candidateCount":1000}}', 'cost-invalid'],
  ['gemini', '{"generationConfig":7}', 'cost-invalid'],
];

for (const [api, body, code] of CASES) {
  t.test(`${api} ${body.slice(0, 90)}`, async (t) => {
    const meter = meterOf(api, {}, MODELS);
    t.teardown(() => meter.close());
    const outcome = await priced(meter, body, PATHS[api], { query: AZURE_QUERY }).then(
      () => undefined,
      (error: unknown) => error,
    );
    t.ok(outcome instanceof ProblemError);
    t.match(outcome, { code, status: 400 });
  });
}

t.test('not UTF-8', async (t) => {
  const meter = meterOf('openai-chat');
  t.teardown(() => meter.close());
  await t.rejects(priced(meter, Buffer.from([0x7b, 0xff, 0x7d]), PATHS['openai-chat']), {
    code: 'body-malformed',
  });
});

t.test('what the path names cannot be outbid by the body', async (t) => {
  const gemini = meterOf('gemini', {}, MODELS);
  t.equal(
    (await priced(gemini, { model: 'other' }, PATHS.gemini)).charges.items[0]?.units !== undefined,
    true,
  );
  await t.rejects(
    priced(gemini, { model: 'gemini-2.5-flash' }, '/v1beta/models/gemini-2.5-pro:generateContent'),
    {
      code: 'model-unknown',
    },
  );
  const azure = meterOf('azure-openai', {}, MODELS);
  await t.rejects(priced(azure, { model: 'gpt-4o' }, '/openai/deployments/dear/chat/completions'), {
    code: 'model-unknown',
  });
  await t.resolves(priced(azure, { model: 'gpt-4o' }, '/openai/v1/chat/completions'));
  await Promise.all([gemini.close(), azure.close()]);
});

t.test('the model in any case, and as the upstream would find it in the path', async (t) => {
  const rows = [
    { match: 'dear*', multiplier: 9, maxOutputTokens: 100 },
    { match: '*', multiplier: 1, maxOutputTokens: 100 },
  ];
  const azure = meterOf('azure-openai', {}, rows);
  for (const path of [
    '/openai/deployments/dear/chat/completions',
    '/openai/Deployments/dear/chat/completions',
    '/openai/deployments/DEAR/chat/completions',
  ]) {
    const { charges } = await priced(azure, { model: 'cheap' }, path, { query: AZURE_QUERY });
    t.ok((charges.items[0]?.units ?? 0) >= 900, path);
  }
  await azure.close();
});

t.test('a model in the query: some upstreams take it from there', async (t) => {
  const meter = meterOf('openai-compatible', {}, MODELS);
  t.teardown(() => meter.close());
  for (const query of ['?model=dear', '?a=1&MODEL=dear', '?m%6fdel=dear'])
    await t.rejects(priced(meter, { model: 'gpt-4o' }, PATHS['openai-compatible'], { query }), {
      code: 'cost-invalid',
    });
  await t.resolves(priced(meter, { model: 'gpt-4o' }, PATHS['openai-compatible'], { query: '?remodel=1' }));
});

t.test('Gemini: what begins a work, and what hides the usage', async (t) => {
  const meter = meterOf('gemini');
  t.teardown(() => meter.close());
  const at = (verb: string) => `/v1beta/models/gemini-2.5-flash:${verb}`;
  for (const verb of ['batchGenerateContent', 'asyncBatchEmbedContent', 'predict', 'predictLongRunning'])
    await t.rejects(priced(meter, {}, at(verb)), { code: 'cost-invalid' }, verb);
  for (const verb of ['countTokens', 'embedContent', 'batchEmbedContents'])
    await t.resolves(priced(meter, {}, at(verb)), verb);
  for (const query of [
    '?fields=candidates',
    '?%24fields=x',
    '?alt=proto',
    '?alt=sse&alt=media',
    '?callback=x',
    '?$alt=proto',
    '?$alt=json;fields=candidates',
    '?alt=json&%24alt=media',
  ])
    await t.rejects(priced(meter, {}, PATHS.gemini, { query }), { code: 'cost-invalid' }, query);
  for (const query of [
    '?alt=sse',
    '?alt=json&key=k',
    '?$prettyPrint=false',
    '?$alt=json;enum-encoding=int',
    '?%24alt=json%3Benum-encoding%3Dint',
    '?$alt=sse;enum-encoding=int',
  ])
    await t.resolves(priced(meter, {}, PATHS.gemini, { query }), query);
  await t.rejects(priced(meter, {}, PATHS.gemini, { headers: ['X-Goog-FieldMask', 'candidates'] }), {
    code: 'cost-invalid',
  });
});

t.test('null, 0 and odd spellings of a whole number', async (t) => {
  const meter = meterOf(
    'openai-chat',
    { weights: { input: 0, cachedInput: 0, cacheWrite: 0, output: 1, reasoning: 1 } },
    MODELS,
  );
  const heldFor = async (members: string) =>
    (await priced(meter, chat(members), PATHS['openai-chat'])).charges.items[0]?.units;
  t.equal(await heldFor(''), 200, 'the default of the model, × its multiplier');
  t.equal(await heldFor(',"max_tokens":null'), 200);
  t.equal(await heldFor(',"max_tokens":0'), 200, '0 means no ceiling to some');
  t.equal(await heldFor(',"max_tokens":10.0'), 20);
  t.equal(await heldFor(',"max_tokens":1e1'), 20);
  t.equal(await heldFor(',"max_tokens":5,"max_completion_tokens":7'), 14, 'the larger');
  t.equal(await heldFor(',"max_tokens":5,"n":3'), 30);
  t.equal(await heldFor(',"max_tokens":5,"n":null'), 10);
  await meter.close();
});

t.test('a route whose charges do not agree does not start', (t) => {
  t.throws(() => meterOf('openai-chat', { per: 0 }));
  t.throws(() =>
    meterOf('openai-chat', {
      weights: { input: -1, cachedInput: 0, cacheWrite: 0, output: 1, reasoning: 1 },
    }),
  );
  t.throws(() => meterOf('openai-chat', {}, [{ match: '*', multiplier: 'NaN', maxOutputTokens: 1 }]));
  t.end();
});
