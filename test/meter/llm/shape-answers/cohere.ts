/** Answers of Cohere, made by hand as its API writes them: it bills less input than it counts. */
import type { Sample } from '../answers.js';

const TEXT = 'Grüße aus Tōkyō – "ja" \\ 🙂 und mehr';
const USAGE = {
  billed_units: { input_tokens: 40, output_tokens: 25 },
  tokens: { input_tokens: 512, output_tokens: 31 },
  cached_tokens: 8,
};

const named = (list: readonly { readonly type: string }[]): string =>
  list.map((one) => `event: ${one.type}\ndata: ${JSON.stringify(one)}\n\n`).join('');

const EVENTS = [
  { id: 'c', type: 'message-start', delta: { message: { role: 'assistant', content: [] } } },
  { type: 'content-start', index: 0, delta: { message: { content: { type: 'thinking', thinking: '' } } } },
  { type: 'content-delta', index: 0, delta: { message: { content: { thinking: 'Tōkyō?' } } } },
  { type: 'content-end', index: 0 },
  { type: 'content-delta', index: 1, delta: { message: { content: { text: TEXT } } } },
  {
    type: 'citation-start',
    index: 0,
    delta: { message: { citations: { start: 0, end: 5, text: 'Grüße' } } },
  },
  {
    type: 'tool-call-delta',
    index: 0,
    delta: { message: { tool_calls: { function: { arguments: '{"a":1}' } } } },
  },
  { id: 'c', type: 'message-end', delta: { finish_reason: 'COMPLETE', usage: USAGE } },
];

const base = {
  api: 'cohere',
  query: '',
  type: 'application/json',
  usage: { input: 40, cachedInput: 8, cacheWrite: 0, output: 25, reasoning: 0 },
} as const;
const chat = { model: 'command-a-03-2025', messages: [{ role: 'user', content: 'x' }] };

export const COHERE: readonly Sample[] = [
  {
    ...base,
    name: 'cohere chat',
    path: '/v2/chat',
    request: chat,
    body: JSON.stringify({
      id: 'c',
      finish_reason: 'COMPLETE',
      message: { role: 'assistant', content: [{ type: 'text', text: TEXT }] },
      usage: USAGE,
    }),
  },
  {
    ...base,
    name: 'cohere chat stream',
    path: '/v2/chat',
    request: { ...chat, stream: true },
    type: 'text/event-stream',
    body: named(EVENTS),
  },
  {
    ...base,
    name: 'cohere embed',
    path: '/v2/embed',
    request: { model: 'embed-v4.0', texts: ['x'], input_type: 'search_query' },
    body: JSON.stringify({
      id: 'e',
      embeddings: { float: [[0.1, -2e-7]] },
      meta: { billed_units: { input_tokens: 30, image_tokens: 10 } },
    }),
    usage: { ...base.usage, cachedInput: 0, output: 0 },
  },
  {
    ...base,
    name: 'cohere rerank',
    path: '/v2/rerank',
    request: { model: 'rerank-v3.5', query: 'x', documents: ['a', 'b'] },
    body: JSON.stringify({
      id: 'r',
      results: [{ index: 1, relevance_score: 0.99 }],
      meta: { api_version: { version: '2' }, billed_units: { search_units: 1 } },
    }),
    usage: { input: 1, cachedInput: 0, cacheWrite: 0, output: 0, reasoning: 0 },
  },
];
