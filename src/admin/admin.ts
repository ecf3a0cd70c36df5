/** What every part of the admin API works with. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify';
import type { Ledger } from '../ledger/port.js';
import type { Quotas } from '../quota/units.js';
import type { Access } from './roles.js';
import type { Snapshots } from './snapshots.js';
import type { Turns } from './turns.js';
import type { TypeBoxProvider } from './validate.js';

export interface Admin {
  readonly ledger: Ledger;
  readonly quotas: Quotas;
  readonly snapshots: Snapshots;
  readonly turns: Turns;
}

/** A Fastify scope whose schemas are TypeBox's. */
export type App = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  TypeBoxProvider
>;

declare module 'fastify' {
  interface FastifyRequest {
    /** Who acts and what they may do: set by the one hook that checks tokens, before anything else looks at it. */
    access: Access;
  }
}
