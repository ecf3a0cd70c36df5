/** `ai`, with its providers for OpenAI and Anthropic. */
import { createAnthropic } from '@ai-sdk/anthropic';
import { createOpenAI } from '@ai-sdk/openai';
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
import { type Api, CITY, type Client, KEY, MODEL, type Seen, type Target } from './client.js';

Object.assign(globalThis, { AI_SDK_LOG_WARNINGS: false });

export function vercelClients({ url, headers, apiKey = KEY }: Target): Client[] {
  const openai = createOpenAI({ baseURL: `${url}/v1`, apiKey, headers });
  const anthropic = createAnthropic({ baseURL: `${url}/v1`, apiKey, headers });
  return [
    vercelModel('ai openai responses', 'openai-responses', openai(MODEL)),
    vercelModel('ai openai chat', 'openai-chat', openai.chat(MODEL)),
    vercelModel('ai anthropic', 'anthropic-messages', anthropic(MODEL)),
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

function vercelModel(name: string, api: Api, model: LanguageModel): Client {
  const limited = (maxTokens: number | undefined) =>
    maxTokens === undefined ? {} : { maxOutputTokens: maxTokens };
  const place = jsonSchema<{ city: string }>(CITY);
  return {
    name,
    api,
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
