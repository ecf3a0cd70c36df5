/** The org as a file states it. */
import { decodeGroup, decodeLimit } from '../../ledger/codec.js';
import { parseLine, quotaOf } from '../../ledger/view/limit-lines.js';
import { fieldsOf, type OrgView } from '../../ledger/view/org-view.js';
import { userIdOf } from '../../quota/id.js';
import type { Limit } from '../../quota/limit.js';
import type { Quotas } from '../../quota/units.js';
import { capOut } from '../limits/limit-view.js';
import { liveMember, memberIn } from '../users/members.js';
import { profileIn } from '../users/profile.js';
import { snapshot } from '../users/routes.js';
import type { ExportedOrg, StatedOrg } from './schemas.js';
import { exportedNotices } from './stated-notices.js';
import { exportedPlan } from './stated-plans.js';

/** `tables`: those of `TABLES`, whole. */
export function exported(view: OrgView): ExportedOrg {
  const { tables, quotas, pools, name, seats, rule, cycle } = view;
  const sorted = (table: 'groups' | 'members' | 'limits') =>
    [...fieldsOf(tables, table)].sort(([a], [b]) => (a < b ? -1 : 1));
  const plans = [...pools].map(
    ([quota, pool]) => [quota, exportedPlan(pool, quotaOf(view, quota), cycle)] as const,
  );
  const groups = sorted('groups')
    .filter(([, text]) => decodeGroup(text).alive)
    .map(([id, text]) => [id, { name: decodeGroup(text).name }] as const);
  const users = sorted('members').flatMap(([userKey]) => {
    const member = memberIn(tables, userKey);
    if (member === undefined || member.status === 'removed') return [];
    return [[userIdOf(userKey), snapshot(liveMember(tables, member), profileIn(tables, userKey))] as const];
  });
  const limits = sorted('limits').flatMap(([field, text]) => limitOut(quotas, field, decodeLimit(text)));
  return {
    name,
    seats: seats ?? null,
    cycle: { ...rule },
    plans: Object.fromEntries(plans),
    groups: Object.fromEntries(groups),
    users: Object.fromEntries(users),
    limits,
    notices: exportedNotices(fieldsOf(tables, 'notices')),
  };
}

function limitOut(quotas: Quotas, field: string, limit: Limit): NonNullable<StatedOrg['limits']> {
  const line = parseLine(field);
  const definition = quotas.get(line?.quota ?? '');
  if (line === undefined || definition === undefined) return [];
  const { offset, ...cap } = { offset: 0, ...capOut(limit, definition) };
  const subject = line.scope === 'user' ? { user: userIdOf(line.subject) } : { group: line.subject };
  return [{ ...subject, quota: line.quota, ...cap, ...(limit.shadow ? { shadow: true } : {}) }];
}
