/** What the APIs say on the wire, for tests that look below the clients. */
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import type { Api } from './client.js';

export interface RawAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** The body came to its end. */
  readonly whole: boolean;
}

export interface RawAsk {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** One POST, its answer read as it is; a text or bytes are sent as they are. */
export function post(url: string, { headers = {}, body }: RawAsk): Promise<RawAnswer> {
  const sent = typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const fields = {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(sent),
      ...headers,
    };
    let answered = false;
    const outgoing = httpRequest(url, { method: 'POST', headers: fields }, (answer) => {
      answered = true;
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('error', () => undefined);
      answer.on('close', () => {
        const { statusCode = 0, headers: got, complete } = answer;
        resolve({ status: statusCode, headers: got, body: Buffer.concat(chunks), whole: complete });
      });
    });
    // A reset within the answer is heard of here too.
    outgoing.on('error', (error) => {
      if (!answered) reject(error);
    });
    outgoing.end(sent);
  });
}

/** The data of each event, parsed where it is JSON. */
export function eventsIn(body: Buffer): unknown[] {
  const lines = body.toString().split(/\r?\n/);
  const data = lines.filter((line) => line.startsWith('data: ')).map((line) => line.slice('data: '.length));
  return data.map((text) => (text.startsWith('{') ? JSON.parse(text) : text));
}

type Members = Record<string, unknown>;

/** One request of each API that has streams, as small as it goes. */
export const REQUESTS: readonly {
  readonly api: Api;
  readonly path: string;
  /** For the stream; else the same. */
  readonly streamPath?: string;
  body(prompt: string, stream: boolean): Members;
}[] = [
  {
    api: 'openai-chat',
    path: '/v1/chat/completions',
    body: (content, stream) => ({ model: 'sample-1', messages: [{ role: 'user', content }], stream }),
  },
  {
    api: 'openai-completions',
    path: '/v1/completions',
    body: (prompt, stream) => ({ model: 'sample-1', prompt, max_tokens: 1_000, stream }),
  },
  {
    api: 'openai-responses',
    path: '/v1/responses',
    body: (input, stream) => ({ model: 'sample-1', input, stream }),
  },
  {
    api: 'azure-openai',
    path: '/openai/deployments/sample-1/chat/completions?api-version=2024-10-21',
    body: (content, stream) => ({ messages: [{ role: 'user', content }], stream }),
  },
  {
    api: 'anthropic-messages',
    path: '/v1/messages',
    body: (content, stream) => ({
      model: 'sample-1',
      max_tokens: 1_000,
      messages: [{ role: 'user', content }],
      stream,
    }),
  },
  {
    api: 'gemini',
    path: '/v1beta/models/sample-1:generateContent',
    streamPath: '/v1beta/models/sample-1:streamGenerateContent?alt=sse',
    body: (text) => ({ contents: [{ role: 'user', parts: [{ text }] }] }),
  },
  {
    api: 'ollama',
    path: '/api/chat',
    body: (content, stream) => ({ model: 'sample-1', messages: [{ role: 'user', content }], stream }),
  },
  {
    api: 'cohere',
    path: '/v2/chat',
    body: (content, stream) => ({ model: 'sample-1', messages: [{ role: 'user', content }], stream }),
  },
  {
    api: 'bedrock',
    path: '/model/sample-1/converse',
    streamPath: '/model/sample-1/converse-stream',
    body: (text) => ({ messages: [{ role: 'user', content: [{ text }] }] }),
  },
  {
    api: 'vertex-ai',
    path: '/v1/projects/p/locations/l/publishers/anthropic/models/sample-1:rawPredict',
    streamPath: '/v1/projects/p/locations/l/publishers/anthropic/models/sample-1:streamRawPredict',
    body: (content, stream) => ({ max_tokens: 1_000, messages: [{ role: 'user', content }], stream }),
  },
];
