// Of counters of one usage object that differ, the larger one is charged.
import t from 'tap';
import type { Api } from '../../../src/meter/llm/index.js';
import type { Usage } from '../../../src/quota/tokens.js';
import { charged } from './charged.js';

const CLAUDE = '/model/anthropic.claude/invoke';
/** One usage object whose counters differ. */
const DIFFERING: [string, api: Api, usage: object, input: number, output: number, more?: Partial<Usage>][] = [
  [
    'details',
    'openai-chat',
    { prompt_tokens: 3, prompt_tokens_details: { text_tokens: 900 }, completion_tokens: 9 },
    900,
    9,
  ],
  [
    'details',
    'openai-chat',
    { prompt_tokens: 3, completion_tokens: 9, completion_tokens_details: { text_tokens: 70 } },
    3,
    70,
  ],
  [
    'hits and misses',
    'openai-chat',
    { prompt_tokens: 300, prompt_cache_hit_tokens: 200, prompt_cache_miss_tokens: 700, completion_tokens: 9 },
    900,
    9,
    { cachedInput: 200 },
  ],
  [
    'tools',
    'gemini',
    {
      promptTokenCount: 3,
      toolUsePromptTokenCount: 4,
      toolUsePromptTokensDetails: [{ tokenCount: 80 }],
      candidatesTokenCount: 9,
    },
    80,
    9,
  ],
  [
    'thoughts beside details',
    'gemini',
    {
      promptTokenCount: 3,
      candidatesTokenCount: 9,
      candidatesTokensDetails: [{ tokenCount: 70 }],
      thoughtsTokenCount: 20,
    },
    3,
    90,
    { reasoning: 20 },
  ],
  [
    'passes',
    'anthropic-messages',
    {
      input_tokens: 3,
      output_tokens: 9,
      iterations: [
        { input_tokens: 40, output_tokens: 50 },
        { input_tokens: 60, output_tokens: 70 },
      ],
    },
    100,
    120,
  ],
  [
    'fewer passes',
    'anthropic-messages',
    {
      input_tokens: 300,
      cache_read_input_tokens: 7,
      output_tokens: 90,
      output_tokens_details: { thinking_tokens: 80 },
      iterations: [{ input_tokens: 4, output_tokens: 5 }],
    },
    307,
    90,
    { cachedInput: 7, reasoning: 80 },
  ],
  [
    'thoughts of passes',
    'anthropic-messages',
    {
      input_tokens: 3,
      output_tokens: 90,
      output_tokens_details: { thinking_tokens: 80 },
      iterations: [{ input_tokens: 4, output_tokens: 95 }],
    },
    4,
    95,
    { reasoning: 80 },
  ],
  [
    'written by time',
    'anthropic-messages',
    {
      input_tokens: 3,
      cache_creation_input_tokens: 5,
      cache_creation: { ephemeral_5m_input_tokens: 50, ephemeral_1h_input_tokens: 7 },
      output_tokens: 9,
    },
    60,
    9,
    { cacheWrite: 57 },
  ],
  [
    'billed or counted',
    'cohere',
    { billed_units: { input_tokens: 'x', output_tokens: 9 }, tokens: { input_tokens: 40, output_tokens: 2 } },
    40,
    9,
  ],
  [
    'two counts',
    'bedrock',
    { input_tokens: 3, output_tokens: 90, inputTokens: 40, cacheReadInputTokens: 5, outputTokens: 7 },
    45,
    90,
    { cachedInput: 5 },
  ],
  [
    'equal counts',
    'bedrock',
    {
      input_tokens: 40,
      output_tokens: 90,
      prompt_tokens_details: { cached_tokens: 30 },
      completion_tokens_details: { reasoning_tokens: 60 },
    },
    40,
    90,
    { cachedInput: 30, reasoning: 60 },
  ],
];

t.test('of counters that differ, the larger one counts', async (t) => {
  for (const [what, api, usage, input, output, more = {}] of DIFFERING) {
    const answer = { content: [], [api === 'gemini' ? 'usageMetadata' : 'usage']: usage };
    const { usage: found, estimated } = await charged(api, answer, api === 'bedrock' ? { path: CLAUDE } : {});
    const due = { cachedInput: 0, cacheWrite: 0, reasoning: 0, ...more, input, output };
    t.match(found, due, `${api}: ${what}`);
    t.equal(estimated, false, `${api}: ${what}`);
  }
});

t.test('Bedrock: what only the total contains belongs to the side that is not stated', async (t) => {
  const answer = { content: [], usage: { outputTokens: 10, totalTokens: 900 } };
  const { units, usage, estimated } = await charged('bedrock', answer, { path: CLAUDE });
  t.strictSame([units, estimated], [900, false]);
  t.ok(usage.input > 0, `${usage.input}`);
});
