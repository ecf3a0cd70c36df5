// Usage that contradicts itself, or what passed, is never read in the caller's favour.
import t from 'tap';
import type { Api } from '../../../src/meter/llm/index.js';
import { charged } from './charged.js';
import { meterOf, PATHS, pass, priced } from './drive.js';

const PROMPT = 'word '.repeat(6_000);

const messages = (list: readonly [start: object, ...deltas: object[]]) => {
  const [start, ...deltas] = list;
  return [
    { type: 'message_start', message: { usage: start } },
    { type: 'content_block_delta', delta: { type: 'text_delta', text: 'Hello there.' } },
    ...deltas.map((usage) => ({ type: 'message_delta', delta: {}, usage })),
  ];
};

t.test('Anthropic: counters that fall in a message_delta', async (t) => {
  const start = { input_tokens: 10, cache_read_input_tokens: 5_000, output_tokens: 1 };
  const cases: [string, object[], number, number][] = [
    ['input falls to 0', [{ input_tokens: 0, output_tokens: 50 }], 5_010, 50],
    ['all input falls to 0', [{ input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 50 }], 5_010, 50],
    [
      'the cached part falls',
      [{ input_tokens: 20, cache_read_input_tokens: 100, output_tokens: 50 }],
      5_020,
      50,
    ],
    ['output falls', [{ output_tokens: 50 }, { output_tokens: 8 }], 5_010, 50],
    [
      'input moves to another class',
      [{ input_tokens: 4_010, cache_read_input_tokens: 1_000, output_tokens: 9 }],
      5_010,
      9,
    ],
    ['input grows', [{ input_tokens: 700, cache_read_input_tokens: 5_000, output_tokens: 9 }], 5_700, 9],
    ['null is not 0', [{ input_tokens: null, output_tokens: 9 }], 5_010, 9],
  ];
  for (const [name, deltas, input, output] of cases) {
    const { usage, estimated } = await charged('anthropic-messages', messages([start, ...deltas]));
    t.strictSame([usage.input, usage.output, estimated], [input, output, false], name);
  }
});

t.test('Gemini: a partial object after the full one', async (t) => {
  const full = {
    promptTokenCount: 800,
    candidatesTokenCount: 66,
    thoughtsTokenCount: 30,
    totalTokenCount: 896,
  };
  const later: object[] = [
    { promptTokenCount: 100, totalTokenCount: 100 },
    { promptTokenCount: 100 },
    { totalTokenCount: 100 },
    { candidatesTokenCount: 0 },
    { promptTokenCount: 80, candidatesTokenCount: 20, totalTokenCount: 100 },
  ];
  for (const usageMetadata of later) {
    const events = [full, usageMetadata].map((usageMetadata) => ({
      candidates: [{ content: { parts: [{ text: 'Hello there.' }] }, finishReason: 'STOP' }],
      usageMetadata,
    }));
    const { units, estimated } = await charged('gemini', events);
    t.strictSame([units, estimated], [896, false], JSON.stringify(usageMetadata));
  }
  const corrected = [
    { promptTokenCount: 169, totalTokenCount: 169 },
    { promptTokenCount: 79, candidatesTokenCount: 12, totalTokenCount: 91 },
  ];
  const { usage } = await charged(
    'gemini',
    corrected.map((usageMetadata) => ({ usageMetadata })),
  );
  t.strictSame(
    [usage.input, usage.output],
    [79, 12],
    'a prompt stated before any output is corrected by a whole object',
  );
});

