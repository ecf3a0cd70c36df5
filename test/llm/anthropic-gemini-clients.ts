/** `@anthropic-ai/sdk` and `@google/genai`, each also on Vertex AI. */
import Anthropic from '@anthropic-ai/sdk';
import { AnthropicVertex } from '@anthropic-ai/vertex-sdk';
import { ApiError, FunctionCallingConfigMode, GoogleGenAI, Type } from '@google/genai';
import { OAuth2Client } from 'google-auth-library';
import { type Api, CITY, type Client, KEY, MODEL, type Seen, type Target } from './client.js';

export function anthropicOf({ url, headers, apiKey = KEY }: Target): Anthropic {
  return new Anthropic({ baseURL: url, apiKey, defaultHeaders: headers });
}

function geminiOf({ url, headers, apiKey = KEY }: Target): GoogleGenAI {
  return new GoogleGenAI({ apiKey, httpOptions: { baseUrl: url, headers: { ...headers } } });
}

/** What a login with Google would bring. */
function googleLogin(apiKey: string): OAuth2Client {
  const login = new OAuth2Client();
  login.setCredentials({ access_token: apiKey });
  return login;
}

const PLACE = { project: 'acme-1', location: 'us-east5' };

export function vertexClients({ url, headers, apiKey = KEY }: Target): Client[] {
  const authClient = googleLogin(apiKey);
  const claude = new AnthropicVertex({
    baseURL: `${url}/v1`,
    projectId: PLACE.project,
    region: PLACE.location,
    authClient,
    defaultHeaders: headers,
  });
  const gemini = new GoogleGenAI({
    vertexai: true,
    ...PLACE,
    apiVersion: 'v1',
    googleAuthOptions: { authClient },
    httpOptions: { baseUrl: url, headers: { ...headers } },
  });
  return [
    messagesClient('anthropic vertex', 'vertex-ai', claude),
    contentClient('google genai vertex', 'vertex-ai', gemini),
  ];
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

export function anthropicClient(target: Target): Client {
  return messagesClient('anthropic', 'anthropic-messages', anthropicOf(target));
}

/** Vertex AI has no batches. */
interface MessagesClient {
  readonly messages: Pick<Anthropic['messages'], 'create' | 'stream'>;
}

export function messagesClient(name: string, api: Api, client: MessagesClient, model = MODEL): Client {
  const asked = (prompt: string, max_tokens = 1_000) => ({
    model,
    max_tokens,
    messages: [{ role: 'user' as const, content: prompt }],
  });
  return {
    name,
    api,
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

export function geminiClient(target: Target): Client {
  return contentClient('google genai', 'gemini', geminiOf(target));
}

function contentClient(name: string, api: Api, client: GoogleGenAI): Client {
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
    name,
    api,
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
