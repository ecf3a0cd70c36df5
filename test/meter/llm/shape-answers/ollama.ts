/** Answers of Ollama, made by hand as the server writes them. */
import type { Sample } from '../answers.js';

const TEXT = 'Grüße aus Tōkyō – "ja" \\ 🙂 und mehr';
const MODEL = { model: 'llama3.2', created_at: '2026-01-05T10:11:12.123456789Z' };
const COUNTERS = {
  done: true,
  done_reason: 'stop',
  total_duration: 4_883_583_458,
  load_duration: 1_334_875,
  prompt_eval_count: 40,
  prompt_eval_duration: 342_546_000,
  eval_count: 25,
  eval_duration: 4_535_599_000,
};

const lines = (list: readonly object[]): string => list.map((one) => `${JSON.stringify(one)}\n`).join('');

const CHAT_LINES = [
  { ...MODEL, message: { role: 'assistant', content: '', thinking: 'Tōkyō?' }, done: false },
  { ...MODEL, message: { role: 'assistant', content: TEXT }, done: false },
  {
    ...MODEL,
    message: {
      role: 'assistant',
      content: '',
      tool_calls: [{ function: { name: 'weather', arguments: { city: '東京' } } }],
    },
    done: false,
  },
  { ...MODEL, message: { role: 'assistant', content: '' }, ...COUNTERS },
];

const GENERATE_LINES = [
  { ...MODEL, response: TEXT, done: false },
  { ...MODEL, response: '', ...COUNTERS, context: [1, 2, 3] },
];

const base = {
  api: 'ollama',
  query: '',
  usage: { input: 40, cachedInput: 0, cacheWrite: 0, output: 25, reasoning: 0 },
} as const;
const LINES = { ...base, type: 'application/x-ndjson' };
const WHOLE = { ...base, type: 'application/json; charset=utf-8' };
const chat = {
  path: '/api/chat',
  request: { model: 'llama3.2', messages: [{ role: 'user', content: 'x' }] },
};
const generate = { path: '/api/generate', request: { model: 'llama3.2', prompt: 'x' } };

export const OLLAMA: readonly Sample[] = [
  { name: 'ollama chat stream', ...LINES, ...chat, body: lines(CHAT_LINES) },
  { name: 'ollama chat stream, no last line end', ...LINES, ...chat, body: lines(CHAT_LINES).trimEnd() },
  { name: 'ollama generate stream', ...LINES, ...generate, body: lines(GENERATE_LINES) },
  {
    name: 'ollama chat',
    ...WHOLE,
    path: '/api/chat',
    request: { ...chat.request, stream: false },
    body: JSON.stringify({ ...MODEL, message: { role: 'assistant', content: TEXT }, ...COUNTERS }),
  },
  {
    name: 'ollama embed',
    ...WHOLE,
    path: '/api/embed',
    request: { model: 'all-minilm', input: ['x', 'y'] },
    body: JSON.stringify({ model: 'all-minilm', embeddings: [[0.1], [-0.2]], prompt_eval_count: 40 }),
    usage: { ...base.usage, output: 0 },
  },
];
