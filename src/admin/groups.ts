/** Groups and who is in them. A group made anew under an old id starts empty: memberships name its generation. */
import Type, { type Static } from 'typebox';
import { ProblemError } from '../errors/catalogue.js';
import { decodeGroup, encodeGroup, type Group, type Member } from '../ledger/codec.js';
import type { Change, Want } from '../ledger/port.js';
import { GROUPS_MAX } from '../quota/charge.js';
import { lineOf, userToken } from '../quota/id.js';
import { formatUnits } from '../quota/units.js';
import type { Admin, App } from './admin.js';
import type { Quotas } from './amounts.js';
import { fieldsOf, type OrgBook, openBook, type Tables, textIn } from './book.js';
import { changeOrg, type Step } from './change.js';
import { checkMatch, etagOf } from './etag.js';
import { capOut, figuresOf, figuresOut, limitIn, limitStanding, limitTables, lineTo } from './lines.js';
import { memberChange, memberCounts, memberIn } from './members.js';
import { matches, pageOf } from './paging.js';
import { invalid, notFound } from './problems.js';
import { members, Name, Paging, path, Reason, Search, Title } from './validate.js';

const NewGroup = members({ id: Name, name: Type.Optional(Title), reason: Reason });
const GroupPatch = members({ name: Title, reason: Reason });
const WithReason = members({ reason: Reason });
const ListQuery = members({ ...Paging, ...Search });

const ByOrg = path('org');
const ByGroup = path('org', 'group');
const ByMember = path('org', 'group', 'user');

export function groupRoutes(app: App, admin: Admin): void {
  app.get('/orgs/:org/groups', { schema: { params: ByOrg, querystring: ListQuery } }, async (request) => {
    return listGroups(admin, request.params.org, request.query);
  });

  app.post('/orgs/:org/groups', { schema: { params: ByOrg, body: NewGroup } }, async (request, reply) => {
    const { org } = request.params;
    await addGroup(admin, org, request.who, request.body);
    const view = await readGroup(admin, org, request.body.id);
    reply.header('location', `/v1/orgs/${org}/groups/${request.body.id}`);
    return reply.code(201).header('etag', view.etag).send(view);
  });

  app.get('/orgs/:org/groups/:group', { schema: { params: ByGroup } }, async (request, reply) => {
    const view = await readGroup(admin, request.params.org, request.params.group);
    return reply.header('etag', view.etag).send(view);
  });

  app.patch(
    '/orgs/:org/groups/:group',
    { schema: { params: ByGroup, body: GroupPatch } },
    async (request, reply) => {
      const { org, group } = request.params;
      await renameGroup(admin, org, request.who, group, request.body, request.headers['if-match']);
      const view = await readGroup(admin, org, group);
      return reply.header('etag', view.etag).send(view);
    },
  );

  const removal = { params: ByGroup, querystring: WithReason };
  app.delete('/orgs/:org/groups/:group', { schema: removal }, async (request, reply) => {
    const { org, group } = request.params;
    await deleteGroup(admin, org, request.who, group, request.query.reason, request.headers['if-match']);
    return reply.code(204).send();
  });

  const membership = { params: ByMember, querystring: WithReason };
  app.put('/orgs/:org/groups/:group/members/:user', { schema: membership }, async (request, reply) => {
    await changeMembership(admin, request.who, request.params, true, request.query.reason);
    return reply.code(204).send();
  });
  app.delete('/orgs/:org/groups/:group/members/:user', { schema: membership }, async (request, reply) => {
    await changeMembership(admin, request.who, request.params, false, request.query.reason);
    return reply.code(204).send();
  });
}

/** The group, unless it was deleted. */
export function groupIn(tables: Tables, id: string): Group | undefined {
  const text = textIn(tables, 'groups', id);
  const group = text === undefined ? undefined : decodeGroup(text);
  return group?.alive === true ? group : undefined;
}

function etagOfGroup(id: string, group: Group): string {
  return etagOf('group', id, encodeGroup(group));
}

function groupTables(start: number) {
  return ['members', ...limitTables(start)] as const;
}

interface Row {
  readonly id: string;
  readonly group: Group;
}

async function listGroups(
  { ledger, quotas, snapshots }: Admin,
  org: string,
  query: Static<typeof ListQuery>,
) {
  const book = await openBook(ledger, quotas, org);
  const { tables, ageMs } = await snapshots.tables(org, groupTables(book.cycle.start));
  const counts = await memberCounts(tables);
  const page = await pageOf(
    {
      rows: rowsOf(tables),
      id: ({ id }: Row) => id,
      accept: ({ id, group }: Row) => group.alive && matches(query.q, id, group.name),
      ranks: {
        id: ({ id }: Row) => id,
        name: ({ group }: Row) => group.name.toLowerCase(),
        members: ({ id, group }: Row) => counts(id, group.generation),
      },
    },
    query,
  );
  const items = page.rows.map(({ id, group }) => {
    return groupView(book, quotas, tables, id, group, counts(id, group.generation));
  });
  return { items, cursor: page.cursor, snapshotAgeMs: ageMs };
}

function* rowsOf(tables: Tables): Generator<Row> {
  for (const [id, text] of fieldsOf(tables, 'groups')) yield { id, group: decodeGroup(text) };
}

