/** Limits: list, set, change, delete, and what each would do (`dryRun`). */
import Type, { type Static } from 'typebox';
import { ProblemError } from '../errors/catalogue.js';
import { decodeLimit, encodeLimit } from '../ledger/codec.js';
import type { Change, Want } from '../ledger/port.js';
import { userToken } from '../quota/id.js';
import type { Limit } from '../quota/limit.js';
import { formatUnits } from '../quota/units.js';
import type { Admin, App } from './admin.js';
import { capIn, definitionOf, NO_LIMIT, type QuotaDefinition } from './amounts.js';
import { fieldsOf, type OrgBook, openBook, type Tables } from './book.js';
import { allCapSums, CAP_TABLES } from './caps.js';
import { changeOrg } from './change.js';
import { checkMatch } from './etag.js';
import { groupIn } from './groups.js';
import {
  capNow,
  capOut,
  etagOfLimit,
  type Line,
  limitIn,
  limitStanding,
  limitTables,
  limitView,
  lineTo,
  parseLine,
  rearm,
} from './lines.js';
import { memberIn } from './members.js';
import { matches, pageOf } from './paging.js';
import { invalid, notFound } from './problems.js';
import { profileField, profileIn } from './profile.js';
import { DryRun, Id, members, Name, Paging, path, Reason, Search } from './validate.js';

const CapFields = {
  units: Type.Optional(Type.Number()),
  percent: Type.Optional(Type.Number()),
  shadow: Type.Optional(Type.Boolean()),
  reason: Reason,
};

const NewLimit = members({ quota: Name, user: Type.Optional(Id), group: Type.Optional(Name), ...CapFields });
type NewLimit = Static<typeof NewLimit>;
const LimitPatch = members(CapFields);
type LimitPatch = Static<typeof LimitPatch>;

const ListQuery = members({
  ...Paging,
  ...Search,
  quota: Type.Optional(Type.String()),
  scope: Type.Optional(Type.Enum(['user', 'group'])),
  user: Type.Optional(Type.String()),
  group: Type.Optional(Type.String()),
  status: Type.Optional(Type.Enum(['ok', 'warning', 'blocked'])),
});
type ListQuery = Static<typeof ListQuery>;

const ByOrg = path('org');
const ByLimit = path('org', 'limit');

export function limitRoutes(app: App, admin: Admin): void {
  app.get('/orgs/:org/limits', { schema: { params: ByOrg, querystring: ListQuery } }, async (request) => {
    return listLimits(admin, request.params.org, request.query);
  });

  const create = { params: ByOrg, querystring: members(DryRun), body: NewLimit };
  app.post('/orgs/:org/limits', { schema: create }, async (request, reply) => {
    const { org } = request.params;
    if (request.query.dryRun === true) return createLimit(admin, org, request.who, request.body, true);
    const { id } = await createLimit(admin, org, request.who, request.body, false);
    const view = await readLimit(admin, org, id);
    reply.header('location', `/v1/orgs/${org}/limits/${encodeURIComponent(id)}`);
    return reply.code(201).header('etag', view.etag).send(view);
  });

  app.get('/orgs/:org/limits/:limit', { schema: { params: ByLimit } }, async (request, reply) => {
    const view = await readLimit(admin, request.params.org, request.params.limit);
    return reply.header('etag', view.etag).send(view);
  });

  const patch = { params: ByLimit, querystring: members(DryRun), body: LimitPatch };
  app.patch('/orgs/:org/limits/:limit', { schema: patch }, async (request, reply) => {
    const { org, limit } = request.params;
    const dryRun = request.query.dryRun === true;
    const ifMatch = request.headers['if-match'];
    const outcome = await patchLimit(admin, org, request.who, limit, request.body, ifMatch, dryRun);
    if (dryRun) return outcome;
    const view = await readLimit(admin, org, limit);
    return reply.header('etag', view.etag).send(view);
  });

  const removal = { params: ByLimit, querystring: members({ reason: Reason }) };
  app.delete('/orgs/:org/limits/:limit', { schema: removal }, async (request, reply) => {
    const { org, limit } = request.params;
    await deleteLimit(admin, org, request.who, limit, request.query.reason, request.headers['if-match']);
    return reply.code(204).send();
  });
}

