/** Answers of Amazon Bedrock, made by hand; the messages of its streams by the codec of Amazon's own clients. */
import { EventStreamCodec } from '@smithy/core/event-streams';
import type { Sample } from '../answers.js';

const TEXT = 'Grüße aus Tōkyō – "ja" \\ 🙂 und mehr';
export const EVENT_STREAM = 'application/vnd.amazon.eventstream';

const codec = new EventStreamCodec(
  (bytes) => Buffer.from(bytes).toString('utf8'),
  (text) => Buffer.from(text, 'utf8'),
);

export function message(type: string, payload: object): Buffer {
  const text = (value: string) => ({ type: 'string' as const, value });
  const headers = {
    ':event-type': text(type),
    ':content-type': text('application/json'),
    ':message-type': text('event'),
  };
  return Buffer.from(codec.encode({ headers, body: Buffer.from(JSON.stringify(payload)) }));
}

export function exception(type: string): Buffer {
  const text = (value: string) => ({ type: 'string' as const, value });
  const headers = { ':exception-type': text(type), ':message-type': text('exception') };
  return Buffer.from(codec.encode({ headers, body: Buffer.from('{"message":"out of luck"}') }));
}

/** Throws for a message whose checksums do not fit. */
export function decoded(bytes: Buffer): { headers: object; body: unknown } {
  const { headers, body } = codec.decode(bytes);
  const texts = Object.entries(headers).map(([name, { value }]) => [name, value] as const);
  return { headers: Object.fromEntries(texts), body: JSON.parse(Buffer.from(body).toString()) };
}

/** An event of InvokeModel. */
export function chunk(event: object): Buffer {
  return message('chunk', { bytes: Buffer.from(JSON.stringify(event)).toString('base64'), p: 'abcdefgh' });
}

/** It counts cached input apart, and in its total. */
const USAGE = {
  inputTokens: 28,
  outputTokens: 25,
  totalTokens: 65,
  cacheReadInputTokens: 8,
  cacheWriteInputTokens: 4,
  cacheDetails: [{ inputTokens: 4, ttl: '5m' }],
};
const METRICS = {
  inputTokenCount: 28,
  outputTokenCount: 25,
  cacheReadInputTokenCount: 8,
  cacheWriteInputTokenCount: 4,
  invocationLatency: 1_200,
  firstByteLatency: 300,
};
const MESSAGES_USAGE = {
  input_tokens: 28,
  cache_read_input_tokens: 8,
  cache_creation_input_tokens: 4,
  output_tokens: 25,
};

const CLAUDE = '/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0';
const LLAMA = '/model/meta.llama3-1-8b-instruct-v1%3A0';
const base = {
  api: 'bedrock',
  query: '',
  type: 'application/json',
  usage: { input: 40, cachedInput: 8, cacheWrite: 4, output: 25, reasoning: 0 },
} as const;
const converse = { ...base, request: { messages: [{ role: 'user', content: [{ text: 'x' }] }] } };
const claude = {
  ...base,
  request: {
    anthropic_version: 'bedrock-2023-05-31',
    max_tokens: 100,
    messages: [{ role: 'user', content: 'x' }],
  },
};

export const BEDROCK: readonly Sample[] = [
  {
    ...converse,
    name: 'bedrock converse',
    path: `${CLAUDE}/converse`,
    body: JSON.stringify({
      metrics: { latencyMs: 900 },
      output: { message: { role: 'assistant', content: [{ text: TEXT }] } },
      stopReason: 'end_turn',
      usage: USAGE,
    }),
  },
  {
    ...converse,
    name: 'bedrock converse stream',
    path: `${CLAUDE}/converse-stream`,
    type: EVENT_STREAM,
    body: Buffer.concat([
      message('messageStart', { p: 'abc', role: 'assistant' }),
      message('contentBlockDelta', { contentBlockIndex: 0, delta: { text: TEXT }, p: 'abcdef' }),
      message('contentBlockStop', { contentBlockIndex: 0, p: 'ab' }),
      message('messageStop', { p: 'a', stopReason: 'end_turn' }),
      message('metadata', { metrics: { latencyMs: 900 }, p: 'abcd', usage: USAGE }),
    ]),
  },
  {
    ...claude,
    name: 'bedrock claude',
    path: `${CLAUDE}/invoke`,
    body: JSON.stringify({ type: 'message', content: [{ type: 'text', text: TEXT }], usage: MESSAGES_USAGE }),
  },
  {
    ...claude,
    name: 'bedrock claude stream',
    path: `${CLAUDE}/invoke-with-response-stream`,
    type: EVENT_STREAM,
    body: Buffer.concat([
      chunk({ type: 'message_start', message: { usage: { ...MESSAGES_USAGE, output_tokens: 1 } } }),
      chunk({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: TEXT } }),
      chunk({ type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: MESSAGES_USAGE }),
      chunk({ type: 'message_stop', 'amazon-bedrock-invocationMetrics': METRICS }),
    ]),
  },
  {
    ...base,
    name: 'bedrock llama stream',
    path: `${LLAMA}/invoke-with-response-stream`,
    request: { prompt: 'x', max_gen_len: 100 },
    type: EVENT_STREAM,
    body: Buffer.concat([
      chunk({ generation: TEXT, prompt_token_count: 40, generation_token_count: 20, stop_reason: null }),
      chunk({
        generation: '',
        prompt_token_count: null,
        generation_token_count: 25,
        stop_reason: 'stop',
        'amazon-bedrock-invocationMetrics': METRICS,
      }),
    ]),
  },
];
