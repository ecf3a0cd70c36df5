/** Limits: list, set, change, delete, and what each would do (`dryRun`). */
import Type, { type Static } from 'typebox';
import { ProblemError } from '../errors/catalogue.js';
import { decodeLimit, encodeLimit } from '../ledger/codec.js';
import type { Change, Want } from '../ledger/port.js';
import { fieldsOf, type OrgBook, openBook, over, type Tables } from '../ledger/view/book.js';
import {
  capNow,
  type Line,
  limitIn,
  limitStanding,
  lineTo,
  parseLine,
  quotaOf,
} from '../ledger/view/lines.js';
import { userToken } from '../quota/id.js';
import { type Limit, NO_LIMIT, percentFault } from '../quota/limit.js';
import { formatUnits } from '../quota/units.js';
import type { Admin, App } from './admin.js';
import { capIn, definitionOf } from './amounts.js';
import { allCapSums, CAP_TABLES } from './caps.js';
import { type Act, actOf, changeOrg, type Step } from './change.js';
import { checkMatch } from './etag.js';
import { groupIn } from './group-view.js';
import { capOut, etagOfLimit, limitTables, limitView, rearm } from './lines.js';
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
    const dryRun = request.query.dryRun === true;
    const outcome = await createLimit(admin, actOf(request, request.body.reason), request.body, dryRun);
    if (dryRun) return outcome;
    const { id } = outcome;
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
    const change: LimitChange = { id: limit, patch: request.body, dryRun };
    const outcome = await patchLimit(admin, actOf(request, request.body.reason), change);
    if (dryRun) return outcome;
    const view = await readLimit(admin, org, limit);
    return reply.header('etag', view.etag).send(view);
  });

  const removal = { params: ByLimit, querystring: members({ reason: Reason }) };
  app.delete('/orgs/:org/limits/:limit', { schema: removal }, async (request, reply) => {
    await deleteLimit(admin, actOf(request, request.query.reason), request.params.limit);
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
  const copy = over(book, tables);
  const standing = ({ line, text }: Row) => limitStanding(copy, line, decodeLimit(text));
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
    items: page.rows.map(({ line, text }) => limitView(copy, line, decodeLimit(text))),
    cursor: page.cursor,
    caps: await allCapSums(copy),
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
  return limitView(book, line, present(book, line));
}

/** What a limit would do to its subject. */
function outcomeOf(book: OrgBook, line: Line, limit: Limit) {
  const { decimals } = quotaOf(book, line.quota);
  const { cap, consumed, held, status } = limitStanding(book, line, limit);
  return {
    id: line.field,
    wouldBlock: status === 'blocked',
    consumed: formatUnits(consumed, decimals),
    held: formatUnits(held, decimals),
    cap: formatUnits(cap, decimals),
  };
}

type Outcome = ReturnType<typeof outcomeOf>;

async function createLimit(admin: Admin, act: Act, body: NewLimit, dryRun: boolean) {
  const definition = definitionOf(admin.quotas, body.quota, 'quota');
  const line = lineOfBody(body);
  if (body.units === undefined && body.percent === undefined)
    throw invalid('units', 'state units or percent');
  const limit = capIn(body, { ...NO_LIMIT, shadow: body.shadow ?? false }, definition);
  const create = (book: OrgBook): Step<Outcome> => {
    checkSubject(book.tables, line);
    if (limitIn(book.tables, line.field) !== undefined)
      throw new ProblemError('limit-exists', `${line.field} has a limit`, { limit: line.field });
    checkCap(book, line, limit);
    const answer = outcomeOf(book, line, limit);
    if (dryRun) return { changes: [], answer };
    const deed = { action: 'limit.add', subject: `limit:${line.field}`, to: told(book, line, limit) };
    return { changes: [{ set: 'limits', field: line.field, value: encodeLimit(limit) }], deed, answer };
  };
  return changeOrg(admin, act, create, limitWants(line));
}

function told(book: OrgBook, line: Line, limit: Limit) {
  return { ...capOut(limit, quotaOf(book, line.quota)), shadow: limit.shadow };
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
export function checkCap({ pools }: Pick<OrgBook, 'pools'>, line: Line, limit: Limit, field = ''): void {
  const fault = percentFault(limit, pools.get(line.quota)?.units);
  if (fault === 'no-plan')
    throw invalid(`${field}percent`, `the org has no plan for ${line.quota} to take a percent of`);
  if (fault === 'nothing')
    throw invalid(`${field}percent`, 'is less than the smallest unit of the present pool');
}

interface LimitChange {
  readonly id: string;
  readonly patch: LimitPatch;
  readonly dryRun: boolean;
}

async function patchLimit(admin: Admin, act: Act, { id, patch, dryRun }: LimitChange) {
  const line = lineOfPath(admin, id);
  const change = (book: OrgBook): Step<Outcome> => {
    const before = present(book, line);
    checkMatch(act.ifMatch, etagOfLimit(line.field, before));
    const capped = capIn(patch, before, quotaOf(book, line.quota));
    const after: Limit = { ...capped, shadow: patch.shadow ?? before.shadow };
    if (capped !== before) checkCap(book, line, after);
    const answer = outcomeOf(book, line, after);
    const value = encodeLimit(after);
    if (dryRun || value === encodeLimit(before)) return { changes: [], answer };
    const changes: Change[] = [{ set: 'limits', field: line.field, value }];
    if (capNow(book, line.quota, after) > capNow(book, line.quota, before))
      changes.push(...rearm(book, line.field));
    const [from, to] = [told(book, line, before), told(book, line, after)];
    return { changes, deed: { action: 'limit.change', subject: `limit:${id}`, from, to }, answer };
  };
  return changeOrg(admin, act, change, limitWants(line));
}

function present({ tables }: OrgBook, { field }: Line): Limit {
  const limit = limitIn(tables, field);
  if (limit === undefined) throw notFound(`limit ${field}`);
  return limit;
}

async function deleteLimit(admin: Admin, act: Act, id: string): Promise<void> {
  const line = lineOfPath(admin, id);
  const remove = (book: OrgBook): Step<undefined> => {
    const before = present(book, line);
    checkMatch(act.ifMatch, etagOfLimit(line.field, before));
    const deed = { action: 'limit.delete', subject: `limit:${id}`, from: told(book, line, before) };
    return { changes: [{ del: 'limits', field: line.field }], deed, answer: undefined };
  };
  await changeOrg(admin, act, remove, limitWants(line));
}
