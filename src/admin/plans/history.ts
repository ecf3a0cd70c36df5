/** The history of a plan: its changes and top-ups, with who and why. Kept as long as the history of usage at the most. */
import Type from 'typebox';
import { decodePlan, encodePlan } from '../../ledger/codec.js';
import type { Change } from '../../ledger/port.js';
import { scanAll } from '../../ledger/scan-all.js';
import { instant, quotaOf } from '../../ledger/view/limit-lines.js';
import { type OrgView, readOrg } from '../../ledger/view/org-view.js';
import type { Plan } from '../../quota/limit.js';
import { formatUnits } from '../../quota/units.js';
import { READERS } from '../access/roles.js';
import type { Admin } from '../admin.js';
import { endpoint, type MembersOf, ok } from '../http/endpoint.js';
import { pageOf } from '../http/paging.js';
import { notFound } from '../http/problems.js';
import { Paging } from '../http/validate.js';
import { newId } from '../tokens/secrets.js';
import type { WriteContext } from '../writes/change.js';
import { PlanChangeList } from './schemas.js';

const Query = { ...Paging, kind: Type.Optional(Type.Enum(['plan', 'extra'])) };
type Query = MembersOf<typeof Query>;

export const PLAN_HISTORY_ENDPOINTS = [
  endpoint({
    id: 'listPlanChanges',
    method: 'GET',
    path: '/orgs/:org/plans/:quota/history',
    summary: 'List the changes and top-ups of a plan, newest first',
    roles: READERS,
    query: Query,
    answers: { 200: PlanChangeList },
    handle: async (admin, { params, query }) => ok(await listChanges(admin, params, query)),
  }),
];

interface Entry {
  readonly at: number;
  readonly who: string;
  readonly reason: string;
  /** The plan, or units added to the extra balance. */
  readonly plan?: string;
  readonly units?: number;
  /** When a plan begins: at once, or with the cycle that begins then. */
  readonly begins: number;
}

const PLANS = 'plans';

function entryChange(quota: string, entry: Entry): Change {
  const field = `${quota}:${entry.at}:${newId()}`;
  return { set: PLANS, field, value: `${entry.at}|${JSON.stringify(entry)}` };
}

export interface NewPlan {
  readonly quota: string;
  readonly plan: Plan;
  readonly begins: number;
}

export function planEntry(
  { now }: Pick<OrgView, 'now'>,
  { who, reason = '' }: Pick<WriteContext, 'who' | 'reason'>,
  { quota, plan, begins }: NewPlan,
): Change {
  return entryChange(quota, { at: now, who, reason, plan: encodePlan(plan), begins });
}

interface TopUp {
  readonly quota: string;
  readonly units: number;
}

export function extraEntry({ now }: OrgView, context: WriteContext, { quota, units }: TopUp): Change {
  const { who, reason = '' } = context;
  return entryChange(quota, { at: now, who, reason, units, begins: now });
}

async function listChanges(admin: Admin, { org, quota }: { org: string; quota: string }, query: Query) {
  if (!admin.quotas.has(quota)) throw notFound(`quota ${quota}`);
  const view = await readOrg(admin, org);
  const rows = [...(await scanAll(admin.ledger, org, PLANS))].map(([id, text]) => {
    return { id, entry: JSON.parse(text.slice(text.indexOf('|') + 1)) as Entry };
  });
  const page = await pageOf(
    {
      rows,
      id: ({ id }) => id,
      accept: ({ id, entry }) => {
        const kind = entry.plan === undefined ? 'extra' : 'plan';
        return id.startsWith(`${quota}:`) && (query.kind === undefined || query.kind === kind);
      },
      ranks: { newest: ({ entry }) => -entry.at, oldest: ({ entry }) => entry.at },
    },
    query,
  );
  return { items: page.rows.map(({ entry }) => entryOut(view, quota, entry)), cursor: page.cursor };
}

function entryOut(view: OrgView, quota: string, { at, who, reason, plan, units = 0, begins }: Entry) {
  const out = (amount: number): number => formatUnits(amount, quotaOf(view, quota).decimals);
  const common = { at: instant(at), who, reason };
  if (plan === undefined) return { kind: 'extra' as const, units: out(units), ...common };
  const { allowance, mode } = decodePlan(plan);
  return { kind: 'plan' as const, allowance: out(allowance), mode, begins: instant(begins), ...common };
}