/** The group and its figures as they are now; only the number of members is from a copy. */
async function readGroup({ ledger, quotas, snapshots }: Admin, org: string, id: string) {
  const fields = [...quotas.keys()].map((quota) => lineOf(quota, 'group', id));
  const book = await openBook(ledger, quotas, org, (start) => [
    { table: 'groups', fields: [id] },
    { table: 'limits', fields },
    { table: `consumed:${start}`, fields },
    { table: `held:${start}`, fields },
  ]);
  const group = groupIn(book.tables, id);
  if (group === undefined) throw notFound(`group ${id}`);
  const { tables } = await snapshots.tables(org, ['members']);
  const counts = await memberCounts(tables);
  return groupView(book, quotas, book.tables, id, group, counts(id, group.generation));
}

function groupView(book: OrgBook, quotas: Quotas, tables: Tables, id: string, group: Group, count: number) {
  const views: Record<string, unknown> = {};
  for (const [quota, definition] of quotas) {
    const line = lineTo(quota, 'group', id);
    const limit = limitIn(tables, line.field);
    const { consumed, held } = figuresOf(tables, book.cycle.start, line.field);
    const figures = {
      consumed: formatUnits(consumed, definition.decimals),
      held: formatUnits(held, definition.decimals),
    };
    views[quota] =
      limit === undefined
        ? { limit: null, ...figures }
        : {
            limit: line.field,
            ...capOut(limit, definition),
            ...figuresOut(limitStanding(book, tables, line, limit), definition),
            shadow: limit.shadow,
          };
  }
  return { id, name: group.name, members: count, quotas: views, etag: etagOfGroup(id, group) };
}

async function addGroup(
  admin: Admin,
  org: string,
  who: string,
  body: Static<typeof NewGroup>,
): Promise<void> {
  const { id, name = id, reason } = body;
  await changeOrg(
    admin,
    org,
    who,
    () => [{ table: 'groups', fields: [id] }],
    ({ tables }) => {
      const text = textIn(tables, 'groups', id);
      const before = text === undefined ? undefined : decodeGroup(text);
      if (before?.alive === true) throw new ProblemError('already-exists', `The group ${id} exists`);
      const generation = before === undefined ? 0 : before.generation + 1;
      const changes = [setGroup(id, { generation, alive: true, name })];
      return {
        changes,
        deed: { action: 'group.add', subject: `group:${id}`, to: { name }, reason },
        answer: undefined,
      };
    },
  );
}

export function setGroup(id: string, group: Group): Change {
  return { set: 'groups', field: id, value: encodeGroup(group) };
}

async function renameGroup(
  admin: Admin,
  org: string,
  who: string,
  id: string,
  { name, reason }: Static<typeof GroupPatch>,
  ifMatch: string | undefined,
): Promise<void> {
  await changeOrg(
    admin,
    org,
    who,
    () => [{ table: 'groups', fields: [id] }],
    ({ tables }) => {
      const group = present(tables, id);
      checkMatch(ifMatch, etagOfGroup(id, group));
      if (group.name === name) return { changes: [], answer: undefined };
      const [from, to] = [{ name: group.name }, { name }];
      const deed = { action: 'group.change', subject: `group:${id}`, from, to, reason };
      return { changes: [setGroup(id, { ...group, name })], deed, answer: undefined };
    },
  );
}

function present(tables: Tables, id: string): Group {
  const group = groupIn(tables, id);
  if (group === undefined) throw notFound(`group ${id}`);
  return group;
}

/** Its limits go with it; what its members consumed stays on its lines. */
async function deleteGroup(
  admin: Admin,
  org: string,
  who: string,
  id: string,
  reason: string | undefined,
  ifMatch: string | undefined,
): Promise<void> {
  const lines = [...admin.quotas.keys()].map((quota) => lineOf(quota, 'group', id));
  const wants: Want[] = [
    { table: 'groups', fields: [id] },
    { table: 'limits', fields: lines },
  ];
  await changeOrg(
    admin,
    org,
    who,
    () => wants,
    ({ tables }) => {
      const group = present(tables, id);
      checkMatch(ifMatch, etagOfGroup(id, group));
      const limits = lines.filter((line) => textIn(tables, 'limits', line) !== undefined);
      const changes: Change[] = [
        setGroup(id, { ...group, alive: false }),
        ...limits.map((field): Change => ({ del: 'limits', field })),
      ];
      const deed = {
        action: 'group.delete',
        subject: `group:${id}`,
        from: { name: group.name, limits },
        reason,
      };
      return { changes, deed, answer: undefined };
    },
  );
}

async function changeMembership(
  admin: Admin,
  who: string,
  { org, group: id, user }: Static<typeof ByMember>,
  joins: boolean,
  reason: string | undefined,
): Promise<void> {
  const token = userToken(user);
  if (token === undefined) throw notFound(`user ${user}`);
  const wants: Want[] = [
    { table: 'groups', fields: [id] },
    { table: 'members', fields: [token] },
  ];
  await changeOrg(
    admin,
    org,
    who,
    () => wants,
    ({ tables }): Step<void> => {
      const { generation } = present(tables, id);
      const before = memberIn(tables, token);
      if (before === undefined) throw notFound(`user ${user}`);
      const others = before.groups.filter(({ group }) => group !== id);
      const after: Member = { ...before, groups: joins ? [...others, { group: id, generation }] : others };
      if (after.groups.length > GROUPS_MAX) throw invalid('group', `a user may be in ${GROUPS_MAX} groups`);
      const known = before.groups.some((one) => one.group === id && one.generation === generation);
      if (known === joins) return { changes: [], answer: undefined };
      const deed = {
        action: joins ? 'group.join' : 'group.leave',
        subject: `group:${id}`,
        to: { user },
        reason,
      };
      return { changes: memberChange(token, before, after), deed, answer: undefined };
    },
  );
}
