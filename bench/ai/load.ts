/** A closed loop of AI requests on each connection: JSON responses and streams, with the time to the first byte. */
import { type Dispatcher, Pool } from 'undici';
import { USERS } from '../gateway/config.js';
import { quantile } from '../lib/rounds.js';

/** Where a contender accepts chat completions, and the headers and model it needs. */
export interface Endpoint {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly model: string;
}

export interface AiRequest {
  readonly stream: boolean;
  readonly chunks?: number;
  readonly everyMs?: number;
  readonly id?: number;
}

export const QUOTAGATE: Endpoint = {
  path: '/v1/chat/completions',
  headers: { 'x-quota-org': 'ai' },
  model: 'gpt-bench',
};

export function requestOf(endpoint: Endpoint, request: AiRequest, user: number): Dispatcher.DispatchOptions {
  const { stream, chunks = 0, everyMs = 0, id = 0 } = request;
  const content = `Tell me of the sea. [[chunks=${chunks} every=${everyMs} id=${id}]]`;
  const messages = [{ role: 'user', content }];
  return {
    method: 'POST',
    path: endpoint.path,
    headers: { 'content-type': 'application/json', 'x-quota-user': `u${user % USERS}`, ...endpoint.headers },
    body: JSON.stringify({
      model: endpoint.model,
      max_tokens: 1_000,
      ...(stream ? { stream } : {}),
      messages,
    }),
  };
}

export interface AiResponse {
  readonly status: number;
  readonly firstMs: number;
  readonly ms: number;
  /** The end of the body, to check that it is complete. */
  readonly tail: string;
}

/** Reads a response to its end. `onFirst` is called at the first byte and can abort the request. */
export function readResponse(
  pool: Dispatcher,
  request: Dispatcher.DispatchOptions,
  onFirst?: (abort: () => void) => void,
): Promise<AiResponse> {
  const began = performance.now();
  return new Promise((resolve, reject) => {
    let abort: () => void = () => undefined;
    let status = 0;
    let firstMs = 0;
    let last: Buffer = Buffer.alloc(0);
    const handler: Dispatcher.DispatchHandler = {
      onConnect(stop) {
        abort = stop;
      },
      onHeaders(code) {
        status = code;
        return true;
      },
      onData(chunk) {
        if (firstMs === 0) {
          firstMs = performance.now() - began;
          onFirst?.(abort);
        }
        last = chunk;
        return true;
      },
      onComplete() {
        resolve({ status, firstMs, ms: performance.now() - began, tail: last.toString('latin1').slice(-16) });
      },
      onError: reject,
    };
    pool.dispatch(request, handler);
  });
}

export interface AiLoad {
  readonly url: string;
  readonly endpoint: Endpoint;
  readonly request: AiRequest;
  readonly connections: number;
  readonly seconds: number;
}

export interface AiResult {
  readonly requests: number;
  readonly perSecond: number;
  readonly firstMs: number;
  readonly p99Ms: number;
}

export async function fireAi({ url, endpoint, request, connections, seconds }: AiLoad): Promise<AiResult> {
  const pool = new Pool(url, { connections, pipelining: 1, headersTimeout: 60_000 });
  const first: number[] = [];
  const whole: number[] = [];
  const began = performance.now();
  const until = began + seconds * 1_000;
  const keepAsking = async (slot: number): Promise<void> => {
    for (let user = slot; performance.now() < until; user += 1) {
      const { status, firstMs, ms, tail } = await readResponse(pool, requestOf(endpoint, request, user));
      if (status !== 200 || (request.stream && !tail.includes('[DONE]')))
        throw new Error(`${url} answered ${status}, and ended with ${tail}`);
      first.push(firstMs);
      whole.push(ms);
    }
  };
  await Promise.all(Array.from({ length: connections }, (_, slot) => keepAsking(slot)));
  const elapsed = (performance.now() - began) / 1_000;
  await pool.destroy();
  return {
    requests: whole.length,
    perSecond: whole.length / elapsed,
    firstMs: quantile(first, 0.5),
    p99Ms: quantile(whole, 0.99),
  };
}
