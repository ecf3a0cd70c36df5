// Servers that follow OpenAI, each in its own way: the usage of one answer, whole and streamed, in any chunks.
import { gzipSync } from 'node:zlib';
import t from 'tap';
import type { Usage } from '../../../src/quota/tokens.js';
import { meterOf, PATHS, pass, priced } from './drive.js';

interface Dialect {
  readonly usage: object;
  readonly due: Partial<Usage>;
  /** Beside the usage, and of the last chunk. */
  readonly more?: object;
  /** The usage stands in every chunk, the output growing. */
  readonly everywhere?: boolean;
}

const TEXT = 'It is sunny. '.repeat(8);

const DIALECTS: Readonly<Record<string, Dialect>> = {
  DeepSeek: {
    usage: {
      prompt_tokens: 300,
      completion_tokens: 90,
      total_tokens: 390,
      prompt_tokens_details: { cached_tokens: 256 },
      completion_tokens_details: { reasoning_tokens: 40 },
      prompt_cache_hit_tokens: 256,
      prompt_cache_miss_tokens: 44,
    },
    due: { input: 300, cachedInput: 256, output: 90, reasoning: 40 },
  },
  Mistral: {
    usage: { prompt_tokens: 40, total_tokens: 100, completion_tokens: 60, num_cached_tokens: 0 },
    due: { input: 40, output: 60 },
  },
  Groq: {
    usage: {
      queue_time: 0.04,
      prompt_tokens: 40,
      prompt_time: 0.001,
      completion_tokens: 60,
      completion_time: 0.2,
      total_tokens: 100,
      total_time: 0.3,
    },
    more: { usage_breakdown: null, x_groq: { id: 'req_1' }, service_tier: 'on_demand' },
    due: { input: 40, output: 60 },
  },
  'xAI, reasoning outside': {
    usage: {
      prompt_tokens: 32,
      completion_tokens: 60,
      total_tokens: 325,
      prompt_tokens_details: { text_tokens: 32, audio_tokens: 0, image_tokens: 0, cached_tokens: 6 },
      completion_tokens_details: { reasoning_tokens: 233, audio_tokens: 0 },
      num_sources_used: 0,
    },
    due: { input: 32, cachedInput: 6, output: 293, reasoning: 233 },
    everywhere: true,
  },
  Together: {
    usage: { prompt_tokens: 40, completion_tokens: 60, total_tokens: 100, cached_tokens: 16 },
    due: { input: 40, cachedInput: 16, output: 60 },
  },
  Fireworks: {
    usage: {
      prompt_tokens: 40,
      total_tokens: 100,
      completion_tokens: 60,
      prompt_tokens_details: { cached_tokens: 0 },
    },
    more: { perf_metrics: { 'prompt-tokens': '40' } },
    due: { input: 40, output: 60 },
  },
  OpenRouter: {
    usage: {
      prompt_tokens: 40,
      completion_tokens: 60,
      total_tokens: 100,
      cost: 0.00014,
      is_byok: false,
      prompt_tokens_details: { cached_tokens: 0, cache_write_tokens: 24, audio_tokens: 0, video_tokens: 0 },
      cost_details: { upstream_inference_cost: null },
      completion_tokens_details: { reasoning_tokens: 12, image_tokens: 0 },
    },
    more: { provider: 'Somebody' },
    due: { input: 40, cacheWrite: 24, output: 60, reasoning: 12 },
  },
  'Perplexity, research': {
    usage: {
      prompt_tokens: 33,
      completion_tokens: 7_163,
      total_tokens: 7_196,
      citation_tokens: 20_016,
      num_search_queries: 18,
      reasoning_tokens: 73_395,
      search_context_size: 'low',
      cost: { input_tokens_cost: 0.001, total_cost: 1.2 },
    },
    more: { citations: ['https://example.com'], search_results: [] },
    due: { input: 20_049, output: 80_558, reasoning: 73_395 },
    everywhere: true,
  },
  vLLM: {
    usage: { prompt_tokens: 40, total_tokens: 100, completion_tokens: 60, prompt_tokens_details: null },
    more: { prompt_logprobs: null, kv_transfer_params: null },
    due: { input: 40, output: 60 },
    everywhere: true,
  },
  'LM Studio': {
    usage: { prompt_tokens: 40, completion_tokens: 60, total_tokens: 100 },
    more: { stats: {}, system_fingerprint: 'm' },
    due: { input: 40, output: 60 },
  },
  'llama.cpp': {
    usage: { completion_tokens: 60, prompt_tokens: 40, total_tokens: 100 },
    more: { timings: { cache_n: 0, prompt_n: 40, predicted_n: 60, predicted_per_second: 63.7 } },
    due: { input: 40, output: 60 },
  },
};

