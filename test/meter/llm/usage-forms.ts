/** The usage objects of every API, in each form of its answers, for the fuzz of usage objects. */
import type { Api } from '../../../src/meter/llm/index.js';
import { AZURE_QUERY, PATHS } from './drive.js';
import { BEDROCK_FORMS } from './usage-forms/bedrock.js';
import {
  CHAT_SOURCES,
  type Counters,
  type Counts,
  chatRequest,
  chatUsage,
  geminiUsage,
  inputOnlyUsage,
  json,
  last,
  lines,
  MESSAGES_SOURCES,
  messagesAnswer,
  messagesEvents,
  messagesUsage,
  RESPONSES_SOURCES,
  responsesUsage,
  type Source,
  stream,
  type UsageForm,
} from './usage-forms/form.js';
import { OPENAI_MEDIA_FORMS } from './usage-forms/openai-media.js';

type EndpointCase = Pick<UsageForm, 'name' | 'api' | 'path' | 'query'>;

/** Chat and legacy completions: a message, or a bare text. */
function chat(place: EndpointCase, isLegacy = false): UsageForm[] {
  const request = isLegacy ? (prompt: string) => ({ model: 'm', prompt }) : chatRequest;
  const shared = { ...place, usage: chatUsage, sources: CHAT_SOURCES };
  return [
    {
      ...shared,
      request,
      answer: (text, usages) =>
        json({ choices: [isLegacy ? { text } : { message: { content: text } }], usage: last(usages) }),
    },
    {
      ...shared,
      name: `${place.name} stream`,
      isStream: true,
      request: (prompt) => ({ ...request(prompt), stream: true, stream_options: { include_usage: true } }),
      answer: (text, usages) =>
        stream([
          { choices: [isLegacy ? { text } : { delta: { content: text } }] },
          ...usages.slice(0, -1).map((usage) => ({ choices: [{ delta: {} }], usage })),
          { choices: [], usage: last(usages) },
        ]),
    },
  ];
}

function responses(place: EndpointCase): UsageForm[] {
  const shared = { ...place, usage: responsesUsage, sources: RESPONSES_SOURCES };
  return [
    {
      ...shared,
      request: (prompt) => ({ model: 'm', input: prompt }),
      answer: (text, usages) =>
        json({
          status: 'completed',
          output: [{ type: 'message', content: [{ text }] }],
          usage: last(usages),
        }),
    },
    {
      ...shared,
      name: `${place.name} stream`,
      isStream: true,
      request: (prompt) => ({ model: 'm', input: prompt, stream: true }),
      answer: (text, usages) =>
        stream([
          { type: 'response.output_text.delta', delta: text },
          ...usages.slice(0, -1).map((usage) => ({ type: 'response.in_progress', response: { usage } })),
          { type: 'response.completed', response: { usage: last(usages) } },
        ]),
    },
  ];
}

function embeddings(place: EndpointCase): UsageForm {
  return {
    ...place,
    hasOutput: false,
    request: (prompt) => ({ model: 'm', input: prompt }),
    usage: inputOnlyUsage,
    sources: CHAT_SOURCES,
    answer: (_text, usages) => json({ object: 'list', data: [{ embedding: [0.5] }], usage: last(usages) }),
  };
}

/** Claude, wherever it is served; `streamPath` where the path says that it streams. */
function messages(place: EndpointCase, streamPath = place.path): UsageForm[] {
  const shared = { ...place, usage: messagesUsage, sources: MESSAGES_SOURCES };
  const request = (prompt: string) => ({ ...chatRequest(prompt), max_tokens: 100_000 });
  return [
    { ...shared, request, answer: (text, usages) => json(messagesAnswer(text, usages)) },
    {
      ...shared,
      name: `${place.name} stream`,
      isStream: true,
      ...(streamPath === undefined ? {} : { path: streamPath }),
      request: (prompt) => ({ ...request(prompt), stream: true }),
      answer: (text, usages) => stream(messagesEvents(text, usages)),
    },
  ];
}

const GEMINI_SOURCES: readonly Source[] = [
  {
    promptTokenCount: 'input',
    candidatesTokenCount: 'output',
    thoughtsTokenCount: 'output',
    totalTokenCount: 'total',
  },
];

