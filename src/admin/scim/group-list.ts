/** Groups, one and many. Members are looked for only where the answer shows them or the filter needs them. */
import { setImmediate as turn } from 'node:timers/promises';
import { decodeGroup, decodeMember, type Group } from '../../ledger/codec.js';
import { fieldsOf, readOrg } from '../../ledger/view/org-view.js';
import type { Admin } from '../admin.js';
import { present } from '../groups/group-view.js';
import { memberIn } from '../users/members.js';
import { filterOf, type ScimFilter } from './filter.js';
import { groupResource } from './group-resource.js';
import { userKeyOfScim } from './ids.js';
import { type ListAnswer, type ListQuery, listOf, sorted } from './list.js';
import { type Projection, projectionOf, type Resource } from './projection.js';

type MembersOf = (id: string, group: Group) => readonly string[] | undefined;

export async function readGroup(
  admin: Admin,
  org: string,
  { id, projection }: { readonly id: string; readonly projection: Projection },
): Promise<Resource> {
  const { tables } = await readOrg(admin, org, [{ table: 'groups', fields: [id] }]);
  const group = present(tables, id);
  const membersOf = projection.has('members') ? await allMembers(admin, org) : NOT_SHOWN;
  return projection.apply(groupResource(org, { id, group, members: membersOf(id, group) }));
}

const NOT_SHOWN: MembersOf = () => undefined;

export async function listGroups(admin: Admin, org: string, query: ListQuery): Promise<ListAnswer> {
  const projection = projectionOf('Group', query);
  const filter = query.filter === undefined ? undefined : filterOf('Group', query.filter);
  await readOrg(admin, org);
  const { tables } = await admin.snapshots.tables(org, ['groups']);
  const groups = fieldsOf(tables, 'groups');
  const membersOf = await neededMembers(admin, org, { filter, projection });
  const groupOf = (id: string): Group => decodeGroup(groups.get(id) ?? '0;{}');
  const show = (id: string): Resource => {
    const group = groupOf(id);
    return groupResource(org, { id, group, members: membersOf(id, group) });
  };
  const accept = (id: string): boolean =>
    groupOf(id).alive && (filter === undefined || filter.matches(show(id)));
  return listOf({ rows: await sorted(groups.keys()), accept, show }, query, projection);
}

interface Needed {
  readonly filter: ScimFilter | undefined;
  readonly projection: Projection;
}

async function neededMembers(admin: Admin, org: string, { filter, projection }: Needed): Promise<MembersOf> {
  if (projection.has('members')) return allMembers(admin, org);
  if (filter === undefined || !filter.names('members')) return NOT_SHOWN;
  const id = filter.equal('members.value') ?? filter.equal('members');
  const userKey = id === undefined ? undefined : userKeyOfScim(id);
  return userKey === undefined ? allMembers(admin, org) : groupsOf(admin, org, userKey);
}

/** One user in their groups: enough for a filter that names them. */
async function groupsOf(admin: Admin, org: string, userKey: string): Promise<MembersOf> {
  const { tables } = await readOrg(admin, org, [{ table: 'members', fields: [userKey] }]);
  const member = memberIn(tables, userKey);
  const keys = new Set(
    member?.status === 'removed'
      ? []
      : member?.groups.map(({ group, generation }) => `${group}#${generation}`),
  );
  return (id, { generation }) => (keys.has(`${id}#${generation}`) ? [userKey] : []);
}

/** Users processed before the event loop, shared with the gateway, gets its turn. */
const USERS_A_TURN = 500;

async function allMembers(admin: Admin, org: string): Promise<MembersOf> {
  const { tables } = await admin.snapshots.tables(org, ['members']);
  const found = new Map<string, string[]>();
  let seen = 0;
  for (const [userKey, text] of fieldsOf(tables, 'members')) {
    seen += 1;
    if (seen % USERS_A_TURN === 0) await turn();
    const { status, groups } = decodeMember(text);
    if (status === 'removed') continue;
    for (const { group, generation } of groups) {
      const key = `${group}#${generation}`;
      const some = found.get(key);
      if (some === undefined) found.set(key, [userKey]);
      else some.push(userKey);
    }
  }
  return (id, { generation }) => (found.get(`${id}#${generation}`) ?? []).sort();
}