interface Row {
  readonly line: Line;
  readonly text: string;
}

async function listLimits({ ledger, quotas, snapshots }: Admin, org: string, query: ListQuery) {
  const book = await openBook(ledger, quotas, org);
  const { tables, ageMs } = await snapshots.tables(org, [...CAP_TABLES, ...limitTables(book.cycle.start)]);
  const standing = ({ line, text }: Row) => limitStanding(book, tables, line, decodeLimit(text));
  const page = await pageOf(
    {
      rows: rowsOf(tables),
      id: ({ line }: Row) => line.field,
      accept: (row: Row) =>
        quotas.has(row.line.quota) &&
        accepts(tables, query, row.line) &&
        (query.status === undefined || standing(row).status === query.status),
      ranks: {
        id: ({ line }: Row) => line.field,
        cap: (row: Row) => standing(row).cap,
        consumed: (row: Row) => standing(row).consumed,
        remaining: (row: Row) => standing(row).remaining,
        percentUsed: (row: Row) => standing(row).consumed / Math.max(1, standing(row).cap),
      },
    },
    query,
  );
  return {
    items: page.rows.map(({ line, text }) => limitView(book, quotas, tables, line, decodeLimit(text))),
    cursor: page.cursor,
    caps: await allCapSums(book, quotas, tables),
    snapshotAgeMs: ageMs,
  };
}

function* rowsOf(tables: Tables): Generator<Row> {
  for (const [field, text] of fieldsOf(tables, 'limits')) {
    const line = parseLine(field);
    if (line !== undefined) yield { line, text };
  }
}

function accepts(tables: Tables, query: ListQuery, { quota, scope, token }: Line): boolean {
  if (query.quota !== undefined && query.quota !== quota) return false;
  if (query.scope !== undefined && query.scope !== scope) return false;
  if (query.user !== undefined && (scope !== 'user' || token !== userToken(query.user))) return false;
  if (query.group !== undefined && (scope !== 'group' || token !== query.group)) return false;
  if (query.q === undefined) return true;
  if (scope === 'group') return matches(query.q, token, groupIn(tables, token)?.name ?? '');
  const { name, email } = profileIn(tables, token);
  return matches(query.q, token, name, email);
}

/** What is to be read to decide on a limit, or to show it. */
function limitWants({ field, scope, token }: Line): (start: number) => Want[] {
  const subject: Want[] =
    scope === 'group'
      ? [{ table: 'groups', fields: [token] }]
      : [
          { table: 'members', fields: [token] },
          { table: 'records', fields: [profileField(token)] },
        ];
  return (start) => [
    ...subject,
    { table: 'limits', fields: [field] },
    { table: `consumed:${start}`, fields: [field] },
    { table: `held:${start}`, fields: [field] },
  ];
}

function lineOfPath({ quotas }: Admin, id: string): Line {
  const line = parseLine(id);
  if (line === undefined || line.scope === 'org' || !quotas.has(line.quota)) throw notFound(`limit ${id}`);
  return line;
}

async function readLimit(admin: Admin, org: string, id: string) {
  const line = lineOfPath(admin, id);
  const book = await openBook(admin.ledger, admin.quotas, org, limitWants(line));
  const limit = limitIn(book.tables, line.field);
  if (limit === undefined) throw notFound(`limit ${id}`);
  return limitView(book, admin.quotas, book.tables, line, limit);
}

/** What a limit would do to its subject. */
function outcomeOf(book: OrgBook, line: Line, limit: Limit, { decimals }: QuotaDefinition) {
  const { cap, consumed, held, status } = limitStanding(book, book.tables, line, limit);
  return {
    id: line.field,
    wouldBlock: status === 'blocked',
    consumed: formatUnits(consumed, decimals),
    held: formatUnits(held, decimals),
    cap: formatUnits(cap, decimals),
  };
}

