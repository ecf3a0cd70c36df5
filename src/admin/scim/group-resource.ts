/** A group as SCIM shows it. */
import type { Group } from '../../ledger/codec.js';
import { etagOfGroup } from '../groups/group-view.js';
import { URN } from './attributes.js';
import { scimIdOf } from './ids.js';
import type { Resource } from './projection.js';
import { pathOf } from './user-resource.js';

export interface ShownGroup {
  readonly id: string;
  readonly group: Group;
  /** User keys; undefined: not shown. */
  readonly members: readonly string[] | undefined;
}

export function groupResource(org: string, { id, group, members }: ShownGroup): Resource {
  return {
    schemas: [URN.group],
    id,
    ...(group.externalId === undefined ? {} : { externalId: group.externalId }),
    displayName: group.name,
    ...(members === undefined ? {} : { members: members.map((userKey) => memberOf(org, userKey)) }),
    meta: {
      resourceType: 'Group',
      location: `${pathOf(org)}/Groups/${id}`,
      version: `W/${etagOfGroup(id, group)}`,
    },
  };
}

function memberOf(org: string, userKey: string) {
  const value = scimIdOf(userKey);
  return { value, $ref: `${pathOf(org)}/Users/${encodeURIComponent(value)}`, type: 'User' };
}
