/** Which limits apply to a user's request, which of them binds, and why. */
import Type from 'typebox';
import { decodeMember } from '../../ledger/codec.js';
import { capNow, figuresOf, limitIn, standingOf } from '../../ledger/view/limit-lines.js';
import { type OrgView, readOrg, textIn } from '../../ledger/view/org-view.js';
import { lineOf, type Scope, userKeyOf } from '../../quota/id.js';
import { formatUnits } from '../../quota/units.js';
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

interface Subject {
  readonly scope: Scope;
  readonly id: string;
  readonly key: string;
}

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
  const subjects: Subject[] = [
    { scope: 'user', id: user, key },
    ...groups.map((group): Subject => ({ scope: 'group', id: group, key: group })),
    { scope: 'org', id: org, key: '' },
  ];
  const fields = quotas.flatMap((quota) => subjects.map(({ scope, key: own }) => lineOf(quota, scope, own)));
  const view = await readOrg(admin, org, (start) => [
    { table: 'limits', fields },
    { table: `consumed:${start}`, fields },
    { table: `held:${start}`, fields },
  ]);
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
  const limits = subjects.flatMap((subject) => limitOf(view, subject, quota));
  const hard = limits.filter(({ mode }) => mode === 'hard');
  const [first, ...others] = hard;
  const binding =
    first && others.reduce((least, one) => (one.remaining < least.remaining ? one : least), first);
  const hasPlan = view.pools.has(quota);
  const blocked = !hasPlan || binding?.remaining === 0;
  return { quota, blocked, binding: binding ?? null, why: whyOf(binding, hasPlan), limits };
}

type Explained = ReturnType<typeof limitOf>[number];

function whyOf(binding: Explained | undefined, hasPlan: boolean): string {
  if (!hasPlan) return 'the org has no plan for this quota';
  if (binding === undefined) return 'no hard limit applies';
  const { scope, subject, remaining } = binding;
  const whose = scope === 'org' ? 'the pool of the org' : `the limit of ${scope} ${subject}`;
  return remaining === 0 ? `${whose} is used up` : `${whose} has the least remaining: ${remaining}`;
}

function limitOf(view: OrgView, { scope, id, key }: Subject, quota: string) {
  const field = lineOf(quota, scope, key);
  const cap = scope === 'org' ? poolCap(view, quota) : limitCap(view, quota, field);
  if (cap === undefined) return [];
  const found = figuresOf(view, field);
  const held = found.held + (scope === 'org' ? (view.pools.get(quota)?.carried ?? 0) : 0);
  const standing = standingOf(cap.units, { consumed: found.consumed, held }, cap.mode !== 'hard');
  const { decimals } = view.quotas.get(quota) ?? { decimals: 0 };
  const shown = (units: number): number => formatUnits(units, decimals);
  return [
    {
      scope,
      subject: id,
      mode: cap.mode,
      limit: shown(cap.units),
      consumed: shown(standing.consumed),
      held: shown(standing.held),
      remaining: shown(standing.remaining),
    },
  ];
}

interface Cap {
  readonly units: number;
  readonly mode: 'hard' | 'soft' | 'shadow';
}

function poolCap(view: OrgView, quota: string): Cap | undefined {
  const pool = view.pools.get(quota);
  return pool === undefined ? undefined : { units: pool.units, mode: pool.plan.mode };
}

function limitCap(view: OrgView, quota: string, field: string): Cap | undefined {
  const limit = limitIn(view.tables, field);
  if (limit === undefined) return undefined;
  return { units: capNow(view, quota, limit), mode: limit.shadow ? 'shadow' : 'hard' };
}
