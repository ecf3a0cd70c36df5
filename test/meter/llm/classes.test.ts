// Costs other than plain tokens: kinds of tokens, service tiers, speeds, long input, tools that the provider runs.
import t from 'tap';
import type { Api, Model } from '../../../src/meter/llm/index.js';
import type { Priced } from '../../../src/meter/priced.js';
import { meterOf, PATHS, PLAIN_WEIGHTS, pass, priced } from './drive.js';

const held = ({ charges }: Priced): number => charges.items[0]?.units ?? -1;

async function costOf(
  api: Api,
  request: object,
  answer: unknown,
  more: { model?: Partial<Model>; weights?: object } = {},
): Promise<{ held: number; charged: number | undefined; estimated: boolean | undefined }> {
  const model: Model = { match: '*', multiplier: 1, maxOutputTokens: 100, ...more.model };
  const meter = meterOf(api, { weights: { ...PLAIN_WEIGHTS, ...more.weights } }, [model]);
  const one = await priced(meter, { ...(api === 'gemini' ? {} : { model: 'm' }), ...request }, PATHS[api]);
  const sse = typeof answer === 'string';
  const body = Buffer.from(sse ? answer : JSON.stringify(answer));
  const { costs } = await pass(one, body, sse ? { type: 'text/event-stream' } : {});
  await meter.close();
  return { held: held(one), charged: costs[0]?.units, estimated: costs[0]?.estimated };
}

const chat = (usage: object, more: object = {}) => ({ model: 'm', choices: [], usage, ...more });
const TEN = { prompt_tokens: 10, completion_tokens: 10 };

t.test('images made by a tool are outside the usage', async (t) => {
  const tool_usage = {
    image_gen: {
      input_tokens: 50,
      input_tokens_details: { image_tokens: 40, text_tokens: 10 },
      output_tokens: 1_000,
      total_tokens: 1_050,
    },
  };
  const usage = { input_tokens: 10, output_tokens: 5, total_tokens: 15 };
  const answer = { model: 'm', status: 'completed', output: [], usage, tool_usage };
  t.match(await costOf('openai-responses', {}, answer), { charged: 1_065, estimated: false });
  const event = { type: 'response.completed', response: answer };
  const sse = `event: response.completed\ndata: ${JSON.stringify(event)}\n\n`;
  t.match(await costOf('openai-responses', { stream: true }, sse), { charged: 1_065, estimated: false });
  const weights = { imageOutput: 8, imageInput: 2 };
  t.match(await costOf('openai-responses', {}, answer, { weights }), { charged: 15 + 10 + 80 + 8_000 });
});

t.test('tools by the call', async (t) => {
  const model = { calls: { web_search: 1_000, code_interpreter: 3_000, google_search: 500, file_search: 1 } };
  const item = (type: string, id: string, more = {}) => ({ type, id, status: 'completed', ...more });
  const output = [
    item('web_search_call', 'a'),
    item('web_search_call', 'b'),
    item('code_interpreter_call', 'c', { container_id: 'x' }),
    item('code_interpreter_call', 'd', { container_id: 'x' }),
    item('function_call', 'e'),
    item('message', 'f'),
  ];
  const usage = { input_tokens: 10, output_tokens: 10 };
  const answer = { model: 'm', status: 'completed', output, usage };
  const tools = [{ type: 'web_search' }, { type: 'code_interpreter', container: { type: 'auto' } }];
  const one = await costOf('openai-responses', { tools }, answer, { model });
  t.match(one, { charged: 5_020, estimated: false });
  t.ok(one.held >= 4_000, 'a call of each is held');
  const most = await costOf('openai-responses', { tools, max_tool_calls: 5 }, answer, { model });
  t.ok(most.held >= 20_000, 'as many as the request allows');
  const events = output.map((one) => ({ type: 'response.output_item.done', item: one }));
  const sse = [...events, { type: 'response.completed', response: answer }]
    .map((event) => `data: ${JSON.stringify(event)}\n\n`)
    .join('');
  t.match(
    await costOf('openai-responses', { stream: true }, sse, { model }),
    { charged: 5_020 },
    'once each',
  );
  const reported = { ...answer, output: [], tool_usage: { web_search: { num_requests: 7 } } };
  t.match(await costOf('openai-responses', {}, reported, { model }), { charged: 7_020 });

  const message = { type: 'message', model: 'm', content: [] };
  const searched = { ...usage, server_tool_use: { web_search_requests: 3, web_fetch_requests: 9 } };
  const claude = {
    max_tokens: 10,
    tools: [{ type: 'web_search_20250305', name: 'web_search', max_uses: 4 }],
  };
  const two = await costOf('anthropic-messages', claude, { ...message, usage: searched }, { model });
  t.match(two, { charged: 3_020 });
  t.ok(two.held >= 4_000);
  const gemini = {
    candidates: [{ finishReason: 'STOP', groundingMetadata: { webSearchQueries: ['a', 'b'] } }],
    usageMetadata: { promptTokenCount: 10, candidatesTokenCount: 10, totalTokenCount: 20 },
  };
  const three = await costOf('gemini', { tools: [{ googleSearch: {} }] }, gemini, { model });
  t.match(three, { charged: 1_020 });
  t.ok(three.held >= 500);
  const cites = [{ index: 0, message: { content: 'x', annotations: [{ type: 'url_citation' }] } }];
  const four = await costOf('openai-chat', { web_search_options: {} }, chat(TEN, { choices: cites }), {
    model,
  });
  t.match(four, { charged: 1_020 });
  t.ok(four.held >= 1_000);
});

