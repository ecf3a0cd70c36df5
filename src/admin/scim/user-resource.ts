/** A user as SCIM shows it. */
import { decodeGroup, encodeMember, type Member } from '../../ledger/codec.js';
import type { Want } from '../../ledger/port.js';
import { instant } from '../../ledger/view/limit-lines.js';
import { type OrgView, type Tables, textIn } from '../../ledger/view/org-view.js';
import { etagOf } from '../http/etag.js';
import { liveMember } from '../users/members.js';
import { type Profile, profileField, profileIn } from '../users/profile.js';
import { userWants } from '../users/shown-user.js';
import { URN } from './attributes.js';
import { scimIdOf } from './ids.js';
import type { Resource } from './projection.js';
import {
  ID_ATTRIBUTE_FIELD,
  recordField,
  recordIn,
  type ScimRecord,
  type UserIdAttribute,
} from './user-record.js';

export function pathOf(org: string): string {
  return `/v1/orgs/${org}/scim/v2`;
}

export function scimUserWants(userKey: string, groups: readonly string[]): Want[] {
  return [
    ...userWants(userKey, groups),
    { table: 'records', fields: [recordField(userKey), ID_ATTRIBUTE_FIELD] },
  ];
}

export function etagOfScimUser(tables: Tables, userKey: string, member: Member): string {
  const texts = [profileField(userKey), recordField(userKey)].map((field) =>
    textIn(tables, 'records', field),
  );
  return etagOf('scim-user', userKey, encodeMember(member), ...texts);
}

export interface ShownUser {
  readonly userKey: string;
  readonly member: Member;
  readonly attribute: UserIdAttribute;
}

export function userResource(
  { id: org, tables }: Pick<OrgView, 'id' | 'tables'>,
  { userKey, member, attribute }: ShownUser,
): Resource {
  const id = scimIdOf(userKey);
  const profile = profileIn(tables, userKey);
  const record = recordIn(tables, userKey, attribute);
  const { createdAt } = profile;
  return {
    schemas: [URN.user],
    id,
    ...(record.externalId === undefined ? {} : { externalId: record.externalId }),
    ...attributesOf(member, profile, record),
    groups: groupsOf(org, tables, member),
    meta: {
      resourceType: 'User',
      ...(createdAt === undefined ? {} : { created: instant(createdAt) }),
      location: `${pathOf(org)}/Users/${encodeURIComponent(id)}`,
      version: `W/${etagOfScimUser(tables, userKey, member)}`,
    },
  };
}

function attributesOf(member: Member, { name, email, role }: Profile, record: ScimRecord): Resource {
  const { userName, formatted, givenName, familyName, emailType = 'work' } = record;
  const parts = Object.entries({ formatted, familyName, givenName }).filter(([, part]) => part !== undefined);
  return {
    userName,
    ...(parts.length === 0 ? {} : { name: Object.fromEntries(parts) }),
    ...(name === '' ? {} : { displayName: name }),
    active: member.status === 'active' || member.status === 'invited',
    ...(email === '' ? {} : { emails: [{ value: email, type: emailType, primary: true }] }),
    ...(role === '' ? {} : { roles: [{ value: role, primary: true }] }),
  };
}

function groupsOf(org: string, tables: Tables, member: Member) {
  return liveMember(tables, member).groups.map(({ group }) => {
    const text = textIn(tables, 'groups', group);
    const display = text === undefined ? group : decodeGroup(text).name;
    return { value: group, display, $ref: `${pathOf(org)}/Groups/${group}` };
  });
}