/** @param model the path, up to the verb */
function gemini(name: string, api: Api, model: string): UsageForm[] {
  const shared = {
    api,
    request: (prompt: string) => ({ contents: [{ parts: [{ text: prompt }] }] }),
    usage: geminiUsage,
    sources: GEMINI_SOURCES,
  };
  const candidates = (text: string) => [{ content: { parts: [{ text }] }, finishReason: 'STOP' }];
  const chunks = (text: string, usages: readonly Counters[]) => [
    ...usages.slice(0, -1).map((usageMetadata) => ({ candidates: [], usageMetadata })),
    { candidates: candidates(text), usageMetadata: last(usages) },
  ];
  return [
    {
      ...shared,
      name,
      path: `${model}:generateContent`,
      answer: (text, usages) => json({ candidates: candidates(text), usageMetadata: last(usages) }),
    },
    {
      ...shared,
      name: `${name} stream`,
      isStream: true,
      path: `${model}:streamGenerateContent`,
      answer: (text, usages) => stream(chunks(text, usages)),
    },
    {
      ...shared,
      name: `${name} array`,
      isStream: true,
      path: `${model}:streamGenerateContent`,
      answer: (text, usages) => json(chunks(text, usages)),
    },
    {
      ...shared,
      name: `${name} embedding`,
      hasOutput: false,
      path: `${model}:embedContent`,
      request: (prompt) => ({ content: { parts: [{ text: prompt }] } }),
      usage: ({ input }) => ({ promptTokenCount: input, totalTokenCount: input }),
      answer: (_text, usages) => json({ embedding: { values: [0.5] }, usageMetadata: last(usages) }),
    },
  ];
}

/** What is billed counts; what was counted says something only where nothing usable is billed. */
const COHERE_SOURCES: readonly Source[] = [
  {
    'billed_units.input_tokens': 'input',
    'billed_units.image_tokens': 'input',
    'billed_units.output_tokens': 'output',
  },
  { 'tokens.input_tokens': 'input', 'tokens.output_tokens': 'output' },
];
const cohereUsage = ({ input, cached, output }: Counts): Counters => ({
  billed_units: { input_tokens: input, output_tokens: output },
  tokens: { input_tokens: input + 400, output_tokens: output + 6 },
  cached_tokens: cached,
});
const cohereChat: Omit<UsageForm, 'answer'> = {
  name: 'cohere chat',
  api: 'cohere',
  request: chatRequest,
  usage: cohereUsage,
  sources: COHERE_SOURCES,
  standIns: { tokens: 'billed_units' },
};

const COHERE: readonly UsageForm[] = [
  {
    ...cohereChat,
    answer: (text, usages) => json({ message: { content: [{ type: 'text', text }] }, usage: last(usages) }),
  },
  {
    ...cohereChat,
    name: 'cohere chat stream',
    isStream: true,
    request: (prompt) => ({ ...chatRequest(prompt), stream: true }),
    answer: (text, usages) =>
      stream([
        { type: 'content-delta', delta: { message: { content: { text } } } },
        ...usages.map((usage) => ({ type: 'message-end', delta: { finish_reason: 'COMPLETE', usage } })),
      ]),
  },
  {
    name: 'cohere embedding',
    api: 'cohere',
    path: '/v2/embed',
    hasOutput: false,
    request: (prompt) => ({ model: 'm', texts: [prompt] }),
    usage: ({ input, cached }) => ({
      billed_units: { input_tokens: input - cached, image_tokens: cached },
    }),
    sources: COHERE_SOURCES,
    answer: (_text, usages) => json({ embeddings: { float: [[0.5]] }, meta: last(usages) }),
  },
  {
    name: 'cohere rerank',
    api: 'cohere',
    path: '/v2/rerank',
    hasOutput: false,
    request: (prompt) => ({ model: 'm', query: 'x', documents: [...prompt] }),
    usage: ({ input }) => ({ billed_units: { search_units: Math.ceil(input / 30) } }),
    sources: [{ 'billed_units.search_units': 'input' }],
    inputLeast: (prompt) => prompt.length / 100 / 2,
    answer: (_text, usages) => json({ results: [{ index: 0, relevance_score: 0.5 }], meta: last(usages) }),
  },
];

