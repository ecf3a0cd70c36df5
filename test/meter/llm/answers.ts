/** Answers of every shape, made by hand, with the usage that they report. */

import type { Api } from '../../../src/meter/llm/index.js';
import type { Usage } from '../../../src/quota/tokens.js';
import { AZURE_QUERY, PATHS } from './drive.js';
import { BEDROCK } from './shape-answers/bedrock.js';
import { COHERE } from './shape-answers/cohere.js';
import { OLLAMA } from './shape-answers/ollama.js';
import { VERTEX_AI } from './shape-answers/vertex-ai.js';

export interface Sample {
  readonly name: string;
  readonly api: Api;
  readonly path: string;
  readonly query: string;
  readonly request: unknown;
  readonly type: string;
  readonly body: string | Buffer;
  readonly usage: Usage;
}

const SSE = 'text/event-stream';
const JSON_TYPE = 'application/json';

const events = (list: readonly unknown[]): string =>
  list.map((one) => `data: ${typeof one === 'string' ? one : JSON.stringify(one)}\n\n`).join('');
const named = (list: readonly { readonly type: string }[]): string =>
  list.map((one) => `event: ${one.type}\ndata: ${JSON.stringify(one)}\n\n`).join('');

const CHAT_USAGE = {
  prompt_tokens: 40,
  completion_tokens: 25,
  total_tokens: 65,
  prompt_tokens_details: { cached_tokens: 8, cache_write_tokens: 4 },
  completion_tokens_details: { reasoning_tokens: 9 },
};
const USAGE: Usage = { input: 40, cachedInput: 8, cacheWrite: 4, output: 25, reasoning: 9 };

const chunk = (delta: unknown, finish: string | null = null) => ({
  id: 'c1',
  object: 'chat.completion.chunk',
  model: 'm',
  choices: [{ index: 0, delta, finish_reason: finish }],
  usage: null,
});
const TEXT = 'Grüße aus Tōkyō – "ja" \\ 🙂 und mehr';
const CHAT_EVENTS = [
  chunk({ role: 'assistant', content: '' }),
  chunk({ content: TEXT }),
  chunk({ tool_calls: [{ index: 0, id: 't', function: { name: 'weather', arguments: '{"city":"東京"}' } }] }),
  chunk({}, 'stop'),
  { id: 'c1', object: 'chat.completion.chunk', model: 'm', choices: [], usage: CHAT_USAGE },
  '[DONE]',
];
const chatBody = (more: object = {}) => ({
  id: 'c1',
  object: 'chat.completion',
  model: 'm',
  choices: [{ index: 0, message: { role: 'assistant', content: TEXT }, finish_reason: 'stop' }],
  usage: CHAT_USAGE,
  ...more,
});
const completionEvents = [
  {
    id: 'c',
    object: 'text_completion',
    choices: [{ text: TEXT, index: 0, finish_reason: null }],
    usage: null,
  },
  {
    id: 'c',
    object: 'text_completion',
    choices: [{ text: '', index: 0, finish_reason: 'stop' }],
    usage: null,
  },
  { id: 'c', object: 'text_completion', choices: [], usage: CHAT_USAGE },
  '[DONE]',
];

const RESPONSES_USAGE = {
  input_tokens: 40,
  input_tokens_details: { cached_tokens: 8, cache_write_tokens: 4 },
  output_tokens: 25,
  output_tokens_details: { reasoning_tokens: 9 },
  total_tokens: 65,
};
const response = (status: string, usage: unknown) => ({
  id: 'r',
  object: 'response',
  status,
  error: null,
  output: [{ type: 'message', content: [{ type: 'output_text', text: TEXT }] }],
  usage,
});
const RESPONSES_EVENTS = [
  { type: 'response.created', sequence_number: 0, response: response('in_progress', null) },
  { type: 'response.output_text.delta', sequence_number: 1, delta: TEXT },
  { type: 'response.completed', sequence_number: 2, response: response('completed', RESPONSES_USAGE) },
];

const MESSAGES_USAGE = {
  input_tokens: 28,
  cache_read_input_tokens: 8,
  cache_creation_input_tokens: 4,
  output_tokens: 25,
  output_tokens_details: { thinking_tokens: 9 },
};
const MESSAGES_EVENTS = [
  {
    type: 'message_start',
    message: { id: 'm', content: [], usage: { ...MESSAGES_USAGE, input_tokens: 20, output_tokens: 1 } },
  },
  { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
  { type: 'ping' },
  { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: TEXT } },
  { type: 'content_block_stop', index: 0 },
  { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: MESSAGES_USAGE },
  { type: 'message_stop' },
];

