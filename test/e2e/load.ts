/** A steady load of clients, and waits that end as soon as a condition holds. */
import { Agent } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Test } from 'tap';
import { as, ask } from '../support/gateway.js';

export interface LoadOptions {
  /** Addresses. Connections are distributed round-robin. */
  readonly gateways: readonly string[];
  readonly connections: number;
  readonly path: string;
  readonly users: readonly string[];
  readonly org?: string;
  /** Further headers of the n-th request. */
  readonly headersOf?: (count: number) => Record<string, string>;
  /** Called for each response, with the time its request was sent (ms since the epoch). */
  readonly onAnswer?: (status: number, sentAt: number) => void;
}

export interface Load {
  /** Responses by status; 0 where none arrived. */
  readonly counts: Map<number, number>;
  /** Sends nothing more; resolves when the requests in flight have ended. */
  stop(): Promise<void>;
}

/** Delay before a client reconnects. */
const AFTER_LOSS_MS = 20;

/** Each connection has one request in flight and sends the next as soon as it is answered. */
export function startLoad({
  gateways,
  connections,
  path,
  users,
  org,
  headersOf,
  onAnswer,
}: LoadOptions): Load {
  const counts = new Map<number, number>();
  let sent = 0;
  let stopped = false;
  const connection = async (number: number): Promise<void> => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const address = gateways[number % gateways.length] ?? '';
    while (!stopped) {
      sent += 1;
      const sentAt = Date.now();
      const headers = { ...as(users[sent % users.length] ?? '', org), ...headersOf?.(sent) };
      const status = await ask(address, path, { headers, agent }).then(
        (reply) => reply.status,
        () => 0,
      );
      counts.set(status, (counts.get(status) ?? 0) + 1);
      onAnswer?.(status, sentAt);
      if (status === 0) await delay(AFTER_LOSS_MS);
    }
    agent.destroy();
  };
  const all = Promise.all(Array.from({ length: connections }, (_, number) => connection(number)));
  return {
    counts,
    async stop() {
      stopped = true;
      await all;
    },
  };
}

const PATIENCE_MS = 30_000;
const LOOK_EVERY_MS = 10;

/** Rejects after 30 seconds. */
export async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const giveUpAt = performance.now() + PATIENCE_MS;
  while (!(await isSo())) {
    if (performance.now() > giveUpAt) throw new Error(`timed out waiting until ${what}`);
    await delay(LOOK_EVERY_MS);
  }
}

/** Settlements arrive shortly after the response: polls until the values are equal, else fails with the difference. */
export async function comesTo<T>(t: Test, look: () => Promise<T>, wanted: T, what: string): Promise<void> {
  const giveUpAt = performance.now() + PATIENCE_MS;
  let seen = await look();
  while (!isDeepStrictEqual(seen, wanted) && performance.now() < giveUpAt) {
    await delay(LOOK_EVERY_MS);
    seen = await look();
  }
  t.strictSame(seen, wanted, what);
}
