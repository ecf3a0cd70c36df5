/** `cohere-ai`: chat v2. */
import { type Cohere, CohereClientV2, CohereError } from 'cohere-ai';
import { CITY, type Client, KEY, MODEL, type Seen, type Target } from './client.js';

function seen(text: string, usage: Cohere.Usage | undefined): Seen {
  const { inputTokens = 0, outputTokens = 0 } = usage?.billedUnits ?? {};
  return { text, input: inputTokens, output: outputTokens, cached: usage?.cachedTokens ?? 0, reasoning: 0 };
}

export function cohereClient({ url, headers, apiKey = KEY }: Target): Client {
  // It tries all 429 again after Retry-After, up to a minute each time.
  const client = new CohereClientV2({
    token: apiKey,
    environment: url,
    headers: { ...headers },
    maxRetries: 0,
  });
  const asked = (content: string, maxTokens?: number) => ({
    model: MODEL,
    messages: [{ role: 'user' as const, content }],
    ...(maxTokens === undefined ? {} : { maxTokens }),
  });
  return {
    name: 'cohere',
    api: 'cohere',
    tries: 1,
    plainUsage: true,
    isRefused: (error) => error instanceof CohereError && error.statusCode === 429,
    async whole(prompt, maxTokens) {
      const { message, usage } = await client.chat(asked(prompt, maxTokens));
      const texts = (message.content ?? []).map((part) => (part.type === 'text' ? part.text : ''));
      return seen(texts.join(''), usage);
    },
    async stream(prompt, { maxTokens, signal, onText } = {}) {
      const options = signal === undefined ? {} : { abortSignal: signal };
      let text = '';
      let usage: Cohere.Usage | undefined;
      for await (const event of await client.chatStream(asked(prompt, maxTokens), options)) {
        const piece = event.type === 'content-delta' ? (event.delta?.message?.content?.text ?? '') : '';
        text += piece;
        if (piece !== '') onText?.(piece);
        if (event.type === 'message-end') usage = event.delta?.usage;
      }
      return seen(text, usage);
    },
    async call(prompt) {
      const tools = [{ type: 'function' as const, function: { name: 'weather', parameters: CITY } }];
      let text = '';
      for await (const event of await client.chatStream({ ...asked(prompt), tools }))
        if (event.type === 'tool-call-delta')
          text += event.delta?.message?.toolCalls?.function?.arguments ?? '';
      return JSON.parse(text);
    },
    async json(prompt) {
      const responseFormat = { type: 'json_object' as const, jsonSchema: CITY };
      const { message } = await client.chat({ ...asked(prompt), responseFormat });
      const text = (message.content ?? []).find((part) => part.type === 'text');
      return text === undefined ? undefined : JSON.parse(text.text);
    },
  };
}
