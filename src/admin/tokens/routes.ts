/**
 * Admin tokens: list, create, delete. No token can create, see or delete a token with more permissions than its own.
 */
import Type, { type Static } from 'typebox';
import { instant } from '../../ledger/view/limit-lines.js';
import { isName } from '../../quota/id.js';
import { type Access, ADMINS, isWithin, type Orgs, ROLES, reaches } from '../access/roles.js';
import type { Admin } from '../admin.js';
import { createdSecret, done, endpoint, ok } from '../http/endpoint.js';
import { matches, type PageQuery, pageOf } from '../http/paging.js';
import { invalid, notFound } from '../http/problems.js';
import { NoBody } from '../http/schema.js';
import { ExpiresAt, expiryIn, members, Paging, Reason, Search, words } from '../http/validate.js';
import type { Once } from '../writes/idempotency.js';
import { MadeTokenView, TokenList } from './schemas.js';
import {
  type AddedToken,
  addToken,
  allTokens,
  deleteToken,
  isValid,
  type NewToken,
  type TokenRecord,
} from './token-store.js';

const ORGS_MAX = 1_000;

const TokenBody = members({
  name: words(128, 1),
  role: Type.Enum([...ROLES]),
  /** `all`, or a list of org ids. */
  orgs: Type.Union([Type.String(), Type.Array(Type.String(), { maxItems: ORGS_MAX })]),
  expiresAt: ExpiresAt,
  reason: Reason,
});

const list = endpoint({
  id: 'listTokens',
  method: 'GET',
  path: '/tokens',
  summary: 'List the admin tokens that reach no further than yours, without their secrets',
  roles: ADMINS,
  reach: 'own',
  query: { ...Paging, ...Search },
  answers: { 200: TokenList },
  handle: async (admin, { access, query }) => ok(await listTokens(admin, access, query)),
});

const create = endpoint({
  id: 'createToken',
  method: 'POST',
  path: '/tokens',
  summary: 'Create an admin token; its text is shown once',
  roles: ADMINS,
  reach: 'own',
  body: TokenBody,
  example: { name: 'dashboard', role: 'viewer', orgs: ['acme'], reason: 'ticket 4711' },
  answers: { 201: MadeTokenView },
  handle: async (admin, request) => {
    const { id, record, text } = await createToken(admin, request);
    return createdSecret(`/v1/tokens/${id}`, { ...tokenView(id, record, record.createdAt), token: text });
  },
});

const remove = endpoint({
  id: 'deleteToken',
  method: 'DELETE',
  path: '/tokens/:token',
  summary: 'Delete an admin token: its next request is refused',
  roles: ADMINS,
  reach: 'own',
  query: { reason: Reason },
  answers: { 204: NoBody },
  errors: ['not-found'],
  handle: async (admin, { access, params, query }) => {
    const author = { who: access.who, reason: query.reason };
    const check = (record: TokenRecord | undefined): TokenRecord => {
      if (record === undefined || !isWithin(record.orgs, access.orgs))
        throw notFound(`token ${params.token}`);
      return record;
    };
    await deleteToken(admin, { author, id: params.token, check });
    return done();
  },
});

export const TOKEN_ENDPOINTS = [list, create, remove];

async function listTokens({ ledger }: Admin, access: Access, query: PageQuery & { readonly q?: string }) {
  const now = await ledger.clock();
  const page = await pageOf(
    {
      rows: await allTokens(ledger),
      id: ([id]) => id,
      accept: ([id, { name, orgs }]) => isWithin(orgs, access.orgs) && matches(query.q, id, name),
      ranks: {
        name: ([, { name }]) => name.toLowerCase(),
        id: ([id]) => id,
        role: ([, { role }]) => role,
        createdAt: ([, { createdAt }]) => createdAt,
        expiresAt: ([, { expiresAt }]) => expiresAt || Number.MAX_SAFE_INTEGER,
      },
    },
    query,
  );
  return { items: page.rows.map(([id, record]) => tokenView(id, record, now)), cursor: page.cursor };
}

interface TokenRequest {
  readonly access: Access;
  readonly body: Static<typeof TokenBody>;
  readonly once: Once | undefined;
}

async function createToken(admin: Admin, { access, body, once }: TokenRequest): Promise<AddedToken> {
  const token = tokenIn(access, body);
  const author = { who: access.who, reason: body.reason };
  // Runs at the same time as the first read of the tokens.
  const found = orgsFound(admin, access, token.orgs);
  const check = async (now: number): Promise<void> => {
    await found;
    checkExpiry(token, access, now);
  };
  const [made] = await Promise.all([addToken(admin, { author, once, token, check }), found]);
  return made;
}

function tokenView(
  id: string,
  { name, role, orgs, createdAt, createdBy, expiresAt }: TokenRecord,
  now: number,
) {
  return {
    id,
    name,
    role,
    orgs,
    createdAt: instant(createdAt),
    createdBy,
    expiresAt: expiresAt === 0 ? null : instant(expiresAt),
    expired: expiresAt !== 0 && now >= expiresAt,
  };
}

/** The requested token. */
function tokenIn(access: Access, body: Static<typeof TokenBody>): NewToken {
  const { name, role } = body;
  return { name, role, orgs: orgsIn(access, body.orgs), expiresAt: expiryIn(body.expiresAt) };
}

function checkExpiry(token: NewToken, access: Access, now: number): void {
  const { expiresAt } = token;
  const outlives = access.expiresAt !== 0 && (expiresAt === 0 || expiresAt > access.expiresAt);
  if (outlives)
    throw invalid(
      'expiresAt',
      `must not be later than ${instant(access.expiresAt)}, when this token expires`,
    );
  if (!isValid(token, now)) throw invalid('expiresAt', 'must be in the future');
}

function orgsIn(access: Access, stated: string | readonly string[]): Orgs {
  if (stated === 'all') {
    if (access.orgs === 'all') return 'all';
    throw invalid('orgs', 'cannot be all: your token covers only some orgs');
  }
  if (typeof stated === 'string' || stated.length === 0)
    throw invalid('orgs', 'must be all, or a list of org ids');
  return [...new Set(stated)];
}

/** Rejects if an org does not exist, or if the creator's token does not cover it. */
async function orgsFound({ ledger }: Admin, access: Access, orgs: Orgs): Promise<void> {
  if (orgs === 'all') return;
  const exists = async (org: string): Promise<boolean> =>
    isName(org) && reaches(access.orgs, org) && (await ledger.read(org, [])).version !== 0;
  const found = await Promise.all(orgs.map(exists));
  for (const [index, org] of orgs.entries())
    if (found[index] !== true) throw invalid('orgs', `org ${org} not found`);
}
