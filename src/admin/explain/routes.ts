/** Which limits apply to a user's request, which of them binds, and why. */
import Type from 'typebox';
import { decodeMember } from '../../ledger/codec.js';
import {
  type AppliedLimit,
  appliedLimits,
  appliedWants,
  type Subject,
  subjectsOf,
} from '../../ledger/view/applied-limits.js';
import { type OrgView, readOrg, textIn } from '../../ledger/view/org-view.js';
import { userKeyOf } from '../../quota/id.js';
import { READERS } from '../access/roles.js';
import type { Admin } from '../admin.js';
import { endpoint, type MembersOf, ok } from '../http/endpoint.js';
import { invalid, notFound } from '../http/problems.js';
import { Id, Name } from '../http/validate.js';
import { Explanation } from './schemas.js';

const Query = { user: Id, action: Type.Optional(Name) };
type Query = MembersOf<typeof Query>;

export const EXPLAIN_ENDPOINTS = [
  endpoint({
    id: 'explain',
    method: 'GET',
    path: '/orgs/:org/explain',
    summary: 'Which limits apply to a user, which one binds, and why',
    roles: READERS,
    query: Query,
    answers: { 200: Explanation },
    handle: async (admin, { params, query }) => ok(await explain(admin, params.org, query)),
  }),
];

async function explain(admin: Admin, org: string, { user, action }: Query) {
  const key = userKeyOf(user);
  if (key === undefined) throw invalid('user', 'is not a user id');
  const quotas = action === undefined ? [...admin.quotas.keys()] : admin.quotasOf(action);
  if (quotas === undefined) throw invalid('action', `no route has the action ${JSON.stringify(action)}`);
  const directory = await readOrg(admin, org, [{ table: 'members', fields: [key] }]);
  const text = textIn(directory.tables, 'members', key);
  if (text === undefined) throw notFound(`User ${user}`);
  const member = decodeMember(text);
  const groups = member.groups.map(({ group }) => group);
  const subjects = subjectsOf({ org, id: user, key, groups });
  const view = await readOrg(admin, org, appliedWants(quotas, subjects));
  const explained = quotas.map((quota) => explainQuota(view, quota, subjects));
  return {
    user,
    status: member.status,
    groups,
    action: action ?? null,
    blocked: explained.some(({ blocked }) => blocked),
    quotas: explained,
  };
}

function explainQuota(view: OrgView, quota: string, subjects: readonly Subject[]) {
  const limits = appliedLimits(view, quota, subjects).map(({ shown }) => shown);
  const hard = limits.filter(({ mode }) => mode === 'hard');
  const [first, ...others] = hard;
  const binding =
    first && others.reduce((least, one) => (one.remaining < least.remaining ? one : least), first);
  const hasPlan = view.pools.has(quota);
  const blocked = !hasPlan || binding?.remaining === 0;
  return { quota, blocked, binding: binding ?? null, why: whyOf(binding, hasPlan), limits };
}

type Explained = AppliedLimit['shown'];

function whyOf(binding: Explained | undefined, hasPlan: boolean): string {
  if (!hasPlan) return 'the org has no plan for this quota';
  if (binding === undefined) return 'no hard limit applies';
  const { scope, subject, remaining } = binding;
  const whose = scope === 'org' ? 'the pool of the org' : `the limit of ${scope} ${subject}`;
  return remaining === 0 ? `${whose} is used up` : `${whose} has the least remaining: ${remaining}`;
}