t.test('chat: a partial object after the full one', async (t) => {
  const full = { prompt_tokens: 100, completion_tokens: 50, total_tokens: 150 };
  const later: object[] = [
    { prompt_tokens: 100, total_tokens: 100 },
    { prompt_tokens: 100, completion_tokens: 0, total_tokens: 100 },
    { total_tokens: 100 },
    { prompt_tokens: 60, completion_tokens: 40, total_tokens: 100 },
    { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 },
  ];
  for (const usage of later) {
    const { units, estimated } = await charged('openai-compatible', [
      { choices: [{ delta: { content: 'Hello there.' }, finish_reason: 'stop' }], usage: full },
      { choices: [], usage },
    ]);
    t.strictSame([units, estimated], [150, false], JSON.stringify(usage));
  }
  const details = { ...full, completion_tokens_details: { reasoning_tokens: 40 } };
  const grown = { prompt_tokens: 100, completion_tokens: 60, total_tokens: 160 };
  const { usage } = await charged(
    'openai-compatible',
    [details, grown].map((usage) => ({ choices: [], usage })),
  );
  t.strictSame([usage.output, usage.reasoning], [60, 40], 'details that a later object leaves out are kept');
});

const EXAMPLES: [Api, (input: number, output: number, text: string) => unknown][] = [
  [
    'openai-chat',
    (input, output, text) => ({
      choices: [{ message: { content: text } }],
      usage: { prompt_tokens: input, completion_tokens: output, total_tokens: input + output },
    }),
  ],
  [
    'openai-responses',
    (input, output, text) => ({
      status: 'completed',
      output: [{ type: 'message', content: [{ type: 'output_text', text }] }],
      usage: { input_tokens: input, output_tokens: output, total_tokens: input + output },
    }),
  ],
  [
    'anthropic-messages',
    (input, output, text) => ({
      content: [{ type: 'text', text }],
      usage: { input_tokens: input, output_tokens: output },
    }),
  ],
  [
    'gemini',
    (input, output, text) => ({
      candidates: [{ content: { parts: [{ text }] }, finishReason: 'STOP' }],
      usageMetadata: {
        promptTokenCount: input,
        candidatesTokenCount: output,
        totalTokenCount: input + output,
      },
    }),
  ],
];

t.test('0, or next to nothing, on a side although text passed on it', async (t) => {
  const prompts: Partial<Record<Api, object>> = {
    gemini: { contents: [{ parts: [{ text: PROMPT }] }] },
    'openai-responses': { input: PROMPT },
  };
  for (const [api, answer] of EXAMPLES) {
    const request = prompts[api] ?? { messages: [{ role: 'user', content: PROMPT }] };
    const text = 'word '.repeat(1_200);
    const free = await charged(api, answer(0, 1_500, text), { request });
    t.ok(free.estimated && free.usage.input >= 10_000 && free.usage.output === 1_500, `${api}: input 0`);
    const silent = await charged(api, answer(6_001, 0, text), { request });
    t.strictSame(
      [silent.estimated, silent.usage.input, silent.usage.output],
      [true, 6_001, 2_000],
      `${api}: output 0`,
    );
    const low = await charged(api, answer(3, 7, text), { request });
    t.ok(low.estimated && low.usage.input >= 5_000 && low.usage.output === 1_000, `${api}: both far too low`);
    const right = await charged(api, answer(6_001, 1_200, text), { request });
    t.strictSame([right.estimated, right.units], [false, 7_201], `${api}: as it is`);
  }
});

t.test('what a broken counter leaves is never less than the others say', async (t) => {
  const usage = {
    prompt_tokens: -5,
    completion_tokens: 500,
    prompt_tokens_details: { cached_tokens: 4_000 },
  };
  const broken = await charged('openai-chat', { choices: [{ message: { content: 'Hello.' } }], usage });
  t.strictSame([broken.estimated, broken.usage.input, broken.usage.output], [true, 4_000, 500]);
  const counts = {
    promptTokenCount: 'x',
    toolUsePromptTokenCount: 764,
    candidatesTokenCount: 1.5,
    thoughtsTokenCount: 90,
  };
  const gemini = await charged('gemini', { candidates: [], usageMetadata: counts });
  t.strictSame([gemini.estimated, gemini.usage.input, gemini.usage.output], [true, 764, 90]);
  const details = {
    promptTokenCount: 3,
    promptTokensDetails: [{ modality: 'TEXT', tokenCount: 900 }],
    candidatesTokenCount: 9,
  };
  t.equal(
    (await charged('gemini', { candidates: [], usageMetadata: details })).units,
    909,
    'details say more',
  );
});

