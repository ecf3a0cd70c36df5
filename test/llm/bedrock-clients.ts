/** `@aws-sdk/client-bedrock-runtime` with Converse, and `@anthropic-ai/bedrock-sdk` with InvokeModel. */
import { AnthropicBedrock } from '@anthropic-ai/bedrock-sdk';
import {
  BedrockRuntimeClient,
  ConverseCommand,
  ConverseStreamCommand,
  ServiceQuotaExceededException,
  type TokenUsage,
} from '@aws-sdk/client-bedrock-runtime';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { messagesClient } from './anthropic-gemini-clients.js';
import { CITY, type Client, KEY, MODEL, type Seen, type Target } from './client.js';

/** As its real names are, with a colon that clients encode. */
const NAME = `us.anthropic.${MODEL}-v1:0`;

function seen(text: string, usage: TokenUsage | undefined): Seen {
  const {
    inputTokens = 0,
    outputTokens = 0,
    cacheReadInputTokens = 0,
    cacheWriteInputTokens = 0,
  } = usage ?? {};
  const input = inputTokens + cacheReadInputTokens + cacheWriteInputTokens;
  return { text, input, output: outputTokens, cached: cacheReadInputTokens, reasoning: 0 };
}

function awsOf({ url, headers, apiKey = KEY }: Target): BedrockRuntimeClient {
  const client = new BedrockRuntimeClient({
    region: 'us-east-1',
    endpoint: url,
    token: { token: apiKey },
    authSchemePreference: ['httpBearerAuth'],
    // By itself it speaks HTTP/2 without asking.
    requestHandler: new NodeHttpHandler(),
    // It tries all 429 again, five seconds later.
    maxAttempts: 1,
  });
  client.middlewareStack.add(
    (next) => (args) => {
      Object.assign((args.request as { headers: object }).headers, headers);
      return next(args);
    },
    { step: 'build' },
  );
  return client;
}

export function bedrockClients(target: Target): Client[] {
  const { url, headers, apiKey = KEY } = target;
  const claude = new AnthropicBedrock({
    baseURL: url,
    awsRegion: 'us-east-1',
    apiKey,
    defaultHeaders: headers,
  });
  return [
    converse(awsOf(target)),
    {
      ...messagesClient('anthropic bedrock', 'bedrock', claude, NAME),
      isRefused: (error) => error instanceof Error && 'status' in error && error.status === 429,
    },
  ];
}

function converse(client: BedrockRuntimeClient): Client {
  const asked = (text: string, maxTokens?: number) => ({
    modelId: NAME,
    messages: [{ role: 'user' as const, content: [{ text }] }],
    ...(maxTokens === undefined ? {} : { inferenceConfig: { maxTokens } }),
  });
  return {
    name: 'aws bedrock',
    api: 'bedrock',
    tries: 1,
    plainUsage: true,
    isRefused: (error) => error instanceof ServiceQuotaExceededException,
    async whole(prompt, maxTokens) {
      const { output, usage } = await client.send(new ConverseCommand(asked(prompt, maxTokens)));
      return seen((output?.message?.content ?? []).map(({ text = '' }) => text).join(''), usage);
    },
    async stream(prompt, { maxTokens, signal, onText } = {}) {
      const command = new ConverseStreamCommand(asked(prompt, maxTokens));
      const { stream } = await client.send(command, signal === undefined ? {} : { abortSignal: signal });
      let text = '';
      let usage: TokenUsage | undefined;
      for await (const { contentBlockDelta, metadata } of stream ?? []) {
        const piece = contentBlockDelta?.delta?.text ?? '';
        text += piece;
        if (piece !== '') onText?.(piece);
        usage = metadata?.usage ?? usage;
      }
      return seen(text, usage);
    },
    async call(prompt) {
      const tools = [
        { toolSpec: { name: 'weather', inputSchema: { json: { ...CITY, required: [...CITY.required] } } } },
      ];
      const { stream } = await client.send(
        new ConverseStreamCommand({ ...asked(prompt), toolConfig: { tools } }),
      );
      let text = '';
      for await (const { contentBlockDelta } of stream ?? [])
        text += contentBlockDelta?.delta?.toolUse?.input ?? '';
      return JSON.parse(text);
    },
  };
}