t.test('service tiers', async (t) => {
  const model = { tiers: { flex: '0.5', priority: 2 } };
  const tier = (asked: unknown, reported?: string) =>
    costOf('openai-chat', { max_tokens: 1_000, service_tier: asked }, chat(TEN, { service_tier: reported }), {
      model,
    });
  t.match(await tier('flex', 'flex'), { charged: 10 });
  t.match(await tier('priority', 'priority'), { charged: 40 });
  t.match(await tier('priority', 'default'), { charged: 20 }, 'what was given, not what was asked for');
  t.match(await tier('flex', 'priority'), { charged: 40 });
  t.match(await tier(undefined, 'PRIORITY'), { charged: 40 });
  t.match(await tier('flex'), { charged: 20 }, 'untold: the dearest that it can have been');
  t.match(await tier('priority', 'auto'), { charged: 40 });
  t.match(await tier(undefined, 'unheard-of'), { charged: 40 });
  t.match(await tier('default'), { charged: 20 });
  const heldFor = async (asked: unknown) => (await tier(asked, 'default')).held;
  const usual = await heldFor('default');
  t.ok(usual > 1_000 && usual < 1_100);
  t.ok(
    (await heldFor('flex')) < 1_100 && (await heldFor('flex')) > 1_000,
    'an upstream may not keep to flex',
  );
  for (const asked of [undefined, 'auto', 'priority', 7]) t.ok((await heldFor(asked)) >= 2 * 1_000);
  const usage = { input_tokens: 10, output_tokens: 10, service_tier: 'priority', speed: 'fast' };
  const answer = { type: 'message', model: 'm', content: [], usage };
  const fast = { tiers: { priority: 2 }, speeds: { fast: 6 } };
  const both = await costOf('anthropic-messages', { max_tokens: 10, speed: 'fast' }, answer, { model: fast });
  t.match(both, { charged: 240 });
  t.ok(both.held >= 240);
  const slow = { ...usage, service_tier: 'standard', speed: undefined };
  const one = await costOf(
    'anthropic-messages',
    { max_tokens: 10 },
    { ...answer, usage: slow },
    { model: fast },
  );
  t.match(one, { charged: 20 });
  const flex = {
    usageMetadata: { promptTokenCount: 10, totalTokenCount: 10, trafficType: 'ON_DEMAND_PRIORITY' },
  };
  const onVertex = { tiers: { on_demand_priority: 3 } };
  t.match(
    await costOf('gemini', {}, { candidates: [{ finishReason: 'STOP' }], ...flex }, { model: onVertex }),
    {
      charged: 30,
    },
  );
});

t.test('long input', async (t) => {
  const model = { longContext: { above: 1_000, input: 2, output: '1.5' } };
  const at = (prompt_tokens: number, content = '') =>
    costOf(
      'openai-chat',
      { messages: [{ role: 'user', content }] },
      chat({ prompt_tokens, completion_tokens: 10 }),
      {
        model,
      },
    );
  t.match(await at(1_000), { charged: 1_010 });
  t.match(await at(1_001), { charged: 2_017 });
  const long = await at(900, 'x'.repeat(1_100));
  t.match(long, { charged: 910 });
  t.ok(long.held >= 2 * 366 + 150, 'what might be long is held as long');
});

t.test('kinds of tokens', async (t) => {
  const weights = {
    cacheWrite1h: 2,
    cacheWrite: '1.25',
    audioInput: 10,
    audioOutput: 20,
    imageInput: 3,
    imageOutput: 30,
  };
  const usage = {
    prompt_tokens: 100,
    completion_tokens: 50,
    prompt_tokens_details: { audio_tokens: 30, image_tokens: 20, cached_tokens: 10 },
    completion_tokens_details: { audio_tokens: 40, reasoning_tokens: 5 },
  };
  t.match(await costOf('openai-chat', {}, chat(usage), { weights }), {
    charged: 10 + 300 + 60 + 40 + 800 + 5 + 5,
  });
  t.match(await costOf('openai-chat', {}, chat(usage)), { charged: 150 }, 'left out: as any other');
  const cache_creation = { ephemeral_5m_input_tokens: 20, ephemeral_1h_input_tokens: 40 };
  const wrote = { input_tokens: 10, cache_creation_input_tokens: 60, cache_creation, output_tokens: 10 };
  const message = { type: 'message', model: 'm', content: [], usage: wrote };
  t.match(await costOf('anthropic-messages', { max_tokens: 10 }, message, { weights }), {
    charged: 10 + 25 + 80 + 10,
  });
  const usageMetadata = {
    promptTokenCount: 100,
    promptTokensDetails: [
      { modality: 'TEXT', tokenCount: 50 },
      { modality: 'AUDIO', tokenCount: 50 },
    ],
    candidatesTokenCount: 10,
    candidatesTokensDetails: [{ modality: 'IMAGE', tokenCount: 10 }],
    totalTokenCount: 110,
  };
  const gemini = { candidates: [{ finishReason: 'STOP' }], usageMetadata };
  t.match(await costOf('gemini', {}, gemini, { weights }), { charged: 50 + 500 + 300 });
  const plain = await costOf('anthropic-messages', { max_tokens: 10 }, message, {
    weights: { cacheWrite1h: 50 },
  });
  t.ok(plain.held < 100, 'nobody asks for an hour');
  const hour = { max_tokens: 10, system: [{ type: 'text', text: 'x', cache_control: { ttl: '1h' } }] };
  const two = await costOf('anthropic-messages', hour, message, { weights: { cacheWrite1h: 50 } });
  t.ok(two.held >= 900);
});
