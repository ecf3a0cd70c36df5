/** Admin tokens: list, make, delete. No token makes, sees or deletes one that reaches further than itself. */
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

  app.post('/tokens', { schema: { body: TokenBody } }, async ({ access, body }, reply) => {
    const token = await tokenIn(admin, access, body);
    const author = { who: access.who, reason: body.reason };
    const { id, record, text } = await addToken(admin, author, token, (now) => {
      if (!isValid(token, now)) throw invalid('expiresAt', 'must be in the future');
    });
    reply.code(201).header('location', `/v1/tokens/${id}`).header('cache-control', 'no-store');
    return { ...tokenView(id, record, record.createdAt), token: text };
  });

  const removal = { params: path('token'), querystring: members({ reason: Reason }) };
  app.delete('/tokens/:token', { schema: removal }, async ({ access, params, query }, reply) => {
    const author = { who: access.who, reason: query.reason };
    await deleteToken(admin, author, params.token, (record) => {
      if (record === undefined || !isWithin(record.orgs, access.orgs))
        throw notFound(`token ${params.token}`);
      return record;
    });
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

/** The token that is asked for, within what its maker has. */
async function tokenIn(admin: Admin, access: Access, body: Static<typeof TokenBody>): Promise<NewToken> {
  const { name, role } = body;
  const orgs = await orgsIn(admin, access, body.orgs);
  const expiresAt = expiryIn(body.expiresAt);
  const outlives = access.expiresAt !== 0 && (expiresAt === 0 || expiresAt > access.expiresAt);
  if (outlives)
    throw invalid(
      'expiresAt',
      `must not be later than ${instant(access.expiresAt)}, when this token expires`,
    );
  return { name, role, orgs, expiresAt };
}

async function orgsIn(admin: Admin, access: Access, stated: string | readonly string[]): Promise<Orgs> {
  if (stated === 'all') {
    if (access.orgs === 'all') return 'all';
    throw invalid('orgs', 'cannot be all: your token covers only some orgs');
  }
  if (typeof stated === 'string' || stated.length === 0)
    throw invalid('orgs', 'must be all, or a list of org ids');
  for (const org of stated)
    if (!isName(org) || !reaches(access.orgs, org) || !(await exists(admin, org)))
      throw invalid('orgs', `org ${org} not found`);
  return [...new Set(stated)];
}

async function exists({ ledger }: Admin, org: string): Promise<boolean> {
  return (await ledger.read(org, [])).version !== 0;
}