const ollamaUsage = ({ input, output }: Counts): Counters => ({
  prompt_eval_count: input,
  eval_count: output,
});
const ollamaChat: Omit<UsageForm, 'answer'> = {
  name: 'ollama chat',
  api: 'ollama',
  request: (prompt) => ({ ...chatRequest(prompt), stream: false }),
  usage: ollamaUsage,
  sources: [{ prompt_eval_count: 'input', eval_count: 'output' }],
};

const OLLAMA: readonly UsageForm[] = [
  {
    ...ollamaChat,
    answer: (text, usages) => json({ message: { content: text }, done: true, ...last(usages) }),
  },
  {
    ...ollamaChat,
    name: 'ollama chat lines',
    isStream: true,
    request: chatRequest,
    answer: (text, usages) =>
      lines([
        { message: { content: text }, done: false },
        ...usages.slice(0, -1).map((usage) => ({ message: { content: '' }, done: false, ...usage })),
        { message: { content: '' }, done: true, ...last(usages) },
      ]),
  },
  {
    ...ollamaChat,
    name: 'ollama generate lines',
    path: '/api/generate',
    isStream: true,
    request: (prompt) => ({ model: 'm', prompt }),
    answer: (text, usages) =>
      lines([
        { response: text, done: false },
        ...usages.map((usage) => ({ response: '', done: true, ...usage })),
      ]),
  },
  {
    ...ollamaChat,
    name: 'ollama embedding',
    path: '/api/embed',
    hasOutput: false,
    request: (prompt) => ({ model: 'm', input: [prompt] }),
    usage: ({ input }) => ({ prompt_eval_count: input }),
    answer: (_text, usages) => json({ embeddings: [[0.5]], ...last(usages) }),
  },
];

const AZURE = '/openai/deployments/m';
const PUBLISHERS = '/v1/projects/p/locations/l/publishers';
const CLAUDE = `${PUBLISHERS}/anthropic/models/claude`;

export const USAGE_FORMS: readonly UsageForm[] = [
  ...chat({ name: 'chat', api: 'openai-chat' }),
  ...chat({ name: 'completions', api: 'openai-completions' }, true),
  embeddings({ name: 'embeddings', api: 'openai-embeddings' }),
  ...responses({ name: 'responses', api: 'openai-responses' }),
  ...chat({ name: 'azure', api: 'azure-openai', query: AZURE_QUERY }),
  ...chat(
    { name: 'azure completions', api: 'azure-openai', path: `${AZURE}/completions`, query: AZURE_QUERY },
    true,
  ),
  embeddings({
    name: 'azure embeddings',
    api: 'azure-openai',
    path: `${AZURE}/embeddings`,
    query: AZURE_QUERY,
  }),
  ...responses({ name: 'azure responses', api: 'azure-openai', path: '/openai/v1/responses' }),
  ...chat({ name: 'compatible', api: 'openai-compatible' }),
  ...chat({ name: 'compatible completions', api: 'openai-compatible', path: '/v1/completions' }, true),
  embeddings({ name: 'compatible embeddings', api: 'openai-compatible', path: '/v1/embeddings' }),
  ...responses({ name: 'compatible responses', api: 'openai-compatible', path: '/v1/responses' }),
  ...messages({ name: 'messages', api: 'anthropic-messages' }),
  ...gemini('gemini', 'gemini', '/v1beta/models/m'),
  ...gemini('vertex gemini', 'vertex-ai', `${PUBLISHERS}/google/models/m`),
  ...messages(
    { name: 'vertex claude', api: 'vertex-ai', path: `${CLAUDE}:rawPredict` },
    `${CLAUDE}:streamRawPredict`,
  ),
  ...chat({
    name: 'vertex compatible',
    api: 'vertex-ai',
    path: '/v1/projects/p/locations/l/endpoints/openapi/chat/completions',
  }),
  ...COHERE,
  ...OLLAMA,
  ...BEDROCK_FORMS,
  ...OPENAI_MEDIA_FORMS,
];

export const pathOf = ({ path, api }: UsageForm): string => path ?? PATHS[api];
