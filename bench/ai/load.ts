/** AI requests, one after the other on each connection: JSON answers and streams, with the time of the first byte. */
import { type Dispatcher, Pool } from 'undici';
import { USERS } from '../gateway/config.js';
import { quantile } from '../lib/rounds.js';

/** Where a contender takes chat completions, and what it wants to be told. */
export interface Door {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly model: string;
}

export interface AskAi {
  readonly stream: boolean;
  readonly chunks?: number;
  readonly everyMs?: number;
  readonly id?: number;
}

export const QUOTAGATE: Door = {
  path: '/v1/chat/completions',
  headers: { 'x-quota-org': 'ai' },
  model: 'gpt-bench',
};

export function requestOf(door: Door, ask: AskAi, user: number): Dispatcher.DispatchOptions {
  const { stream, chunks = 0, everyMs = 0, id = 0 } = ask;
  const content = `Tell me of the sea. [[chunks=${chunks} every=${everyMs} id=${id}]]`;
  const messages = [{ role: 'user', content }];
  return {
    method: 'POST',
    path: door.path,
    headers: { 'content-type': 'application/json', 'x-quota-user': `u${user % USERS}`, ...door.headers },
    body: JSON.stringify({ model: door.model, max_tokens: 1_000, ...(stream ? { stream } : {}), messages }),
  };
}

export interface Heard {
  readonly status: number;
  readonly firstMs: number;
  readonly ms: number;
  /** What came last, to see that it is whole. */
  readonly tail: string;
}

/** Hears an answer to its end; `onFirst`: with the means to break it off. */
export function hear(
  pool: Dispatcher,
  request: Dispatcher.DispatchOptions,
  onFirst?: (abort: () => void) => void,
): Promise<Heard> {
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
  readonly door: Door;
  readonly ask: AskAi;
  readonly connections: number;
  readonly seconds: number;
}

export interface AiResult {
  readonly requests: number;
  readonly perSecond: number;
  readonly firstMs: number;
  readonly p99Ms: number;
}

export async function fireAi({ url, door, ask, connections, seconds }: AiLoad): Promise<AiResult> {
  const pool = new Pool(url, { connections, pipelining: 1, headersTimeout: 60_000 });
  const first: number[] = [];
  const whole: number[] = [];
  const began = performance.now();
  const until = began + seconds * 1_000;
  const keepAsking = async (slot: number): Promise<void> => {
    for (let user = slot; performance.now() < until; user += 1) {
      const { status, firstMs, ms, tail } = await hear(pool, requestOf(door, ask, user));
      if (status !== 200 || (ask.stream && !tail.includes('[DONE]')))
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
