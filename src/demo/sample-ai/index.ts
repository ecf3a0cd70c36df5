/**
 * A sample of the AI providers on loopback: it implements their APIs, answers with meaningless words, and bills what it really
 * sent. A token is four bytes, and each event of a stream carries one (Gemini: one per candidate).
 *
 * | path | API |
 * |---|---|
 * | `/v1/chat/completions`, `/v1/completions`, `/v1/responses`, `/v1/embeddings` | OpenAI |
 * | `/v1/images/generations`, `/v1/images/edits`, `/v1/audio/transcriptions`, `/v1/audio/speech` | OpenAI |
 * | `/openai/deployments/{name}/…`, `/openai/v1/…` | Azure OpenAI |
 * | `/v1/messages` | Anthropic |
 * | `/v1beta/models/{model}:generateContent`, `:streamGenerateContent` | Gemini, as events or as an array |
 *
 * Tools get arguments that match their schema; JSON is returned on request. The request orders everything else (`Orders`):
 * `[[tokens=200 delay=5 cut=50 usage=none]]` in the prompt, or the same words in a header `x-sample`.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Ask, answerOf } from './answer.js';
import { anthropicMessages } from './anthropic.js';
import { bedrockConverse, bedrockInvoke } from './bedrock.js';
import { cohere } from './cohere.js';
import { Delivery } from './delivery.js';
import { gemini } from './gemini.js';
import { type JsonObject, objectOf } from './json.js';
import { type SampleEntry, SampleLog } from './log.js';
import { ollama } from './ollama.js';
import { openaiSpeech, openaiTranscripts } from './openai-audio.js';
import { azureChat, openaiChat } from './openai-chat.js';
import { openaiCompletions } from './openai-completions.js';
import { openaiEmbeddings } from './openai-embeddings.js';
import { openaiImages } from './openai-images.js';
import { openaiResponses } from './openai-responses.js';
import { type Orders, ordersOf } from './orders.js';
import { Refusal, type Shape, type Target } from './shape.js';
import { vertexClaude, vertexGemini } from './vertex-ai.js';

export type { Usage } from './answer.js';
export type { SampleEntry } from './log.js';

export interface SampleAi {
  readonly port: number;
  readonly url: string;
  /** The requests, oldest first. */
  readonly log: readonly SampleEntry[];
  /** Resolves once `seen` returns true; it is checked after every event. */
  until(seen: (log: readonly SampleEntry[]) => boolean): Promise<void>;
  /** Releases the answers that wait because of `hold`. */
  release(): void;
  close(): Promise<void>;
}

const AZURE = '/openai(?:/deployments/[^/]+|/v1)?';
/** The first entry that matches is used; a new API is a new line. */
const SHAPES: readonly (readonly [RegExp, Shape])[] = [
  [/^\/v1\/chat\/completions$/, openaiChat],
  [/^\/v1\/completions$/, openaiCompletions],
  [/^\/v1\/responses$/, openaiResponses],
  [/^\/v1\/embeddings$/, openaiEmbeddings],
  [/^\/v1\/images\/(?:generations|edits)$/, openaiImages],
  [/^\/v1\/audio\/transcriptions$/, openaiTranscripts],
  [/^\/v1\/audio\/speech$/, openaiSpeech],
  [/^\/v1\/messages$/, anthropicMessages],
  [/^\/v1(?:beta)?\/models\/[^/]+:(?:streamGenerateContent|generateContent)$/, gemini],
  [new RegExp(`^${AZURE}/chat/completions$`), azureChat],
  [new RegExp(`^${AZURE}/completions$`), { ...openaiCompletions, api: 'azure-openai' }],
  [new RegExp(`^${AZURE}/responses$`), { ...openaiResponses, api: 'azure-openai' }],
  [new RegExp(`^${AZURE}/embeddings$`), { ...openaiEmbeddings, api: 'azure-openai' }],
  [/^\/v2\/chat$/, cohere],
  [/^\/model\/[^/]+\/converse(?:-stream)?$/, bedrockConverse],
  [/^\/model\/[^/]+\/invoke(?:-with-response-stream)?$/, bedrockInvoke],
  [/^\/v1\/projects\/.+\/google\/models\/[^/]+:(?:streamGenerateContent|generateContent)$/, vertexGemini],
  [/^\/v1\/projects\/.+\/anthropic\/models\/[^/]+:(?:streamRawPredict|rawPredict)$/, vertexClaude],
  [/^\/api\/(?:chat|generate)$/, ollama],
];

const BODY_MAX_BYTES = 64 * 1024 * 1024;
/** The log keeps only the size of larger bodies. */
const BODY_KEPT_BYTES = 64 * 1024;
const LOG_MOST = 10_000;

/** Listens on loopback; port 0 lets the system choose. `log`: how many requests it remembers. */
export async function startSampleAi(options: { log?: number } = {}): Promise<SampleAi> {
  const sample = new Sample(options.log ?? LOG_MOST);
  await sample.listen();
  return sample;
}

interface Question {
  readonly shape: Shape;
  readonly target: Target;
  readonly body: JsonObject;
  readonly entry: SampleEntry;
}

class Sample implements SampleAi {
  private readonly memory: SampleLog;
  private readonly server: Server;
  private readonly waiting = new Set<() => void>();
  private count = 0;