t.test('what is no text of the prompt or the model raises nothing', async (t) => {
  const schema = {
    type: 'object',
    properties: Object.fromEntries(
      Array.from({ length: 400 }, (_, n) => [`a_long_name_${n}`, { type: 'string' }]),
    ),
  };
  const request = {
    messages: [{ role: 'user', content: 'Hello there, how are you?' }],
    tools: [{ type: 'function', function: { name: 'f', parameters: schema } }],
  };
  const [, chat] = EXAMPLES[0] as (typeof EXAMPLES)[0];
  t.strictSame((await charged('openai-chat', chat(60, 40, 'Fine.'), { request })).units, 100, 'tools');
  const image = { type: 'image_url', image_url: { url: `data:image/png;base64,${'A'.repeat(90_000)}` } };
  const drawn = {
    choices: [{ message: { content: null, images: [image] } }],
    usage: { prompt_tokens: 9, completion_tokens: 1_290 },
  };
  t.strictSame((await charged('openai-chat', drawn)).units, 1_299, 'images');
  const found = [
    { type: 'web_search_tool_result', content: [{ title: 'words '.repeat(5_000) }] },
    { type: 'text', text: 'Found.' },
  ];
  t.strictSame(
    (
      await charged('anthropic-messages', {
        content: found,
        usage: { input_tokens: 9_000, output_tokens: 5 },
      })
    ).units,
    9_005,
    'results of tools',
  );
  const russian = 'Привет, меня зовут модель, и я рада знакомству. '.repeat(200);
  t.strictSame(
    (await charged('openai-chat', chat(9, 2_600, russian))).units,
    2_609,
    'scripts that are packed densely',
  );
  const thought = 'I think, therefore I am. '.repeat(100);
  const twice = [
    { choices: [{ index: 0, delta: { reasoning: thought, reasoning_content: thought } }] },
    { choices: [], usage: { prompt_tokens: 9, completion_tokens: 600 } },
  ];
  t.strictSame((await charged('openai-compatible', twice)).units, 609, 'a thought under two names');
});

t.test('several counts of one answer: of each side the largest, or the one that is billed', async (t) => {
  const text = 'Hello there.';
  const own = { input_tokens: 20, cache_read_input_tokens: 80, output_tokens: 7 };
  const metrics = { inputTokenCount: 900, outputTokenCount: 60 };
  const bedrock: [string, string, object, string[], number, number][] = [
    [
      'the head of Bedrock beside a usage of Claude',
      'anthropic.claude',
      { content: [{ type: 'text', text }], usage: own },
      ['X-Amzn-Bedrock-Input-Token-Count', '900', 'X-Amzn-Bedrock-Output-Token-Count', '60'],
      900,
      60,
    ],
    [
      'the last event beside a usage of Claude',
      'anthropic.claude',
      { content: [{ type: 'text', text }], usage: own, 'amazon-bedrock-invocationMetrics': metrics },
      [],
      900,
      60,
    ],
    [
      'one side each',
      'anthropic.claude',
      { usage: own, 'amazon-bedrock-invocationMetrics': { outputTokenCount: 60 } },
      [],
      100,
      60,
    ],
    [
      'Llama without a head',
      'meta.llama3',
      { generation: text, prompt_token_count: 300, generation_token_count: 9 },
      [],
      300,
      9,
    ],
    [
      'a model that follows OpenAI, without a head',
      'openai.gpt-oss',
      { choices: [], usage: { prompt_tokens: 300, completion_tokens: 9, total_tokens: 309 } },
      [],
      300,
      9,
    ],
  ];
  const meter = meterOf('bedrock');
  for (const [name, model, answer, fields, input, output] of bedrock) {
    const one = await priced(meter, { max_tokens: 1_000 }, `/model/${model}/invoke`);
    const { costs, report } = await pass(one, Buffer.from(JSON.stringify(answer)), { fields });
    t.strictSame(
      [report?.usage.input, report?.usage.output, costs[0]?.estimated],
      [input, output, false],
      name,
    );
  }
  await meter.close();

  const tokens = { input_tokens: 512, output_tokens: 31 };
  const cohere: [string, object, number, number][] = [
    ['billed', { billed_units: { input_tokens: 40, output_tokens: 25 }, tokens }, 40, 25],
    ['one side is not billed', { billed_units: { output_tokens: 25 }, tokens }, 512, 25],
    [
      'a billed counter is broken',
      { billed_units: { input_tokens: -1, output_tokens: 25 }, tokens },
      512,
      25,
    ],
    ['nothing is billed', { billed_units: {}, tokens }, 512, 31],
  ];
  for (const [name, usage, input, output] of cohere) {
    const answer = { message: { content: [{ type: 'text', text }] }, usage };
    const { usage: found, estimated } = await charged('cohere', answer);
    t.strictSame([found.input, found.output, estimated], [input, output, false], name);
  }
});

