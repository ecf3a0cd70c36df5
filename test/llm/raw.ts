/** What the APIs say on the wire, for tests that look below the clients. */
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import type { Usage } from '../../src/demo/sample-ai/index.js';
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

/** How an API words its errors. */
interface ErrorForm {
  readonly quotaExceeded: unknown;
  readonly any: unknown;
  /** The end of a stream that failed. */
  readonly streamEnd: RegExp;
}

const SSE_ERROR = /data: .*"error":\{.*\s*$/;

const OPENAI_ERRORS: ErrorForm = {
  quotaExceeded: {
    error: { type: 'insufficient_quota', code: 'insufficient_quota', message: String, param: null },
  },
  any: { error: { message: String } },
  streamEnd: SSE_ERROR,
};

const ANTHROPIC_ERRORS: ErrorForm = {
  quotaExceeded: { type: 'error', error: { type: 'rate_limit_error', message: String } },
  any: { error: { message: String } },
  streamEnd: SSE_ERROR,
};

/** What tests know of an API that has streams. */
export interface ApiFacts {
  readonly api: Api;
  readonly path: string;
  /** For the stream; else the same. */
  readonly streamPath?: string;
  /** A request, as small as it goes. */
  body(prompt: string, stream: boolean): Members;
  /** Classes of tokens that the API does not report: they count as plain input and output. */
  readonly unreported?: Partial<Usage>;
  /** Where a stream states its usage, if it is ordered to state it more than once. */
  readonly streamUsage: 'at the end' | 'in parts' | 'in each event';
  /** The request needs a ceiling of its output, or has one by itself. */
  readonly alwaysCeiling?: boolean;
  /** The API refuses members of a request that it does not know. */
  readonly refusesUnknown?: boolean;
  readonly errors: ErrorForm;
}

export const APIS: readonly ApiFacts[] = [
  {
    api: 'openai-chat',
    path: '/v1/chat/completions',
    body: (content, stream) => ({ model: 'sample-1', messages: [{ role: 'user', content }], stream }),
    streamUsage: 'in parts',
    errors: OPENAI_ERRORS,
  },
  {
    api: 'openai-completions',
    path: '/v1/completions',
    body: (prompt, stream) => ({ model: 'sample-1', prompt, max_tokens: 1_000, stream }),
    streamUsage: 'in parts',
    alwaysCeiling: true,
    errors: OPENAI_ERRORS,
  },
  {
    api: 'openai-responses',
    path: '/v1/responses',
    body: (input, stream) => ({ model: 'sample-1', input, stream }),
    streamUsage: 'at the end',
    errors: OPENAI_ERRORS,
  },
  {
    api: 'azure-openai',
    path: '/openai/deployments/sample-1/chat/completions?api-version=2024-10-21',
    body: (content, stream) => ({ messages: [{ role: 'user', content }], stream }),
    streamUsage: 'in parts',
    errors: OPENAI_ERRORS,
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
    streamUsage: 'in parts',
    alwaysCeiling: true,
    errors: ANTHROPIC_ERRORS,
  },
  {
    api: 'gemini',
    path: '/v1beta/models/sample-1:generateContent',
    streamPath: '/v1beta/models/sample-1:streamGenerateContent?alt=sse',
    body: (text) => ({ contents: [{ role: 'user', parts: [{ text }] }] }),
    unreported: { written: 0 },
    streamUsage: 'in each event',
    refusesUnknown: true,
    errors: {
      quotaExceeded: { error: { code: 429, status: 'RESOURCE_EXHAUSTED', message: String } },
      any: { error: { message: String } },
      streamEnd: SSE_ERROR,
    },
  },
  {
    api: 'ollama',
    path: '/api/chat',
    body: (content, stream) => ({ model: 'sample-1', messages: [{ role: 'user', content }], stream }),
    unreported: { cached: 0, written: 0, reasoning: 0 },
    streamUsage: 'at the end',
    errors: { quotaExceeded: { error: String }, any: { error: String }, streamEnd: /"error":".*\s*$/ },
  },
  {
    api: 'cohere',
    path: '/v2/chat',
    body: (content, stream) => ({ model: 'sample-1', messages: [{ role: 'user', content }], stream }),
    unreported: { written: 0, reasoning: 0 },
    streamUsage: 'at the end',
    errors: {
      quotaExceeded: { message: String },
      any: { message: String },
      streamEnd: /"error":".*\s+data: \[DONE\]\s*$/,
    },
  },
  {
    api: 'bedrock',
    path: '/model/sample-1/converse',
    streamPath: '/model/sample-1/converse-stream',
    body: (text) => ({ messages: [{ role: 'user', content: [{ text }] }] }),
    unreported: { reasoning: 0 },
    streamUsage: 'at the end',
    errors: {
      quotaExceeded: { __type: 'ServiceQuotaExceededException', message: String },
      any: { __type: String, message: String },
      streamEnd: /exception/i,
    },
  },
  {
    api: 'vertex-ai',
    path: '/v1/projects/p/locations/l/publishers/anthropic/models/sample-1:rawPredict',
    streamPath: '/v1/projects/p/locations/l/publishers/anthropic/models/sample-1:streamRawPredict',
    body: (content, stream) => ({ max_tokens: 1_000, messages: [{ role: 'user', content }], stream }),
    streamUsage: 'in parts',
    errors: ANTHROPIC_ERRORS,
  },
];

export function factsOf(api: Api): ApiFacts {
  const facts = APIS.find((one) => one.api === api);
  if (facts === undefined) throw new Error(`no facts of ${api}`);
  return facts;
}