  constructor(most: number) {
    this.memory = new SampleLog(most);
    this.server = createServer((request, response) => void this.take(request, response));
  }

  async listen(): Promise<void> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get log(): readonly SampleEntry[] {
    return this.memory.entries;
  }

  until(seen: (log: readonly SampleEntry[]) => boolean): Promise<void> {
    return this.memory.until(() => seen(this.log));
  }

  release(): void {
    for (const go of this.waiting) go();
  }

  async close(): Promise<void> {
    const closed = once(this.server, 'close');
    this.server.close();
    this.server.closeAllConnections();
    await closed;
  }

  /** Called at the end of the answer, whatever its outcome. */
  private async take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const entry = entryOf(request);
    response.on('close', () => {
      if (entry.served === 'open') entry.served = response.writableFinished ? 'whole' : 'aborted';
      entry.endedAt = performance.now();
      this.memory.heard();
    });
    request.on('error', () => undefined);
    this.memory.add(entry);
    const target = targetOf(entry.target);
    const shape = SHAPES.find(([path]) => path.test(target.path))?.[1];
    entry.api = shape?.api ?? '';
    try {
      if (shape === undefined) throw new Refusal(404, `Unknown path: ${target.path}`);
      if (request.method !== 'POST') throw new Refusal(405, 'Only POST is allowed.');
      const body = await bodyOf(request, entry);
      await this.answer({ shape, target, body, entry }, response);
    } catch (error) {
      if (response.destroyed || response.headersSent) return void response.destroy();
      const { status, message } = error instanceof Refusal ? error : new Refusal(400, String(error));
      entry.status = status;
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify((shape ?? openaiChat).error(status, message)));
    }
  }

  private async answer({ shape, target, body, entry }: Question, response: ServerResponse): Promise<void> {
    const ask = shape.read(body, target);
    const orders = ordersOf(String(entry.headers['x-sample'] ?? ''), ask.prompt);
    this.count += 1;
    const answer = answerOf(ask, orders, this.count);
    entry.usage = answer.usage;
    entry.stream = ask.stream;
    this.memory.heard();
    const delivery = this.deliveryOf(response, entry, orders);
    const message = 'The sample was asked to fail.';
    if (orders.status !== 200) {
      entry.usage = undefined;
      const fields: Record<string, string> =
        orders.retry === undefined ? {} : { 'retry-after': String(orders.retry) };
      await delivery.json(orders.status, shape.error(orders.status, message), fields);
    } else if (streams(ask)) {
      const failure = { events: shape.errorEvents(answer, message) };
      await delivery.stream(shape.framing(target, orders.crlf), shape.events(answer, ask), failure);
    } else if (orders.fail === undefined) await delivery.json(200, shape.json(answer, ask));
    else await delivery.json(200, shape.error(500, message));
  }

  private deliveryOf(response: ServerResponse, entry: SampleEntry, orders: Orders): Delivery {
    const hooks = {
      heard: () => this.memory.heard(),
      onRelease: (go: () => void) => this.onRelease(entry, go),
    };
    return new Delivery(response, { entry, orders, hooks });
  }

  private onRelease(entry: SampleEntry, go: () => void): () => void {
    entry.onHold = true;
    this.waiting.add(go);
    this.memory.heard();
    return () => {
      entry.onHold = false;
      this.waiting.delete(go);
    };
  }
}

function streams({ stream, body }: Ask): boolean {
  return stream && body.background !== true;
}

function entryOf({ method = '', url = '', headers }: IncomingMessage): SampleEntry {
  return {
    method,
    target: url,
    headers,
    body: undefined,
    bodyBytes: 0,
    api: '',
    stream: false,
    status: 0,
    usage: undefined,
    tokensSent: 0,
    bytesSent: 0,
    served: 'open',
    onHold: false,
    arrivedAt: performance.now(),
    endedAt: undefined,
  };
}

function targetOf(target: string): Target {
  const [path = '', query = ''] = target.split('?', 2);
  return { path, query: new URLSearchParams(query) };
}

async function bodyOf(request: IncomingMessage, entry: SampleEntry): Promise<JsonObject> {
  const bytes = await bytesOf(request);
  entry.bodyBytes = bytes.length;
  const type = request.headers['content-type'] ?? '';
  const body = type.startsWith('multipart/') ? await formOf(bytes, type) : parsed(bytes.toString());
  if (bytes.length <= BODY_KEPT_BYTES) entry.body = body;
  return objectOf(body);
}

/** Files by name. */
async function formOf(bytes: Buffer, type: string): Promise<JsonObject> {
  const form = await new Response(new Uint8Array(bytes), { headers: { 'content-type': type } }).formData();
  return Object.fromEntries(
    Array.from(form, ([name, value]) => [name, typeof value === 'string' ? value : value.name]),
  );
}

function bytesOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  return new Promise((resolve, reject) => {
    request.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length <= BODY_MAX_BYTES) chunks.push(chunk);
      else reject(new Refusal(413, 'The request is too large.'));
    });
    request.on('end', () => resolve(Buffer.concat(chunks)));
    request.on('close', () => reject(new Refusal(400, 'The request broke off.')));
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Refusal(400, 'We could not parse the JSON body of your request.');
  }
}