t.test('an object of counters replaces a number, and is not replaced by one', async (t) => {
  const end = (usage: object) => ({ type: 'message-end', delta: { finish_reason: 'COMPLETE', usage } });
  const list = [0, 50].map((wrong) => [
    end({ billed_units: wrong, tokens: { input_tokens: 512, output_tokens: 104 } }),
    end({ billed_units: { input_tokens: 600, output_tokens: 196 } }),
  ]);
  for (const answer of list) {
    const { usage } = await charged('cohere', answer);
    t.strictSame([usage.input, usage.output], [600, 196]);
    const reversed = await charged('cohere', [...answer].reverse());
    t.strictSame([reversed.usage.input, reversed.usage.output], [600, 196], 'the number comes last');
  }
});

t.test('units and embeddings', async (t) => {
  const documents = Array.from({ length: 1_000 }, () => 'x');
  const rerank = { request: { documents }, path: '/v2/rerank' };
  const searches = (units: number) => ({ meta: { billed_units: { search_units: units } } });
  t.equal((await charged('cohere', searches(10), rerank)).usage.input, 10);
  t.equal((await charged('cohere', searches(1), rerank)).usage.input, 5, 'not below half of ten searches');
  const embed = { request: { content: { parts: [{ text: 'x' }] } }, path: '/v1beta/models/m:embedContent' };
  const { usage } = await charged('gemini', { usageMetadata: { totalTokenCount: 800 } }, embed);
  t.strictSame([usage.input, usage.output], [800, 0], 'a total of an embedding is input');
});

t.test('a broken value in the place of an object of counters', async (t) => {
  const meter = meterOf('cohere');
  t.teardown(() => meter.close());
  const usage = { billed_units: { input_tokens: 449, output_tokens: 544 }, tokens: { input_tokens: 153 } };
  const events = [usage, { billed_units: -1, cached_tokens: 40 }]
    .map((one) => `data: ${JSON.stringify({ type: 'message-end', delta: { usage: one } })}\n\n`)
    .join('');
  const one = await priced(meter, { model: 'm', stream: true }, PATHS.cohere);
  const { report } = await pass(one, Buffer.from(events), { type: 'text/event-stream' });
  t.equal(report?.usage.input, 449);
  t.equal(report?.usage.output, 544);
});

t.test('a counter in the place of an object that has none', async (t) => {
  const meter = meterOf('openai-chat');
  t.teardown(() => meter.close());
  const tokens = { prompt_tokens: 398, completion_tokens: 463, total_tokens: 861 };
  for (const broken of [{}, { a: 'x' }]) {
    const chunks = [{ ...tokens, prompt_tokens: broken, completion_tokens: broken }, tokens]
      .map((usage) => `data: ${JSON.stringify({ choices: [], usage })}\n\n`)
      .join('');
    const one = await priced(meter, { model: 'm', stream: true }, PATHS['openai-chat']);
    const { report } = await pass(one, Buffer.from(chunks), { type: 'text/event-stream' });
    t.equal(report?.usage.input, 398);
    t.equal(report?.usage.output, 463);
  }
});
