/** Shared by all parts of the admin API. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify';
import type { Ledger } from '../ledger/port.js';
import type { FoundOrg } from '../ledger/view/org-view.js';
import type { Quotas } from '../quota/units.js';
import type { Access } from './access/roles.js';
import type { TypeBoxProvider } from './http/validate.js';
import type { KeyedMutex } from './writes/keyed-mutex.js';
import type { Snapshots } from './writes/snapshots.js';

export interface Admin {
  readonly ledger: Ledger;
  readonly quotas: Quotas;
  readonly snapshots: Snapshots;
  readonly mutex: KeyedMutex;
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
    /** A read that began together with the look-up of the token: it costs no round trip of its own. */
    firstRead: Promise<FoundOrg> | undefined;
  }
  interface FastifyContextConfig {
    /** Begins `firstRead`. What it finds is seen only by a handler, which no refused request reaches. */
    readFirst?: (request: FastifyRequest) => Promise<FoundOrg>;
  }
}
