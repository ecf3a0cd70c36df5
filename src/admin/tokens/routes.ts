/**
 * Admin tokens: list, create, delete. No token can create, see or delete a token with more permissions than its own.
 */
import Type, { type Static } from 'typebox';
import { instant } from '../../ledger/view/limit-lines.js';
import { isName } from '../../quota/id.js';
import { type Access, isWithin, type Orgs, ROLES, reaches } from '../access/roles.js';
import type { Admin, App } from '../admin.js';
import { matches, pageOf } from '../http/paging.js';
import { invalid, notFound } from '../http/problems.js';
import { ExpiresAt, expiryIn, members, Paging, path, Reason, Search, words } from '../http/validate.js';
import { addToken, allTokens, deleteToken, isValid, type NewToken, type TokenRecord } from './token-store.js';

const ORGS_MAX = 1_000;

const TokenBody = members({
  name: words(128, 1),
  role: Type.Enum([...ROLES]),
  /** `all`, or a list of org ids. */
  orgs: Type.Union([Type.String(), Type.Array(Type.String(), { maxItems: ORGS_MAX })]),
  expiresAt: ExpiresAt,
  reason: Reason,
});

export function tokenRoutes(app: App, admin: Admin): void {
  const { ledger } = admin;
  const listSchema = { querystring: members({ ...Paging, ...Search }) };
  app.get('/tokens', { schema: listSchema }, async ({ access, query }) => {
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
  });

  app.post('/tokens', { schema: { body: TokenBody } }, async ({ access, body, once }, reply) => {
    const token = tokenIn(access, body);
    const author = { who: access.who, reason: body.reason };
    // Runs at the same time as the first read of the tokens.
    const found = orgsFound(admin, access, token.orgs);
    const check = async (now: number): Promise<void> => {
      await found;
      checkExpiry(token, access, now);
    };
    const [{ id, record, text }] = await Promise.all([
      addToken(admin, { author, once, token, check }),
      found,
    ]);
    reply.code(201).header('location', `/v1/tokens/${id}`).header('cache-control', 'no-store');
    return { ...tokenView(id, record, record.createdAt), token: text };
  });

  const removal = { params: path('token'), querystring: members({ reason: Reason }) };
  app.delete('/tokens/:token', { schema: removal }, async ({ access, params, query }, reply) => {
    const author = { who: access.who, reason: query.reason };
    const check = (record: TokenRecord | undefined): TokenRecord => {
      if (record === undefined || !isWithin(record.orgs, access.orgs))
        throw notFound(`token ${params.token}`);
      return record;
    };
    await deleteToken(admin, { author, id: params.token, check });
    return reply.code(204).send();
  });
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
