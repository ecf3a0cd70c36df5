/** Answers of Vertex AI, made by hand: each maker's own, with what the place adds. */
import type { Sample } from '../answers.js';

const TEXT = 'Grüße aus Tōkyō – "ja" \\ 🙂 und mehr';
const PLACE = '/v1/projects/acme-1/locations/us-east5/publishers';
const CLAUDE = `${PLACE}/anthropic/models/claude-sonnet-4-5@20250929`;
const GEMINI = `${PLACE}/google/models/gemini-2.5-flash`;

const MESSAGES_USAGE = {
  input_tokens: 28,
  cache_read_input_tokens: 8,
  cache_creation_input_tokens: 4,
  cache_creation: { ephemeral_5m_input_tokens: 4, ephemeral_1h_input_tokens: 0 },
  output_tokens: 25,
};
const GEMINI_USAGE = {
  promptTokenCount: 40,
  candidatesTokenCount: 16,
  totalTokenCount: 65,
  cachedContentTokenCount: 8,
  trafficType: 'ON_DEMAND',
  promptTokensDetails: [{ modality: 'TEXT', tokenCount: 40 }],
  candidatesTokensDetails: [{ modality: 'TEXT', tokenCount: 16 }],
  thoughtsTokenCount: 9,
};

const MESSAGES_EVENTS = [
  {
    type: 'message_start',
    message: { id: 'msg_vrtx_1', content: [], usage: { ...MESSAGES_USAGE, output_tokens: 1 } },
  },
  { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: TEXT } },
  { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: MESSAGES_USAGE },
  { type: 'message_stop' },
];
const CONTENT = {
  candidates: [
    { content: { role: 'model', parts: [{ text: TEXT }] }, finishReason: 'STOP', avgLogprobs: -0.2 },
  ],
  usageMetadata: GEMINI_USAGE,
  modelVersion: 'gemini-2.5-flash',
  createTime: '2026-01-05T10:11:12.123456Z',
};

const named = (list: readonly { readonly type: string }[]): string =>
  list.map((one) => `event: ${one.type}\ndata: ${JSON.stringify(one)}\n\n`).join('');

const base = { api: 'vertex-ai', query: '', type: 'application/json' } as const;
const claude = {
  ...base,
  request: {
    anthropic_version: 'vertex-2023-10-16',
    max_tokens: 100,
    messages: [{ role: 'user', content: 'x' }],
  },
  usage: { input: 40, cachedInput: 8, cacheWrite: 4, output: 25, reasoning: 0 },
};
const gemini = {
  ...base,
  request: { contents: [{ role: 'user', parts: [{ text: 'x' }] }] },
  usage: { input: 40, cachedInput: 8, cacheWrite: 0, output: 25, reasoning: 9 },
};

export const VERTEX_AI: readonly Sample[] = [
  {
    ...claude,
    name: 'vertex claude',
    path: `${CLAUDE}:rawPredict`,
    body: JSON.stringify({ type: 'message', content: [{ type: 'text', text: TEXT }], usage: MESSAGES_USAGE }),
  },
  {
    ...claude,
    name: 'vertex claude stream',
    path: `${CLAUDE}:streamRawPredict`,
    request: { ...claude.request, stream: true },
    type: 'text/event-stream; charset=utf-8',
    body: named(MESSAGES_EVENTS),
  },
  { ...gemini, name: 'vertex gemini', path: `${GEMINI}:generateContent`, body: JSON.stringify(CONTENT) },
  {
    ...gemini,
    name: 'vertex gemini stream',
    path: `${GEMINI}:streamGenerateContent`,
    type: 'text/event-stream',
    body: `data: ${JSON.stringify(CONTENT)}\r\n\r\n`,
  },
  {
    ...gemini,
    name: 'vertex gemini array',
    path: `${GEMINI}:streamGenerateContent`,
    body: JSON.stringify([CONTENT], null, 2),
  },
];
