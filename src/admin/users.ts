/** Users: list, add, look at, change, remove. */
import Type, { type Static } from 'typebox';
import { ProblemError } from '../errors/catalogue.js';
import { decodeMember, encodeMember, type Member, type UserStatus } from '../ledger/codec.js';
import type { Change, Want } from '../ledger/port.js';
import { fieldsOf, numberIn, type OrgBook, openBook, over, type Tables } from '../ledger/view/book.js';
import { GROUPS_MAX } from '../quota/charge.js';
import { lineOf, userOfToken, userToken } from '../quota/id.js';
import type { Admin, App } from './admin.js';
import { type Act, actOf, changeOrg, type Step, UNCHANGED } from './change.js';
import { checkMatch } from './etag.js';
import { groupIn } from './group-view.js';
import { liveMember, memberChange, memberIn } from './members.js';
import { matches, pageOf, type Rank } from './paging.js';
import { invalid, notFound } from './problems.js';
import { type Profile, profileField, profileIn } from './profile.js';
import { etagOfUser, userTables, userView } from './user-view.js';
import { Email, Id, members, Name, Paging, path, Reason, Search, Title } from './validate.js';

const Status = Type.Enum(['active', 'invited', 'inactive', 'removed']);

const UserFields = {
  name: Type.Optional(Title),
  email: Type.Optional(Email),
  role: Type.Optional(Title),
  status: Type.Optional(Status),
  groups: Type.Optional(Type.Array(Name, { maxItems: GROUPS_MAX, uniqueItems: true })),
  reason: Reason,
};

const NewUser = members({ id: Id, ...UserFields });
const UserPatch = members(UserFields);
type UserPatch = Static<typeof UserPatch>;

const ListQuery = members({
  ...Paging,
  ...Search,
  status: Type.Optional(Status),
  group: Type.Optional(Type.String()),
});
type ListQuery = Static<typeof ListQuery>;

const ByOrg = path('org');
const ByUser = path('org', 'user');

export function userRoutes(app: App, admin: Admin): void {
  const listSchema = { params: ByOrg, querystring: ListQuery };
  app.get('/orgs/:org/users', { schema: listSchema }, async (request) => {
    return listUsers(admin, request.params.org, request.query);
  });

  app.post('/orgs/:org/users', { schema: { params: ByOrg, body: NewUser } }, async (request, reply) => {
    const { org } = request.params;
    const token = userToken(request.body.id);
    if (token === undefined) throw invalid('id', 'must be at most 256 bytes of valid Unicode');
    await addUser(admin, actOf(request, request.body.reason), token, request.body);
    const view = await readUser(admin, org, request.body.id);
    reply.header('location', `/v1/orgs/${org}/users/${encodeURIComponent(request.body.id)}`);
    return reply.code(201).header('etag', view.etag).send(view);
  });

  app.get('/orgs/:org/users/:user', { schema: { params: ByUser } }, async (request, reply) => {
    const view = await readUser(admin, request.params.org, request.params.user);
    return reply.header('etag', view.etag).send(view);
  });

  app.patch(
    '/orgs/:org/users/:user',
    { schema: { params: ByUser, body: UserPatch } },
    async (request, reply) => {
      const { org, user } = request.params;
      await patchUser(admin, actOf(request, request.body.reason), user, request.body);
      const view = await readUser(admin, org, user);
      return reply.header('etag', view.etag).send(view);
    },
  );

  const removal = { params: ByUser, querystring: members({ reason: Reason }) };
  app.delete('/orgs/:org/users/:user', { schema: removal }, async (request, reply) => {
    await patchUser(admin, actOf(request, request.query.reason), request.params.user, { status: 'removed' });
    return reply.code(204).send();
  });
}

async function readUser(admin: Admin, org: string, user: string) {
  const { ledger, quotas } = admin;
  const token = tokenOfPath(user);
  const first = await openBook(ledger, quotas, org, () => userWants(token, []));
  const groups = memberIn(first.tables, token)?.groups.map(({ group }) => group) ?? [];
  const wants = (start: number) => [...userWants(token, groups), ...lineWants(admin, start, token, groups)];
  const book = await openBook(ledger, quotas, org, wants);
  const member = memberIn(book.tables, token);
  if (member === undefined) throw notFound(`user ${user}`);
  return userView(book, token, member);
}

function tokenOfPath(user: string): string {
  const token = userToken(user);
  if (token === undefined) throw notFound(`user ${user}`);
  return token;
}

function userWants(token: string, groups: readonly string[]): Want[] {
  return [
    { table: 'members', fields: [token] },
    { table: 'records', fields: [profileField(token)] },
    { table: 'groups', fields: groups },
  ];
}

/** Limits and figures of the user, their groups and the org, for every quota. */
function lineWants({ quotas }: Admin, start: number, token: string, groups: readonly string[]): Want[] {
  const fields = [...quotas.keys()].flatMap((quota) => [
    lineOf(quota, 'user', token),
    ...groups.map((group) => lineOf(quota, 'group', group)),
    lineOf(quota, 'org', ''),
  ]);
  return [
    { table: 'limits', fields },
    { table: `consumed:${start}`, fields },
    { table: `held:${start}`, fields },
  ];
}

interface Row {
  readonly token: string;
  readonly member: Member;
}

