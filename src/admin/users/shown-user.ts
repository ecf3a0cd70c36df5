/** What is read to show one user. */
import type { Member } from '../../ledger/codec.js';
import type { Want } from '../../ledger/port.js';
import type { OrgView } from '../../ledger/view/org-view.js';
import { lineOf, userIdOf } from '../../quota/id.js';
import type { Admin } from '../admin.js';
import { notFound } from '../http/problems.js';
import { memberIn } from './members.js';
import { profileField } from './profile.js';
import { userView } from './user-view.js';

/** What to read to show a user in these groups. */
export function shownUser(admin: Admin, userKey: string, memberships: Member['groups']) {
  const groups = memberships.map(({ group }) => group);
  return {
    wants: (start: number): Want[] => [
      ...userWants(userKey, groups),
      ...lineWants(admin, start, { userKey, groups }),
    ],
    show: (view: OrgView) => {
      const member = memberIn(view.tables, userKey);
      if (member === undefined) throw notFound(`user ${userIdOf(userKey)}`);
      return userView(view, userKey, member);
    },
  };
}

export function userWants(userKey: string, groups: readonly string[]): Want[] {
  return [
    { table: 'members', fields: [userKey] },
    { table: 'records', fields: [profileField(userKey)] },
    { table: 'groups', fields: groups },
  ];
}

interface Subjects {
  readonly userKey: string;
  readonly groups: readonly string[];
}

/** Limits and figures of the user, their groups and the org, for every quota. */
function lineWants({ quotas }: Admin, start: number, { userKey, groups }: Subjects): Want[] {
  const fields = [...quotas.keys()].flatMap((quota) => [
    lineOf(quota, 'user', userKey),
    ...groups.map((group) => lineOf(quota, 'group', group)),
    lineOf(quota, 'org', ''),
  ]);
  return [
    { table: 'limits', fields },
    { table: `consumed:${start}`, fields },
    { table: `held:${start}`, fields },
  ];
}
