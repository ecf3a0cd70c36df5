/** `openai`: chat, Responses, completions, embeddings, and Azure. */
import OpenAI, { AzureOpenAI } from 'openai';
import { type Api, CITY, type Client, KEY, MODEL, type Seen, type Target } from './client.js';

export function openaiOf({ url, headers, apiKey = KEY }: Target): OpenAI {
  return new OpenAI({ baseURL: `${url}/v1`, apiKey, defaultHeaders: headers });
}

export function openaiClients(target: Target): Client[] {
  const azure = new AzureOpenAI({
    endpoint: target.url,
    apiVersion: '2024-10-21',
    deployment: MODEL,
    apiKey: target.apiKey ?? KEY,
    defaultHeaders: target.headers,
  });
  return [
    chat('openai chat', 'openai-chat', openaiOf(target)),
    chat('openai azure', 'azure-openai', azure),
    responses(openaiOf(target)),
    completions(openaiOf(target)),
    embeddings(openaiOf(target)),
  ];
}

export function openaiRefused(error: unknown): boolean {
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

function chat(name: string, api: Api, client: OpenAI): Client {
  const messages = (content: string) => [{ role: 'user' as const, content }];
  const weather = { type: 'function' as const, function: { name: 'weather', parameters: CITY } };
  return {
    name,
    api,
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
