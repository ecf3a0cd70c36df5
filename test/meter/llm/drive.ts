/** Drives the llm meter as the pipeline does: prices a request, passes an answer through its reader, asks for the cost. */

import {
  type Api,
  compileLlm,
  type LlmMeter,
  type LlmOptions,
  type Models,
} from '../../../src/meter/llm/index.js';
import type { Priced } from '../../../src/meter/priced.js';
import type { Costs } from '../../../src/meter/reader.js';
import type { TokenReport } from '../../../src/quota/tokens.js';

export const PLAIN_WEIGHTS = { input: 1, cachedInput: 1, cacheWrite: 1, output: 1, reasoning: 1 };

export function terms(api: Api, more: Partial<LlmOptions> = {}): LlmOptions {
  return {
    api,
    hold: 'ceiling',
    stepTokens: 1024,
    whenShort: 'refuse',
    askUsage: true,
    otherModels: 'price',
    whenSpent: 'finish',
    bytesPerToken: 3,
    hiddenReasoningTokens: 0,
    mediaTokens: 1500,
    tokensPerSecond: 20,
    audioBytesPerSecond: 4000,
    tokenizer: 'bytes',
    weights: PLAIN_WEIGHTS,
    per: 1,
    ...more,
  };
}

export function meterOf(api: Api, more: Partial<LlmOptions> = {}, models: Models = []): LlmMeter {
  return compileLlm([{ quota: 'ai', llm: terms(api, more) }], { ai: { decimals: 0 } }, models);
}

/** A path on which each API takes such requests. */
export const PATHS: Readonly<Record<Api, string>> = {
  'openai-chat': '/v1/chat/completions',
  'openai-completions': '/v1/completions',
  'openai-responses': '/v1/responses',
  'openai-embeddings': '/v1/embeddings',
  'azure-openai': '/openai/deployments/gpt-4o/chat/completions',
  'anthropic-messages': '/v1/messages',
  gemini: '/v1beta/models/gemini-2.5-flash:generateContent',
  'openai-compatible': '/v1/chat/completions',
  ollama: '/api/chat',
  cohere: '/v2/chat',
  'openai-moderations': '/v1/moderations',
  'openai-images': '/v1/images/generations',
  'openai-audio': '/v1/audio/transcriptions',
  bedrock: '/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse',
  'vertex-ai': '/v1/projects/p/locations/l/publishers/google/models/gemini-2.5-flash:generateContent',
};

export const AZURE_QUERY = '?api-version=2025-01-01';

export interface RequestOptions {
  readonly path?: string;
  readonly query?: string;
  readonly headers?: readonly string[];
}

export async function priced(
  meter: LlmMeter,
  body: unknown,
  path: string,
  asked: RequestOptions = {},
): Promise<Priced> {
  const bytes = Buffer.isBuffer(body)
    ? body
    : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  return await meter.price(path, asked.query ?? '', asked.headers ?? [], bytes, [], 'chat');
}

/** The request as the gateway reduces it where this much remains of each quota; undefined where the least does not fit. */
export function clamped(one: Priced, left: (quota: string) => number): Priced | undefined {
  const { items } = one.charges;
  if (items.some(({ quota, units, least = units }) => !(left(quota) >= least))) return undefined;
  return one.clamp?.(left);
}

export interface Answer {
  readonly type?: string;
  /** Further fields of its head: names and values. */
  readonly fields?: readonly string[];
  readonly coding?: string;
  readonly status?: number;
  readonly chunkBytes?: number;
  readonly chunks?: readonly Buffer[];
  readonly whole?: boolean;
}

export interface Passed {
  readonly client: Buffer;
  readonly sameChunks: boolean;
  readonly costs: Costs;
  /** Of each cost, what the meter read before weights. */
  readonly raws: readonly number[];
  readonly report: TokenReport | undefined;
}

export function cutUp(body: Buffer, chunkBytes: number): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0; at < body.length; at += chunkBytes) chunks.push(body.subarray(at, at + chunkBytes));
  return chunks;
}

/** Costs as they are charged, without what was read before weights. */
export function charged(costs: Costs): Costs {
  return costs.map((cost) => {
    if (cost === undefined) return undefined;
    const { raw: _, ...units } = cost;
    return units;
  });
}

/** The whole way of one answer. */
export async function pass({ reader }: Priced, body: Buffer, answer: Answer): Promise<Passed> {
  if (reader === undefined) throw new Error('no reader');
  const { type = 'application/json', coding, status = 200, whole = true } = answer;
  const fields = ['Content-Type', type, ...(answer.fields ?? [])];
  if (coding !== undefined) fields.push('Content-Encoding', coding);
  reader.head(
    status,
    fields.map((text) => Buffer.from(text)),
  );
  const chunks = answer.chunks ?? cutUp(body, answer.chunkBytes ?? body.length);
  let sameChunks = true;
  const client: Buffer[] = [];
  for (const chunk of chunks) {
    const out = reader.data(chunk);
    sameChunks &&= out === chunk;
    if (out !== undefined) client.push(out);
  }
  const last = whole ? reader.end() : undefined;
  if (last !== undefined) client.push(last);
  const costs = await reader.costs(whole);
  return {
    client: Buffer.concat(client),
    sameChunks,
    costs: charged(costs),
    raws: costs.map((cost) => cost?.raw ?? cost?.units ?? Number.NaN),
    report: reader.report?.(),
  };
}
