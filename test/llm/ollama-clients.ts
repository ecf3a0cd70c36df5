/** `ollama`: chat and generate. */
import { type ChatResponse, type GenerateResponse, Ollama } from 'ollama';
import { CITY, type Client, KEY, MODEL, type Seen, type Target } from './client.js';

type Answer = Pick<ChatResponse & GenerateResponse, 'prompt_eval_count' | 'eval_count'>;

function seen(text: string, { prompt_eval_count, eval_count }: Partial<Answer>): Seen {
  return { text, input: prompt_eval_count ?? 0, output: eval_count ?? 0, cached: 0, reasoning: 0 };
}

function isRefused(error: unknown): boolean {
  return (
    error instanceof Error &&
    error.name === 'ResponseError' &&
    'status_code' in error &&
    error.status_code === 429
  );
}

interface Piece extends Partial<Answer> {
  readonly text: string;
}

async function read(
  pieces: AsyncIterable<Piece>,
  onText: ((text: string) => void) | undefined,
): Promise<Seen> {
  let text = '';
  let last: Piece = { text: '' };
  for await (const piece of pieces) {
    text += piece.text;
    if (piece.text !== '') onText?.(piece.text);
    last = piece;
  }
  return seen(text, last);
}

async function* chatPieces(stream: AsyncIterable<ChatResponse>): AsyncIterable<Piece> {
  for await (const part of stream) yield { ...part, text: part.message.content ?? '' };
}

async function* generatePieces(stream: AsyncIterable<GenerateResponse>): AsyncIterable<Piece> {
  for await (const part of stream) yield { ...part, text: part.response ?? '' };
}

function limited(maxTokens: number | undefined) {
  return maxTokens === undefined ? {} : { options: { num_predict: maxTokens } };
}

/** Ends a stream when the client leaves. */
function leaving(stream: { abort(): void }, signal: AbortSignal | undefined): void {
  signal?.addEventListener('abort', () => stream.abort());
}

export function ollamaClients({ url, headers, apiKey = KEY }: Target): Client[] {
  const client = new Ollama({ host: url, headers: { authorization: `Bearer ${apiKey}`, ...headers } });
  const messages = (content: string) => [{ role: 'user', content }];
  const same = { api: 'ollama', tries: 1, plainUsage: true, isRefused } as const;
  return [
    {
      ...same,
      name: 'ollama chat',
      async whole(prompt, maxTokens) {
        const answer = await client.chat({ model: MODEL, messages: messages(prompt), ...limited(maxTokens) });
        return seen(answer.message.content ?? '', answer);
      },
      async stream(prompt, { maxTokens, signal, onText } = {}) {
        const asked = { model: MODEL, messages: messages(prompt), ...limited(maxTokens) };
        const stream = await client.chat({ ...asked, stream: true });
        leaving(stream, signal);
        return read(chatPieces(stream), onText);
      },
      async call(prompt) {
        const tools = [{ type: 'function', function: { name: 'weather', parameters: CITY } }];
        const stream = await client.chat({ model: MODEL, messages: messages(prompt), tools, stream: true });
        for await (const { message } of stream)
          if (message.tool_calls?.[0] !== undefined) return message.tool_calls[0].function.arguments;
        return undefined;
      },
      async json(prompt) {
        const { message } = await client.chat({ model: MODEL, messages: messages(prompt), format: CITY });
        return JSON.parse(message.content ?? '');
      },
    },
    {
      ...same,
      name: 'ollama generate',
      async whole(prompt, maxTokens) {
        const answer = await client.generate({ model: MODEL, prompt, ...limited(maxTokens) });
        return seen(answer.response ?? '', answer);
      },
      async stream(prompt, { maxTokens, signal, onText } = {}) {
        const stream = await client.generate({ model: MODEL, prompt, stream: true, ...limited(maxTokens) });
        leaving(stream, signal);
        return read(generatePieces(stream), onText);
      },
    },
  ];
}
