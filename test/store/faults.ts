/** What becomes of stores, and how it ends. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Bed } from './bed.js';

export interface Fault {
  readonly name: string;
  begin(bed: Bed): Promise<void>;
  /** After it the store is well, without anything done to the gateway. */
  end(bed: Bed): Promise<void>;
  /** The store works on: requests are to be served meanwhile. */
  readonly served?: true;
  /** The data is gone, and an operator has to accept it. */
  readonly lost?: true;
}

const noMore = new WeakMap<Bed, boolean>();

const nothing = async (): Promise<void> => undefined;

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
    async end(bed) {
      await bed.acceptLoss();
    },
  },
  {
    name: 'script cache flushed every 50 ms',
    served: true,
    async begin(bed) {
      noMore.set(bed, false);
      const flush = async (): Promise<void> => {
        while (noMore.get(bed) === false) {
          await bed.redis.send('SCRIPT', 'FLUSH', 'SYNC');
          await delay(50);
        }
      };
      void flush();
    },
    async end(bed) {
      noMore.set(bed, true);
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
    end: async (bed) => bed.changePasswordFile('second'),
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
];
