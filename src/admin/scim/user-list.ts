/** Lists of users. A filter by id, `userName` or `externalId` reads that user; others go through a copy of all. */
import { decodeMember } from '../../ledger/codec.js';
import { fieldsOf, readOrg, textIn } from '../../ledger/view/org-view.js';
import { userKeyOf } from '../../quota/id.js';
import type { Admin } from '../admin.js';
import { memberIn } from '../users/members.js';
import { filterOf, type ScimFilter } from './filter.js';
import { userKeyOfScim } from './ids.js';
import { type ListAnswer, type ListQuery, listOf, sorted } from './list.js';
import { projectionOf, type Resource } from './projection.js';
import { nameFields } from './user-record.js';
import { userResource } from './user-resource.js';
import { findUser } from './users.js';

export async function listUsers(admin: Admin, org: string, query: ListQuery): Promise<ListAnswer> {
  const projection = projectionOf('User', query);
  const filter = query.filter === undefined ? undefined : filterOf('User', query.filter);
  const accepts = (user: Resource): boolean => filter?.matches(user) ?? true;
  const named = filter === undefined ? undefined : await namedUsers(admin, org, filter);
  if (named !== undefined) {
    const found = await Promise.all(named.map((userKey) => findUser(admin, org, userKey)));
    const rows = found.filter((user) => user !== undefined);
    return listOf({ rows, accept: accepts, show: (user) => user }, query, projection);
  }
  const { rows, show, isLive } = await allUsers(admin, org);
  const accept = (userKey: string): boolean =>
    isLive(userKey) && (filter === undefined || filter.matches(show(userKey)));
  return listOf({ rows, accept, show }, query, projection);
}

async function allUsers(admin: Admin, org: string) {
  const { scimUserId: attribute } = admin;
  await readOrg(admin, org);
  const { tables } = await admin.snapshots.tables(org, ['members', 'records', 'groups']);
  const members = fieldsOf(tables, 'members');
  const memberOf = (userKey: string) => decodeMember(members.get(userKey) ?? '');
  return {
    rows: await sorted(members.keys()),
    isLive: (userKey: string) => memberOf(userKey).status !== 'removed',
    show: (userKey: string) =>
      userResource({ id: org, tables }, { userKey, member: memberOf(userKey), attribute }),
  };
}

/** The users that the filter can match, where it names one; undefined: it names none. */
async function namedUsers(admin: Admin, org: string, { equal }: ScimFilter): Promise<string[] | undefined> {
  const { scimUserId: attribute } = admin;
  const id = equal('id');
  if (id !== undefined) return [userKeyOfScim(id)].filter((userKey) => userKey !== undefined);
  const [userName, externalId] = [equal('userName'), equal('externalId')];
  if (userName === undefined && externalId === undefined) return undefined;
  const fields = nameFields({
    ...(userName === undefined ? {} : { userName }),
    ...(externalId === undefined ? {} : { externalId }),
  });
  // Users whom SCIM did not create are in no index: their id is the name.
  const stated = attribute === 'userName' ? userName : externalId;
  const ids =
    stated === undefined ? [] : [stated, ...(attribute === 'userName' ? [stated.toLowerCase()] : [])];
  const keys = ids.map(userKeyOf).filter((userKey) => userKey !== undefined);
  const { tables } = await readOrg(admin, org, [
    { table: 'records', fields },
    { table: 'members', fields: keys },
  ]);
  const indexed = fields.map((field) => textIn(tables, 'records', field));
  const present = keys.filter((userKey) => memberIn(tables, userKey) !== undefined);
  return [...new Set([...indexed.filter((userKey) => userKey !== undefined), ...present])];
}