async function createLimit(admin: Admin, org: string, who: string, body: NewLimit, dryRun: boolean) {
  const definition = definitionOf(admin.quotas, body.quota, 'quota');
  const line = lineOfBody(body);
  if (body.units === undefined && body.percent === undefined)
    throw invalid('units', 'state units or percent');
  const limit = capIn(body, { ...NO_LIMIT, shadow: body.shadow ?? false }, definition);
  return changeOrg(admin, org, who, limitWants(line), (book) => {
    checkSubject(book.tables, line);
    if (limitIn(book.tables, line.field) !== undefined)
      throw new ProblemError('limit-exists', `${line.field} has a limit`, { limit: line.field });
    checkCap(book, line, limit);
    const answer = outcomeOf(book, line, limit, definition);
    if (dryRun) return { changes: [], answer };
    const changes: Change[] = [{ set: 'limits', field: line.field, value: encodeLimit(limit) }];
    const to = { ...capOut(limit, definition), shadow: limit.shadow };
    const deed = { action: 'limit.add', subject: `limit:${line.field}`, to, reason: body.reason };
    return { changes, deed, answer };
  });
}

function lineOfBody({ quota, user, group }: NewLimit): Line {
  if ((user === undefined) === (group === undefined)) throw invalid('user', 'state either user or group');
  if (group !== undefined) return lineTo(quota, 'group', group);
  const token = userToken(user ?? '');
  if (token === undefined) throw invalid('user', 'must be at most 256 bytes of valid Unicode');
  return lineTo(quota, 'user', token);
}

function checkSubject(tables: Tables, { scope, token }: Line): void {
  if (scope === 'group' && groupIn(tables, token) === undefined)
    throw invalid('group', 'there is no such group');
  const member = scope === 'user' ? memberIn(tables, token) : undefined;
  if (scope === 'user' && (member === undefined || member.status === 'removed'))
    throw invalid('user', 'there is no such user');
}

/** A percent needs a pool, and must be more than nothing of it. */
export function checkCap(book: Pick<OrgBook, 'pools' | 'now'>, line: Line, limit: Limit, field = ''): void {
  if (limit.percent === 0) return;
  if (!book.pools.has(line.quota))
    throw invalid(`${field}percent`, `the org has no plan for ${line.quota} to take a percent of`);
  if (capNow(book, line.quota, { ...limit, raiseUntil: 0 }) === 0)
    throw invalid(`${field}percent`, 'is less than the smallest unit of the present pool');
}

async function patchLimit(
  admin: Admin,
  org: string,
  who: string,
  id: string,
  patch: LimitPatch,
  ifMatch: string | undefined,
  dryRun: boolean,
) {
  const line = lineOfPath(admin, id);
  const definition = definitionOf(admin.quotas, line.quota, 'quota');
  return changeOrg(admin, org, who, limitWants(line), (book) => {
    const before = limitIn(book.tables, line.field);
    if (before === undefined) throw notFound(`limit ${id}`);
    checkMatch(ifMatch, etagOfLimit(line.field, before));
    const capped = capIn(patch, before, definition);
    const after: Limit = { ...capped, shadow: patch.shadow ?? before.shadow };
    checkCap(book, line, after);
    const answer = outcomeOf(book, line, after, definition);
    const value = encodeLimit(after);
    if (dryRun || value === encodeLimit(before)) return { changes: [], answer };
    const changes: Change[] = [{ set: 'limits', field: line.field, value }];
    if (capNow(book, line.quota, after) > capNow(book, line.quota, before))
      changes.push(rearm(book, line.field));
    const [from, to] = [before, after].map((one) => ({ ...capOut(one, definition), shadow: one.shadow }));
    const deed = { action: 'limit.change', subject: `limit:${id}`, from, to, reason: patch.reason };
    return { changes, deed, answer };
  });
}

async function deleteLimit(
  admin: Admin,
  org: string,
  who: string,
  id: string,
  reason: string | undefined,
  ifMatch: string | undefined,
): Promise<void> {
  const line = lineOfPath(admin, id);
  const definition = definitionOf(admin.quotas, line.quota, 'quota');
  await changeOrg(admin, org, who, limitWants(line), ({ tables }) => {
    const before = limitIn(tables, line.field);
    if (before === undefined) throw notFound(`limit ${id}`);
    checkMatch(ifMatch, etagOfLimit(line.field, before));
    const from = { ...capOut(before, definition), shadow: before.shadow };
    const deed = { action: 'limit.delete', subject: `limit:${id}`, from, reason };
    return { changes: [{ del: 'limits', field: line.field }], deed, answer: undefined };
  });
}
