/** Faults of the store: how each one begins and how it ends. */
import { setTimeout as delay } from 'node:timers/promises';
import type { StoreSetup } from './store-setup.js';

export interface Fault {
  readonly name: string;
  begin(setup: StoreSetup): Promise<void>;
  /** Afterwards the store is healthy. The gateway is not touched. */
  end(setup: StoreSetup): Promise<void>;
  /** The store stays usable: requests must be served during the fault. */
  readonly served?: true;
  /** The data is lost, and an operator must accept the loss. */
  readonly lost?: true;
}

const running = new WeakMap<StoreSetup, AbortController>();

const nothing = async (): Promise<void> => undefined;

/** Repeats `act` until `stop`. */
function repeat(setup: StoreSetup, everyMs: number, act: () => unknown): void {
  const ending = new AbortController();
  running.set(setup, ending);
  const go = async (): Promise<void> => {
    while (!ending.signal.aborted) {
      await act();
      await delay(everyMs);
    }
  };
  void go();
}

async function stop(setup: StoreSetup): Promise<void> {
  running.get(setup)?.abort();
}

export const FAULTS: readonly Fault[] = [
  { name: 'none, to compare', served: true, begin: nothing, end: nothing },
  {
    name: 'slow: 200 ms more a round trip',
    begin: async ({ proxy }) => proxy.treatAll((link) => link.slow(200)),
    end: async ({ proxy }) => proxy.treatAll((link) => link.slow(0)),
  },
  {
    name: 'slow: 20 ms more a round trip',
    served: true,
    begin: async ({ proxy }) => proxy.treatAll((link) => link.slow(20)),
    end: async ({ proxy }) => proxy.treatAll((link) => link.slow(0)),
  },
  {
    name: 'stopped (SIGSTOP, SIGCONT)',
    begin: async ({ redis }) => redis.signal('SIGSTOP'),
    end: async ({ redis }) => redis.signal('SIGCONT'),
  },
  {
    name: 'black hole, all delivered later',
    async begin({ proxy }) {
      proxy.treatAll((link) => {
        link.hold('toStore');
        link.hold('toClient');
      });
    },
    async end({ proxy }) {
      proxy.treatAll((link) => {
        link.deliver('toStore');
        link.deliver('toClient');
      });
    },
  },
  {
    name: 'unreachable, connections cut',
    async begin({ proxy }) {
      proxy.refuse(true);
      proxy.cutAll();
    },
    end: async ({ proxy }) => proxy.refuse(false),
  },
  {
    name: 'killed, started again with its data',
    begin: ({ redis }) => redis.kill(),
    end: ({ redis }) => redis.start(),
  },
  {
    name: 'killed, started again empty',
    lost: true,
    async begin({ redis }) {
      await redis.kill();
      redis.forget();
      await delay(300);
      await redis.start();
    },
    async end(setup) {
      await setup.acceptLoss();
    },
  },
  {
    name: 'script cache flushed every 50 ms',
    served: true,
    begin: async (setup) => repeat(setup, 50, () => setup.redis.send('SCRIPT', 'FLUSH', 'SYNC')),
    end: stop,
  },
  {
    name: 'connections cut every 100 ms',
    served: true,
    begin: async (setup) => repeat(setup, 100, () => setup.proxy.cutAll()),
    end: stop,
  },
  {
    name: 'answers held back, and lost in the end',
    begin: async ({ proxy }) => proxy.treatAll((link) => link.hold('toClient')),
    async end({ proxy }) {
      proxy.treatAll((link) => {
        link.lose('toClient');
        link.deliver('toClient');
      });
      proxy.cutAll();
    },
  },
  {
    name: 'read-only replica',
    async begin({ redis }) {
      await redis.send('REPLICAOF', '127.0.0.1', '1');
    },
    async end({ redis }) {
      await redis.send('REPLICAOF', 'NO', 'ONE');
    },
  },
  {
    name: 'password changed, file changed later',
    async begin({ redis }) {
      await redis.send('CONFIG', 'SET', 'requirepass', 'second');
      redis.password = 'second';
      await redis.send('CLIENT', 'KILL', 'TYPE', 'normal');
    },
    end: async (setup) => setup.changePasswordFile('second'),
  },
  {
    name: 'out of memory',
    async begin({ redis }) {
      await redis.send('CONFIG', 'SET', 'maxmemory', '1mb');
    },
    async end({ redis }) {
      await redis.send('CONFIG', 'SET', 'maxmemory', '0');
    },
  },
  {
    name: 'another maxmemory-policy after a fail-over',
    async begin({ redis, proxy }) {
      await redis.send('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru');
      proxy.cutAll();
    },
    async end({ redis }) {
      await redis.send('CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
    },
  },
];
