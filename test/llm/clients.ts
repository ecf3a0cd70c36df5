/** The official clients, each with the same few things to do. Nothing in them is set but where they call, and who calls. */

import { createAnthropic } from '@ai-sdk/anthropic';
import { createOpenAI } from '@ai-sdk/openai';
import Anthropic from '@anthropic-ai/sdk';
import { ApiError, FunctionCallingConfigMode, GoogleGenAI, Type } from '@google/genai';
import {
  APICallError,
  generateText,
  jsonSchema,
  type LanguageModel,
  Output,
  RetryError,
  streamText,
  type ToolSet,
} from 'ai';
import OpenAI, { AzureOpenAI } from 'openai';

export interface Target {
  /** Without a path. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly apiKey?: string;
}

/** What the client made of an answer. */
export interface Seen {
  readonly text: string;
  readonly input: number;
  readonly output: number;
  readonly cached: number;
  readonly reasoning: number;
}

export interface Streaming {
  readonly maxTokens?: number;
  readonly signal?: AbortSignal;
  /** Told of each piece of text. */
  readonly onText?: (text: string) => void;
  /** Left out: yes, where the API has the choice. */
  readonly wantsUsage?: boolean;
}

export interface Client {
  readonly name: string;
  readonly api: Api;
  /** Of a route. */
  readonly match: string;
  whole(prompt: string, maxTokens?: number): Promise<Seen>;
  /** Left out: the API has no streams. */
  readonly stream?: (prompt: string, options?: Streaming) => Promise<Seen>;
  /** The city that the tool `weather` was called with; streamed. */
  readonly call?: (prompt: string) => Promise<unknown>;
  /** An object with a city, by the client's own way to JSON. */
  readonly json?: (prompt: string) => Promise<unknown>;
  /** The error is of the client's own class for a refusal. */
  isRefused(error: unknown): boolean;
  /** HTTP tries of a call that is refused for good. */
  readonly tries: number;
}

export type Api =
  | 'openai-chat'
  | 'openai-completions'
  | 'openai-responses'
  | 'openai-embeddings'
  | 'azure-openai'
  | 'anthropic-messages'
  | 'gemini';

Object.assign(globalThis, { AI_SDK_LOG_WARNINGS: false });

const MODEL = 'sample-1';
const CITY = {
  type: 'object' as const,
  properties: { city: { type: 'string' } },
  required: ['city'],
  additionalProperties: false,
};
const KEY = 'sk-nobody';

export function clients(target: Target): Client[] {
  const azure = new AzureOpenAI({
    endpoint: target.url,
    apiVersion: '2024-10-21',
    deployment: MODEL,
    apiKey: target.apiKey ?? KEY,
    defaultHeaders: target.headers,
  });
  return [
    chat('openai chat', 'openai-chat', 'POST /v1/chat/completions', openaiOf(target)),
    chat('openai azure', 'azure-openai', 'POST /openai/deployments/*', azure),
    responses(openaiOf(target)),
    completions(openaiOf(target)),
    embeddings(openaiOf(target)),
    anthropic(target),
    gemini(target),
    ...vercel(target),
  ];
}

export function openaiOf({ url, headers, apiKey = KEY }: Target): OpenAI {
  return new OpenAI({ baseURL: `${url}/v1`, apiKey, defaultHeaders: headers });
}

export function anthropicOf({ url, headers, apiKey = KEY }: Target): Anthropic {
  return new Anthropic({ baseURL: url, apiKey, defaultHeaders: headers });
}

export function geminiOf({ url, headers, apiKey = KEY }: Target): GoogleGenAI {
  return new GoogleGenAI({ apiKey, httpOptions: { baseUrl: url, headers: { ...headers } } });
}

function openaiRefused(error: unknown): boolean {
  return error instanceof OpenAI.RateLimitError && error.code === 'insufficient_quota';
}

type ChatUsage = OpenAI.CompletionUsage | null | undefined;

function completionSeen(text: string, usage: ChatUsage): Seen {
  return {
    text,
    input: usage?.prompt_tokens ?? 0,
    output: usage?.completion_tokens ?? 0,
    cached: usage?.prompt_tokens_details?.cached_tokens ?? 0,
    reasoning: usage?.completion_tokens_details?.reasoning_tokens ?? 0,
  };
}

function chat(name: string, api: Api, match: string, client: OpenAI): Client {
  const messages = (content: string) => [{ role: 'user' as const, content }];
  const weather = { type: 'function' as const, function: { name: 'weather', parameters: CITY } };
  return {
    name,
    api,
    match,
    tries: 1,
    isRefused: openaiRefused,
    async whole(prompt, maxTokens) {
      const limit = maxTokens === undefined ? {} : { max_completion_tokens: maxTokens };
      const answer = await client.chat.completions.create({
        model: MODEL,
        messages: messages(prompt),
        ...limit,
      });
      return completionSeen(answer.choices[0]?.message.content ?? '', answer.usage);
    },
    async stream(prompt, { maxTokens, signal, onText, wantsUsage = true } = {}) {
      const limit = maxTokens === undefined ? {} : { max_tokens: maxTokens };
      const usage = wantsUsage ? { stream_options: { include_usage: true } } : {};
      const stream = await client.chat.completions.create(
        { model: MODEL, messages: messages(prompt), stream: true, ...usage, ...limit },
        signal === undefined ? {} : { signal },
      );
      let text = '';
      let last: ChatUsage;
      for await (const chunk of stream) {
        const piece = chunk.choices[0]?.delta.content ?? '';
        text += piece;
        if (piece !== '') onText?.(piece);
        last = chunk.usage ?? last;
      }
      return completionSeen(text, last);
    },
    async call(prompt) {
      const stream = client.chat.completions.stream({
        model: MODEL,
        messages: messages(prompt),
        tools: [weather],
      });
      const { choices } = await stream.finalChatCompletion();
      const [called] = choices[0]?.message.tool_calls ?? [];
      return called?.type === 'function' ? JSON.parse(called.function.arguments) : undefined;
    },
    async json(prompt) {
      const answer = await client.chat.completions.create({
        model: MODEL,
        messages: messages(prompt),
        response_format: { type: 'json_schema', json_schema: { name: 'place', schema: CITY, strict: true } },
      });
      return JSON.parse(answer.choices[0]?.message.content ?? '');
    },
  };
}

function responsesSeen(text: string, usage: OpenAI.Responses.ResponseUsage | undefined): Seen {
  return {
    text,
    input: usage?.input_tokens ?? 0,
    output: usage?.output_tokens ?? 0,
    cached: usage?.input_tokens_details.cached_tokens ?? 0,
    reasoning: usage?.output_tokens_details.reasoning_tokens ?? 0,
  };
}

function responses(client: OpenAI): Client {
  const limited = (maxTokens: number | undefined) =>
    maxTokens === undefined ? {} : { max_output_tokens: maxTokens };
  const weather = { type: 'function' as const, name: 'weather', parameters: CITY, strict: true };
  return {
    name: 'openai responses',
    api: 'openai-responses',
    match: 'POST /v1/responses',
    tries: 1,
    isRefused: openaiRefused,
    async whole(input, maxTokens) {
      const answer = await client.responses.create({ model: MODEL, input, ...limited(maxTokens) });
      return responsesSeen(answer.output_text, answer.usage);
    },
    async stream(input, { maxTokens, signal, onText } = {}) {
      const stream = client.responses.stream(
        { model: MODEL, input, ...limited(maxTokens) },
        signal === undefined ? {} : { signal },
      );
      for await (const event of stream)
        if (event.type === 'response.output_text.delta') onText?.(event.delta);
      const answer = await stream.finalResponse();
      return responsesSeen(answer.output_text, answer.usage);
    },
    async call(input) {
      const stream = client.responses.stream({ model: MODEL, input, tools: [weather] });
      const { output } = await stream.finalResponse();
      const called = output.find((item) => item.type === 'function_call');
      return called === undefined ? undefined : JSON.parse(called.arguments);
    },
    async json(input) {
      const format = { type: 'json_schema' as const, name: 'place', schema: CITY, strict: true };
      const answer = await client.responses.create({ model: MODEL, input, text: { format } });
      return JSON.parse(answer.output_text);
    },
  };
}

function completions(client: OpenAI): Client {
  return {
    name: 'openai completions',
    api: 'openai-completions',
    match: 'POST /v1/completions',
    tries: 1,
    isRefused: openaiRefused,
    async whole(prompt, max_tokens = 1_000) {
      const answer = await client.completions.create({ model: MODEL, prompt, max_tokens });
      return completionSeen(answer.choices[0]?.text ?? '', answer.usage);
    },
    async stream(prompt, { maxTokens: max_tokens = 1_000, signal, onText, wantsUsage = true } = {}) {
      const usage = wantsUsage ? { stream_options: { include_usage: true } } : {};
      const stream = await client.completions.create(
        { model: MODEL, prompt, max_tokens, stream: true, ...usage },
        signal === undefined ? {} : { signal },
      );
      let text = '';
      let last: ChatUsage;
      for await (const chunk of stream) {
        const piece = chunk.choices[0]?.text ?? '';
        text += piece;
        if (piece !== '') onText?.(piece);
        last = chunk.usage ?? last;
      }
      return completionSeen(text, last);
    },
  };
}

function embeddings(client: OpenAI): Client {
  return {
    name: 'openai embeddings',
    api: 'openai-embeddings',
    match: 'POST /v1/embeddings',
    tries: 1,
    isRefused: openaiRefused,
    async whole(input) {
      const { data, usage } = await client.embeddings.create({ model: MODEL, input });
      return {
        text: `${data[0]?.embedding.length}`,
        input: usage.total_tokens,
        output: 0,
        cached: 0,
        reasoning: 0,
      };
    },
  };
}

function anthropicSeen({ content, usage }: Anthropic.Message): Seen {
  const written = usage.cache_creation_input_tokens ?? 0;
  const cached = usage.cache_read_input_tokens ?? 0;
  return {
    text: content.map((block) => (block.type === 'text' ? block.text : '')).join(''),
    input: usage.input_tokens + written + cached,
    output: usage.output_tokens,
    cached,
    reasoning: usage.output_tokens_details?.thinking_tokens ?? 0,
  };
}

function anthropic(target: Target): Client {
  const client = anthropicOf(target);
  const asked = (prompt: string, max_tokens = 1_000) => ({
    model: MODEL,
    max_tokens,
    messages: [{ role: 'user' as const, content: prompt }],
  });
  return {
    name: 'anthropic',
    api: 'anthropic-messages',
    match: 'POST /v1/messages',
    tries: 1,
    isRefused: (error) => error instanceof Anthropic.RateLimitError && error.type === 'rate_limit_error',
    async whole(prompt, maxTokens) {
      return anthropicSeen(await client.messages.create(asked(prompt, maxTokens)));
    },
    async stream(prompt, { maxTokens, signal, onText } = {}) {
      const stream = client.messages.stream(asked(prompt, maxTokens), signal === undefined ? {} : { signal });
      stream.on('text', (text) => onText?.(text));
      return anthropicSeen(await stream.finalMessage());
    },
    async call(prompt) {
      const tools = [{ name: 'weather', input_schema: CITY }];
      const { content } = await client.messages.stream({ ...asked(prompt), tools }).finalMessage();
      const used = content.find((block) => block.type === 'tool_use');
      return used?.input;
    },
  };
}

function gemini(target: Target): Client {
  const client = geminiOf(target);
  const seen = (text: string, usage: Record<string, unknown> | object | undefined): Seen => {
    const counts = (usage ?? {}) as Record<string, number | undefined>;
    const reasoning = counts.thoughtsTokenCount ?? 0;
    return {
      text,
      input: counts.promptTokenCount ?? 0,
      output: (counts.candidatesTokenCount ?? 0) + reasoning,
      cached: counts.cachedContentTokenCount ?? 0,
      reasoning,
    };
  };
  const limited = (maxTokens: number | undefined) =>
    maxTokens === undefined ? {} : { maxOutputTokens: maxTokens };
  const weather = {
    name: 'weather',
    parameters: { type: Type.OBJECT, properties: { city: { type: Type.STRING } } },
  };
  return {
    name: 'google genai',
    api: 'gemini',
    match: 'POST /v1beta/models/*',
    tries: 1,
    isRefused: (error) => error instanceof ApiError && error.status === 429,
    async whole(contents, maxTokens) {
      const answer = await client.models.generateContent({
        model: MODEL,
        contents,
        config: limited(maxTokens),
      });
      return seen(answer.text ?? '', answer.usageMetadata);
    },
    async stream(contents, { maxTokens, signal, onText } = {}) {
      const config = { ...limited(maxTokens), ...(signal === undefined ? {} : { abortSignal: signal }) };
      let text = '';
      let usage: object | undefined;
      for await (const chunk of await client.models.generateContentStream({
        model: MODEL,
        contents,
        config,
      })) {
        const piece = chunk.text ?? '';
        text += piece;
        if (piece !== '') onText?.(piece);
        usage = chunk.usageMetadata ?? usage;
      }
      return seen(text, usage);
    },
    async call(contents) {
      const config = {
        tools: [{ functionDeclarations: [weather] }],
        toolConfig: { functionCallingConfig: { mode: FunctionCallingConfigMode.AUTO } },
      };
      for await (const chunk of await client.models.generateContentStream({ model: MODEL, contents, config }))
        if (chunk.functionCalls?.[0] !== undefined) return chunk.functionCalls[0].args;
      return undefined;
    },
    async json(contents) {
      const config = { responseMimeType: 'application/json', responseSchema: weather.parameters };
      const { text = '' } = await client.models.generateContent({ model: MODEL, contents, config });
      return JSON.parse(text);
    },
  };
}

function vercel({ url, headers, apiKey = KEY }: Target): Client[] {
  const openai = createOpenAI({ baseURL: `${url}/v1`, apiKey, headers });
  const anthropic = createAnthropic({ baseURL: `${url}/v1`, apiKey, headers });
  return [
    vercelModel('ai openai responses', 'openai-responses', 'POST /v1/responses', openai(MODEL)),
    vercelModel('ai openai chat', 'openai-chat', 'POST /v1/chat/completions', openai.chat(MODEL)),
    vercelModel('ai anthropic', 'anthropic-messages', 'POST /v1/messages', anthropic(MODEL)),
  ];
}

interface VercelUsage {
  readonly inputTokens: number | undefined;
  readonly outputTokens: number | undefined;
  readonly inputTokenDetails: { readonly cacheReadTokens: number | undefined };
  readonly outputTokenDetails: { readonly reasoningTokens: number | undefined };
}

function vercelSeen(text: string, usage: VercelUsage): Seen {
  return {
    text,
    input: usage.inputTokens ?? 0,
    output: usage.outputTokens ?? 0,
    cached: usage.inputTokenDetails.cacheReadTokens ?? 0,
    reasoning: usage.outputTokenDetails.reasoningTokens ?? 0,
  };
}

function vercelModel(name: string, api: Api, match: string, model: LanguageModel): Client {
  const limited = (maxTokens: number | undefined) =>
    maxTokens === undefined ? {} : { maxOutputTokens: maxTokens };
  const place = jsonSchema<{ city: string }>(CITY);
  return {
    name,
    api,
    match,
    // It asks again after any 429, whatever `x-should-retry` says.
    tries: 3,
    isRefused: (error) =>
      RetryError.isInstance(error) &&
      APICallError.isInstance(error.lastError) &&
      error.lastError.statusCode === 429,
    async whole(prompt, maxTokens) {
      const { text, usage } = await generateText({ model, prompt, ...limited(maxTokens) });
      return vercelSeen(text, usage);
    },
    async stream(prompt, { maxTokens, signal, onText } = {}) {
      let failed: { error: unknown } | undefined;
      const result = streamText({
        model,
        prompt,
        ...limited(maxTokens),
        ...(signal === undefined ? {} : { abortSignal: signal }),
        onError: (event) => {
          failed = event;
        },
      });
      for await (const piece of result.textStream) onText?.(piece);
      if (failed !== undefined) throw failed.error;
      signal?.throwIfAborted();
      return vercelSeen(await result.text, await result.usage);
    },
    async call(prompt) {
      const tools: ToolSet = { weather: { inputSchema: place, description: 'The weather of a city.' } };
      const result = streamText({ model, prompt, tools });
      const [called] = await result.toolCalls;
      return called?.input;
    },
    async json(prompt) {
      const { output } = await generateText({ model, prompt, output: Output.object({ schema: place }) });
      return output;
    },
  };
}