const GEMINI_USAGE = {
  promptTokenCount: 30,
  toolUsePromptTokenCount: 10,
  cachedContentTokenCount: 8,
  candidatesTokenCount: 16,
  thoughtsTokenCount: 9,
  totalTokenCount: 65,
};
const GEMINI_EXPECTED: Usage = { ...USAGE, cacheWrite: 0 };
const part = (text: string, more: object = {}) => ({
  candidates: [{ content: { parts: [{ text }], role: 'model' }, index: 0, ...more }],
});
const GEMINI_EVENTS = [
  { ...part(TEXT), usageMetadata: { promptTokenCount: 90, totalTokenCount: 90 } },
  { ...part('.', { finishReason: 'STOP' }), usageMetadata: GEMINI_USAGE },
];

const ASKED = { stream: true, stream_options: { include_usage: true } };
const STREAM_PATH = PATHS.gemini.replace('generate', 'streamGenerate');

function sample(
  name: string,
  api: Api,
  request: unknown,
  type: string,
  body: string,
  more: Partial<Sample> = {},
): Sample {
  const query = api === 'azure-openai' ? AZURE_QUERY : '';
  return { name, api, path: PATHS[api], query, request, type, body, usage: USAGE, ...more };
}

export const SAMPLES: readonly Sample[] = [
  sample('chat', 'openai-chat', { model: 'm' }, JSON_TYPE, JSON.stringify(chatBody())),
  sample('chat stream', 'openai-chat', { model: 'm', ...ASKED }, SSE, events(CHAT_EVENTS)),
  sample(
    'completion',
    'openai-completions',
    { model: 'm', prompt: 'x' },
    JSON_TYPE,
    JSON.stringify(chatBody()),
  ),
  sample('completion stream', 'openai-completions', { model: 'm', ...ASKED }, SSE, events(completionEvents)),
  sample(
    'response',
    'openai-responses',
    { model: 'm' },
    JSON_TYPE,
    JSON.stringify(response('completed', RESPONSES_USAGE), null, 2),
  ),
  sample('response stream', 'openai-responses', { model: 'm', stream: true }, SSE, named(RESPONSES_EVENTS)),
  sample(
    'embedding',
    'openai-embeddings',
    { model: 'm', input: 'x' },
    JSON_TYPE,
    JSON.stringify({ object: 'list', data: [{ embedding: [0.5, -1e-7] }], usage: { total_tokens: 40 } }),
    { usage: { input: 40, cachedInput: 0, cacheWrite: 0, output: 0, reasoning: 0 } },
  ),
  sample(
    'azure',
    'azure-openai',
    {},
    JSON_TYPE,
    JSON.stringify(chatBody({ prompt_filter_results: [{ a: 1 }] })),
  ),
  sample(
    'azure stream',
    'azure-openai',
    ASKED,
    SSE,
    events([{ id: '', choices: [], prompt_filter_results: [{ prompt_index: 0 }] }, ...CHAT_EVENTS]),
  ),
  sample(
    'message',
    'anthropic-messages',
    { model: 'm', max_tokens: 100 },
    JSON_TYPE,
    JSON.stringify({ type: 'message', content: [{ type: 'text', text: TEXT }], usage: MESSAGES_USAGE }),
  ),
  sample(
    'message stream',
    'anthropic-messages',
    { model: 'm', max_tokens: 100, stream: true },
    SSE,
    named(MESSAGES_EVENTS),
  ),
  sample('content', 'gemini', {}, JSON_TYPE, JSON.stringify(GEMINI_EVENTS[1]), { usage: GEMINI_EXPECTED }),
  sample('content stream', 'gemini', {}, SSE, events(GEMINI_EVENTS).replaceAll('\n', '\r\n'), {
    usage: GEMINI_EXPECTED,
    path: STREAM_PATH,
  }),
  sample('content array', 'gemini', {}, JSON_TYPE, JSON.stringify(GEMINI_EVENTS, null, 1), {
    usage: GEMINI_EXPECTED,
    path: STREAM_PATH,
  }),
  sample('compatible', 'openai-compatible', {}, JSON_TYPE, JSON.stringify(chatBody())),
  sample(
    'compatible stream',
    'openai-compatible',
    ASKED,
    SSE,
    `: hello\n\n${events([chunk({ reasoning_content: TEXT }), { ...chunk({}, 'stop'), usage: CHAT_USAGE }, '[DONE]'])}`,
  ),
  ...OLLAMA,
  ...COHERE,
  ...VERTEX_AI,
  ...BEDROCK,
];

export { CHAT_EVENTS, events };
