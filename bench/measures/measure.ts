/** One measure: a table, and what it is held to. */
import type { RedisServer } from '../../test/support/redis.js';
import type { BenchGateway, GatewayOptions } from '../gateway/start.js';
import type { Aim } from '../lib/table.js';

export interface Measured {
  readonly title: string;
  readonly table: string;
  readonly aims: readonly Aim[];
  readonly remarks?: readonly string[];
}

/** What measures work with. */
export interface Field {
  readonly folder: string;
  readonly upstream: string;
  readonly redis: RedisServer;
  readonly plain: BenchGateway;
  readonly strict: BenchGateway;
  readonly embedded: BenchGateway;
  /** Another gateway; it ends with the run. */
  start(options: Omit<GatewayOptions, 'upstream' | 'orgs'>): Promise<BenchGateway>;
}
