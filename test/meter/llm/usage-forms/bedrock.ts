/** Usage of Amazon Bedrock: Converse's own; the model's beside Bedrock's count in the head or the last event. */
import { chunk, EVENT_STREAM, message } from '../shape-answers/bedrock.js';
import {
  type Answered,
  CHAT_SOURCES,
  type Counters,
  type Counts,
  chatRequest,
  chatUsage,
  json,
  last,
  MESSAGES_SOURCES,
  messagesAnswer,
  messagesEvents,
  messagesUsage,
  type Source,
  type UsageForm,
} from './form.js';

const framed = (list: readonly Buffer[]): Answered => ({ body: Buffer.concat(list), type: EVENT_STREAM });

const converseUsage = ({ input, cached, output }: Counts): Counters => ({
  inputTokens: input - cached,
  cacheReadInputTokens: cached,
  outputTokens: output,
  totalTokens: input + output,
});
const CONVERSE_SOURCES: readonly Source[] = [
  {
    inputTokens: 'input',
    cacheReadInputTokens: 'input',
    outputTokens: 'output',
    totalTokens: 'total',
  },
];
const converseRequest = (prompt: string) => ({ messages: [{ role: 'user', content: [{ text: prompt }] }] });

/** Bedrock's own count, under `counted`; the model's stand beside it. */
const counted = ({ input, cached, output }: Counts): Counters => ({
  inputTokenCount: input - cached,
  cacheReadInputTokenCount: cached,
  outputTokenCount: output,
});
const COUNTED_SOURCE: Source = {
  'counted.inputTokenCount': 'input',
  'counted.cacheReadInputTokenCount': 'input',
  'counted.outputTokenCount': 'output',
};

const HEAD_NAMES: readonly (readonly [string, string])[] = [
  ['inputTokenCount', 'X-Amzn-Bedrock-Input-Token-Count'],
  ['cacheReadInputTokenCount', 'X-Amzn-Bedrock-Cache-Read-Input-Token-Count'],
  ['outputTokenCount', 'X-Amzn-Bedrock-Output-Token-Count'],
];

function headOf({ counted: one }: Counters): string[] {
  const counters = typeof one === 'object' && one !== null ? (one as Counters) : {};
  return HEAD_NAMES.flatMap(([counter, field]) =>
    counters[counter] === undefined ? [] : [field, String(counters[counter])],
  );
}

interface Maker {
  readonly name: string;
  readonly model: string;
  request(prompt: string): object;
  usage(counts: Counts): Counters;
  readonly sources: readonly Source[];
  body(text: string, usages: readonly Counters[]): object;
  events(text: string, usages: readonly Counters[]): readonly object[];
}

const own = ({ counted: _, ...usage }: Counters): Counters => usage;

const MAKERS: readonly Maker[] = [
  {
    name: 'claude',
    model: 'anthropic.claude',
    request: (prompt) => ({ ...chatRequest(prompt), max_tokens: 100_000 }),
    usage: messagesUsage,
    sources: MESSAGES_SOURCES,
    body: messagesAnswer,
    events: messagesEvents,
  },
  {
    name: 'nova',
    model: 'amazon.nova-lite',
    request: converseRequest,
    usage: converseUsage,
    sources: CONVERSE_SOURCES,
    body: (text, usages) => ({ output: { message: { content: [{ text }] } }, usage: last(usages) }),
    events: (text, usages) => [
      { contentBlockDelta: { delta: { text } } },
      ...usages.map((usage) => ({ metadata: { usage } })),
    ],
  },
  {
    name: 'gpt',
    model: 'openai.gpt-oss',
    request: chatRequest,
    usage: chatUsage,
    sources: CHAT_SOURCES,
    body: (text, usages) => ({ choices: [{ message: { content: text } }], usage: last(usages) }),
    events: (text, usages) => [
      { choices: [{ delta: { content: text } }] },
      ...usages.map((usage) => ({ choices: [], usage })),
    ],
  },
  {
    name: 'llama',
    model: 'meta.llama3',
    request: (prompt) => ({ prompt, max_gen_len: 100_000 }),
    usage: ({ input, output }) => ({ prompt_token_count: input, generation_token_count: output }),
    sources: [{ prompt_token_count: 'input', generation_token_count: 'output' }],
    body: (text, usages) => ({ generation: text, stop_reason: 'stop', ...last(usages) }),
    events: (text, usages) => [
      { generation: text, stop_reason: null },
      ...usages.map((usage) => ({ generation: '', stop_reason: 'stop', ...usage })),
    ],
  },
];

const invoked = (maker: Maker): UsageForm[] => {
  const { name, model, request, usage, sources } = maker;
  const shared = {
    api: 'bedrock',
    request,
    usage: (counts: Counts) => ({ ...usage(counts), counted: counted(counts) }),
    sources: [...sources, COUNTED_SOURCE],
  } as const;
  return [
    {
      ...shared,
      name: `bedrock ${name}`,
      path: `/model/${model}/invoke`,
      answer: (text, usages) => ({
        ...json(maker.body(text, usages.map(own))),
        fields: headOf(last(usages)),
      }),
    },
    {
      ...shared,
      name: `bedrock ${name} stream`,
      path: `/model/${model}/invoke-with-response-stream`,
      isStream: true,
      answer: (text, usages) =>
        framed([
          ...maker.events(text, usages.map(own)).map(chunk),
          ...usages.map((one) => chunk({ 'amazon-bedrock-invocationMetrics': one.counted })),
        ]),
    },
  ];
};

export const BEDROCK_FORMS: readonly UsageForm[] = [
  {
    name: 'bedrock converse',
    api: 'bedrock',
    path: '/model/m/converse',
    request: converseRequest,
    usage: converseUsage,
    sources: CONVERSE_SOURCES,
    answer: (text, usages) => json({ output: { message: { content: [{ text }] } }, usage: last(usages) }),
  },
  {
    name: 'bedrock converse stream',
    api: 'bedrock',
    path: '/model/m/converse-stream',
    isStream: true,
    request: converseRequest,
    usage: converseUsage,
    sources: CONVERSE_SOURCES,
    answer: (text, usages) =>
      framed([
        message('contentBlockDelta', { delta: { text } }),
        ...usages.map((usage) => message('metadata', { usage })),
      ]),
  },
  ...MAKERS.flatMap(invoked),
];