async function listUsers({ ledger, quotas, snapshots }: Admin, org: string, query: ListQuery) {
  const book = await openBook(ledger, quotas, org);
  const { tables, ageMs } = await snapshots.tables(org, userTables(book.cycle.start));
  const copy = over(book, tables);
  const page = await pageOf(
    {
      rows: rowsOf(tables),
      id: ({ token }: Row) => token,
      accept: (row: Row) => accepts(tables, query, row),
      ranks: ranksOf(copy),
    },
    query,
  );
  const items = page.rows.map(({ token, member }) => userView(copy, token, member));
  return { items, cursor: page.cursor, snapshotAgeMs: ageMs };
}

function* rowsOf(tables: Tables): Generator<Row> {
  for (const [token, text] of fieldsOf(tables, 'members')) yield { token, member: decodeMember(text) };
}

/** Removed users are listed only where they are asked for. */
function accepts(tables: Tables, query: ListQuery, { token, member }: Row): boolean {
  if (query.status === undefined ? member.status === 'removed' : member.status !== query.status) return false;
  const inGroup = ({ group }: { group: string }): boolean => group === query.group;
  if (query.group !== undefined && !liveMember(tables, member).groups.some(inGroup)) return false;
  if (query.q === undefined) return true;
  const { name, email } = profileIn(tables, token);
  return matches(query.q, userOfToken(token), name, email);
}

function ranksOf({ tables, quotas, cycle }: OrgBook): Record<string, (row: Row) => Rank> {
  const text = (pick: (profile: Profile) => string) => {
    return ({ token }: Row): Rank => pick(profileIn(tables, token)).toLowerCase();
  };
  const ranks: Record<string, (row: Row) => Rank> = {
    id: ({ token }) => token,
    name: text(({ name }) => name),
    email: text(({ email }) => email),
    role: text(({ role }) => role),
    status: ({ member }) => member.status,
    createdAt: ({ token }) => profileIn(tables, token).createdAt ?? 0,
  };
  for (const quota of quotas.keys())
    ranks[`consumed:${quota}`] = ({ token }) =>
      numberIn(tables, `consumed:${cycle.start}`, lineOf(quota, 'user', token));
  return ranks;
}

async function addUser(admin: Admin, act: Act, token: string, user: Static<typeof NewUser>): Promise<void> {
  const { id, name = '', email = '', role = '', status = 'active', groups = [] } = user;
  const add = (book: OrgBook): Step<undefined> => {
    if (memberIn(book.tables, token) !== undefined)
      throw new ProblemError('already-exists', `The user ${id} exists; if removed, change the status`);
    const member: Member = { status, groups: membershipsIn(book.tables, groups) };
    const profile = profileText({ name, email, role, createdAt: book.now });
    const changes: Change[] = [
      ...seatChange(book, undefined, status),
      { set: 'members', field: token, value: encodeMember(member) },
      { set: 'records', field: profileField(token), value: profile },
    ];
    const to = { name, email, role, status, groups };
    return { changes, deed: { action: 'user.add', subject: `user:${id}`, to }, answer: undefined };
  };
  await changeOrg(admin, act, add, () => userWants(token, groups));
}

function profileText({ name, email, role, createdAt }: Profile): string {
  return JSON.stringify({ name, email, role, createdAt });
}

function membershipsIn(tables: Tables, groups: readonly string[]): Member['groups'] {
  return groups.map((id) => {
    const group = groupIn(tables, id);
    if (group === undefined) throw invalid('groups', `there is no group ${id}`);
    return { group: id, generation: group.generation };
  });
}

/** A seat is taken by becoming active, and given back by ceasing to be. */
function seatChange(book: OrgBook, before: UserStatus | undefined, after: UserStatus): Change[] {
  const by = Number(after === 'active') - Number(before === 'active');
  if (by > 0 && book.seats !== undefined && book.seatsUsed >= book.seats)
    throw new ProblemError('seats-taken', `All ${book.seats} seats are taken`);
  return by === 0 ? [] : [{ incr: 'org', field: 'seatsUsed', by }];
}

async function patchUser(admin: Admin, act: Act, user: string, patch: UserPatch): Promise<void> {
  const token = tokenOfPath(user);
  const change = (book: OrgBook): Step<undefined> => {
    const { tables } = book;
    const before = memberIn(tables, token);
    if (before === undefined) throw notFound(`user ${user}`);
    checkMatch(act.ifMatch, etagOfUser(tables, token, before));
    const profile = profileIn(tables, token);
    const after: Member = {
      status: patch.status ?? before.status,
      groups: patch.groups === undefined ? before.groups : membershipsIn(tables, patch.groups),
    };
    const { name = profile.name, email = profile.email, role = profile.role } = patch;
    const changed = { ...profile, name, email, role };
    const changes = [...memberChange(token, before, after), ...profileChange(token, profile, changed)];
    if (changes.length === 0) return UNCHANGED;
    changes.push(...seatChange(book, before.status, after.status));
    const [from, to] = [told(before, profile), told(after, changed)];
    return { changes, deed: { action: 'user.change', subject: `user:${user}`, from, to }, answer: undefined };
  };
  await changeOrg(admin, act, change, () => userWants(token, patch.groups ?? []));
}

function profileChange(token: string, before: Profile, after: Profile): Change[] {
  const value = profileText(after);
  return value === profileText(before) ? [] : [{ set: 'records', field: profileField(token), value }];
}

function told({ status, groups }: Member, { name, email, role }: Profile) {
  return { name, email, role, status, groups: groups.map(({ group }) => group) };
}
