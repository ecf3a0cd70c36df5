/** Shared by all parts of the admin API. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify';
import type { LiveHistory } from '../history/live-history.js';
import type { HistoryRetention } from '../history/retention.js';
import type { Ledger } from '../ledger/port.js';
import type { FoundOrg } from '../ledger/view/org-view.js';
import type { Notifier } from '../notify/notifier.js';
import type { Quotas } from '../quota/units.js';
import type { Session, SessionStore, TokenLogins } from './access/callers.js';
import type { Access, Rule } from './access/roles.js';
import type { TypeBoxProvider } from './http/validate.js';
import type { UserIdAttribute } from './scim/user-record.js';
import type { LoginCodes } from './session/login-codes.js';
import type { OidcLogin } from './session/oidc-login.js';
import type { Snapshots } from './snapshots/snapshots.js';
import type { InvitationMail } from './users/invitation.js';
import type { Once } from './writes/idempotency.js';
import type { KeyedMutex } from './writes/keyed-mutex.js';

export type TestNotifier = Pick<Notifier, 'hasMail' | 'test'>;

export interface Admin {
  readonly ledger: Ledger;
  readonly quotas: Quotas;
  readonly snapshots: Snapshots;
  readonly history: LiveHistory;
  readonly mutex: KeyedMutex;
  readonly tokens: TokenLogins;
  readonly sessions: SessionStore;
  readonly codes: LoginCodes;
  /** Absent: nobody logs in at an identity provider. */
  readonly oidcLogin: OidcLogin | undefined;
  /** Every operation of the API, and who may call it. */
  readonly operations: readonly { readonly id: string; readonly rule: Rule }[];
  /** The address of the admin API as people reach it. */
  readonly publicUrl: string | undefined;
  /** The SCIM attribute that is the user's id. */
  readonly scimUserId: UserIdAttribute;
  /** Sends test messages. Absent: this process delivers no notices. */
  readonly notifier: TestNotifier | undefined;
  /** How long the history is kept. */
  readonly retention: HistoryRetention;
  /** Names of the targets of the journal's export. */
  readonly exportTargets: readonly string[];
  /** Absent: no mail is sent, and an invitation by mail is refused. */
  readonly invitationMail?: InvitationMail | undefined;
  /** Quotas that an action charges; undefined if no route has it. */
  readonly quotasOf: (action: string) => readonly string[] | undefined;
}

/** A Fastify scope with TypeBox schemas. */
export type App = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  TypeBoxProvider
>;

declare module 'fastify' {
  interface FastifyRequest {
    /** The caller and their permissions: set by the one hook that checks tokens, before any other code reads it. */
    access: Access;
    /** Of callers that logged in to the console. */
    session: Session | undefined;
    /** Of a POST with an `Idempotency-Key`. */
    once: Once | undefined;
    /** A read that started together with the token lookup, so it costs no extra round trip. */
    firstRead: Promise<FoundOrg> | undefined;
  }
  interface FastifyContextConfig {
    /** Starts `firstRead`. Only a handler sees the result, and a refused request never reaches a handler. */
    readFirst?: (request: FastifyRequest) => Promise<FoundOrg>;
  }
}