const NOTHING: Usage = { input: 0, cachedInput: 0, cacheWrite: 0, output: 0, reasoning: 0 };

function streamOf({ usage, more, everywhere }: Dialect): string {
  const of = (delta: object, reason: string | null, tokens: object | null) =>
    `data: ${JSON.stringify({ id: 'c', model: 'm', choices: [{ index: 0, delta, finish_reason: reason }], usage: tokens, ...more })}\n\n`;
  const growing = (output: number) =>
    everywhere === true ? { ...usage, completion_tokens: output, total_tokens: 0 } : null;
  return [
    ': PROCESSING\n\n',
    of({ role: 'assistant', content: '' }, null, growing(0)),
    of({ content: TEXT }, null, growing(20)),
    of({}, 'stop', everywhere === true ? usage : null),
    everywhere === true ? '' : `data: ${JSON.stringify({ id: 'c', choices: [], usage, ...more })}\n\n`,
    'data: [DONE]\n\n',
  ].join('');
}

for (const [name, dialect] of Object.entries(DIALECTS)) {
  t.test(name, async (t) => {
    const meter = meterOf('openai-compatible');
    t.teardown(() => meter.close());
    const due = { ...NOTHING, ...dialect.due };
    const message = { role: 'assistant', content: TEXT };
    const whole = { id: 'c', model: 'm', choices: [{ index: 0, message, finish_reason: 'stop' }] };
    const json = JSON.stringify({ ...whole, usage: dialect.usage, ...dialect.more });
    for (const [body, stream] of [
      [json, false],
      [streamOf(dialect), true],
    ] as const)
      for (const chunkBytes of [1, 13, 100_000])
        for (const coding of [undefined, 'gzip'] as const) {
          const request = { model: 'm', stream, stream_options: stream ? { include_usage: true } : null };
          const sent = coding === undefined ? Buffer.from(body) : gzipSync(body);
          const one = await priced(meter, request, PATHS['openai-compatible']);
          const type = stream ? 'text/event-stream' : 'application/json';
          const { report, costs } = await pass(one, sent, { type, chunkBytes, ...(coding && { coding }) });
          t.strictSame(report?.usage, due, `${stream} ${chunkBytes} ${coding}`);
          t.strictSame(costs, [{ units: due.input + due.output, estimated: false }]);
        }
  });
}

t.test('calls of tools, wherever they are reported', async (t) => {
  const calls = { web_search: 1_000, x_search: 100, live_search: 10 };
  const models = [{ match: '*', multiplier: 1, maxOutputTokens: 100, calls }];
  const usage = { input_tokens: 10, output_tokens: 10, total_tokens: 20 };
  const ran = {
    num_sources_used: 4,
    server_side_tool_usage_details: { web_search_calls: 3, x_search_calls: 2 },
  };
  const searches = [1, 2].map((id) => ({ type: 'web_search_call', id: String(id) }));
  const image = { type: 'image_generation_call', id: 'i', result: 'A'.repeat(700_000) };
  const meter = meterOf('openai-responses', {}, models);
  t.teardown(() => meter.close());
  for (const [answer, units] of [
    [{ usage: { ...usage, ...ran } }, 20 + 3_000 + 200 + 40],
    [{ usage, output: searches }, 2_020],
    [{ usage, output: [...searches, image] }, 2_020],
  ] as const) {
    const one = await priced(meter, { model: 'm' }, PATHS['openai-responses']);
    const body = Buffer.from(JSON.stringify({ model: 'm', status: 'completed', ...answer }));
    const { costs } = await pass(one, body, {});
    t.strictSame(costs, [{ units, estimated: false }]);
  }
});
