/** The result of one measure: a table and its aims. */
import type { RedisServer } from '../../test/support/redis.js';
import type { BenchGateway, GatewayOptions } from '../gateway/start.js';
import type { Aim } from '../lib/table.js';

export interface Measured {
  readonly title: string;
  readonly table: string;
  readonly aims: readonly Aim[];
  readonly remarks?: readonly string[];
}

/** The running servers that measures use. */
export interface Field {
  readonly folder: string;
  readonly upstream: string;
  readonly redis: RedisServer;
  readonly plain: BenchGateway;
  readonly strict: BenchGateway;
  readonly embedded: BenchGateway;
  /** Starts another gateway, which is stopped at the end of the run. */
  start(options: Omit<GatewayOptions, 'upstream' | 'orgs'>): Promise<BenchGateway>;
}
