/**
 * Corrections of what a user consumed in the present cycle, in both directions, with a reason. The ledger decides: all counters of the
 * charge change, or none, and none goes below 0. The history has them under the action `adjustment`.
 */
import Type, { type Static } from 'typebox';
import { ProblemError } from '../../errors/catalogue.js';
import { ADJUSTMENT } from '../../history/names.js';
import type { Adjusted, Reply, Want } from '../../ledger/port.js';
import {
  figuresOf,
  instant,
  limitIn,
  limitStanding,
  lineTo,
  standingOf,
} from '../../ledger/view/limit-lines.js';
import { type OrgView, readOrg } from '../../ledger/view/org-view.js';
import { GROUPS_MAX } from '../../quota/charge.js';
import { type Scope, userKeyOf } from '../../quota/id.js';
import { formatUnits, type QuotaDefinition } from '../../quota/units.js';
import { MANAGERS } from '../access/roles.js';
import type { Admin } from '../admin.js';
import { groupIn } from '../groups/group-view.js';
import { definitionOf, unitsIn } from '../http/amounts.js';
import { endpoint, ok } from '../http/endpoint.js';
import { invalid } from '../http/problems.js';
import { DryRun, Id, members, Name, words } from '../http/validate.js';
import { liveMember, memberIn } from '../users/members.js';
import { auditText, type WriteContext, writeContext } from '../writes/change.js';
import { ofRepetition } from '../writes/idempotency.js';
import { Adjustment, AdjustmentPreview } from './schemas.js';

const Body = members({
  user: Id,
  quota: Name,
  units: Type.Number({ description: 'Added to what is consumed; negative: taken off' }),
  groups: Type.Optional(
    Type.Array(Name, {
      maxItems: GROUPS_MAX,
      description:
        'Groups whose combined consumption changes too. Left out: the groups that the user is in now',
    }),
  ),
  reason: words(500, 1),
});
type Body = Static<typeof Body>;

const adjust = endpoint({
  id: 'adjust',
  method: 'POST',
  path: '/orgs/:org/adjustments',
  summary: 'Correct what a user consumed in this cycle; with dryRun, say what the correction would block',
  roles: MANAGERS,
  query: DryRun,
  body: Body,
  example: { user: 'ann', quota: 'usage', units: 10, reason: 'calls made past the gateway' },
  answers: { 200: AdjustmentPreview, 201: Adjustment },
  handle: async (admin, request) => {
    const { body, query } = request;
    const context = writeContext(request, body.reason);
    const correction = correctionIn(admin, body);
    if (query.dryRun === true) return ok(await preview(admin, context.org, correction));
    const made = await admin.mutex.runOnce(context, () => correct(admin, context, correction));
    return { status: 201, body: made } as const;
  },
});

export const ADJUSTMENT_ENDPOINTS = [adjust];

interface Correction {
  readonly body: Body;
  readonly userKey: string;
  readonly definition: QuotaDefinition;
  /** Internal units, of either sign. */
  readonly units: number;
  /** Undefined: those that the user is in now. */
  readonly groups: readonly string[] | undefined;
}

function correctionIn({ quotas }: Admin, body: Body): Correction {
  const definition = definitionOf(quotas, body.quota, 'quota');
  const userKey = userKeyOf(body.user);
  if (userKey === undefined) throw invalid('user', 'must be at most 256 bytes of valid Unicode');
  const amount = unitsIn(Math.abs(body.units), definition, 'units');
  if (amount === 0) throw invalid('units', 'must not be 0');
  const groups = body.groups === undefined ? undefined : [...new Set(body.groups)];
  return { body, userKey, definition, groups, units: body.units < 0 ? -amount : amount };
}

function readsOf({ userKey, groups = [] }: Correction): Want[] {
  return [
    { table: 'members', fields: [userKey] },
    { table: 'groups', fields: groups },
  ];
}

function check(view: OrgView, { body, userKey, groups = [] }: Correction): void {
  if (!view.open) throw new ProblemError('org-archived', `The org ${view.id} is archived`);
  if (memberIn(view.tables, userKey) === undefined) throw invalid('user', `user ${body.user} not found`);
  if (!view.pools.has(body.quota)) throw invalid('quota', `the org has no plan for ${body.quota}`);
  const unknown = groups.find((group) => groupIn(view.tables, group) === undefined);
  if (unknown !== undefined) throw invalid('groups', `group ${unknown} not found`);
}

const TRIES_MAX = 3;

async function correct(admin: Admin, context: WriteContext, correction: Correction) {
  for (let attempt = 0; attempt < TRIES_MAX; attempt += 1) {
    const view = await readOrg(admin, context.org, readsOf(correction));
    check(view, correction);
    const reply = await apply(admin, { view, context, correction });
    admin.snapshots.forget(context.org);
    const [result] = reply.results;
    // Another answer: the cycle ended between reading and correcting.
    if (reply.code !== 'ok' || result?.status !== 'adjusted') continue;
    if (reply.replayed) ofRepetition(context.once, result.mark);
    checkOutcome(result, correction);
    const { body, definition } = correction;
    const out = (units: number): number => formatUnits(units, definition.decimals);
    return {
      user: body.user,
      quota: body.quota,
      units: body.units,
      groups: listOf(result.groups),
      consumed: out(result.consumed),
      orgConsumed: out(result.orgConsumed),
      at: instant(reply.now),
      reason: body.reason,
    };
  }
  throw new ProblemError('store-busy', 'the cycle changed several times during the request, try again');
}

interface Asked {
  readonly view: OrgView;
  readonly context: WriteContext;
  readonly correction: Correction;
}

/** A repeated request is a repeated call: the ledger keeps the first answer for a day, in the step of its effect. */
function apply({ ledger }: Admin, { view, context, correction }: Asked): Promise<Reply> {
  const { userKey, units, groups, body } = correction;
  const { once } = context;
  const auditEvent = {
    action: 'adjustment',
    subject: `user:${body.user}`,
    to: { quota: body.quota, units: body.units, ...(groups === undefined ? {} : { groups }) },
  };
  return ledger.apply({
    org: view.id,
    epoch: view.epoch,
    producer: once === undefined ? '' : `once-${once.field}`,
    seq: once === undefined ? 0 : 1,
    ruleVersion: view.ruleVersion,
    cycles: [view.cycle],
    unknownUsers: 'deny',
    expireMost: 0,
    ops: [
      {
        kind: 'adjust',
        user: userKey,
        quota: body.quota,
        units,
        groups: groups?.join(','),
        action: ADJUSTMENT,
        mark: once?.fingerprint ?? '',
        audit: auditText(view.now, context, auditEvent),
      },
    ],
  });
}

function checkOutcome({ outcome, at }: Adjusted, { body }: Correction): void {
  if (outcome === 'corrected') return;
  if (outcome === 'too-large') throw invalid('units', 'is too large together with what is consumed');
  const { scope = 'user', group = '' } = at ?? {};
  const whose = scope === 'group' ? `group ${group}` : scope === 'org' ? 'the org' : `user ${body.user}`;
  throw invalid('units', `would take what ${whose} consumed in this cycle below 0`);
}

function listOf(groups: string): string[] {
  return groups === '' ? [] : groups.split(',');
}

interface Subject {
  readonly scope: Scope;
  readonly id: string;
  readonly key: string;
}

/** The effect of a correction: the figures after it, and whose limits would have nothing left. */
async function preview(admin: Admin, org: string, correction: Correction) {
  const { body, userKey, units, definition } = correction;
  const first = await readOrg(admin, org, readsOf(correction));
  check(first, correction);
  const member = memberIn(first.tables, userKey);
  const own = member?.groups.map(({ group }) => group) ?? [];
  const named = await readOrg(admin, org, [{ table: 'groups', fields: own }]);
  const live = member === undefined ? [] : liveMember(named.tables, member).groups;
  const groups = correction.groups ?? live.map(({ group }) => group);
  const subjects: Subject[] = [
    { scope: 'user', id: body.user, key: userKey },
    ...groups.map((group): Subject => ({ scope: 'group', id: group, key: group })),
    { scope: 'org', id: org, key: '' },
  ];
  const fields = subjects.map(({ scope, key }) => lineTo(body.quota, scope, key).field);
  const view = await readOrg(admin, org, (start) => [
    { table: 'limits', fields },
    { table: `consumed:${start}`, fields },
    { table: `held:${start}`, fields },
  ]);
  const after = subjects.map((subject) => effectOn(view, subject, correction));
  const blocked = after.filter((one) => one.blocked).map(({ scope, id }) => ({ scope, id }));
  const out = (index: number): number => formatUnits(after.at(index)?.consumed ?? 0, definition.decimals);
  const figures = { consumed: out(0), orgConsumed: out(-1) };
  return {
    user: body.user,
    quota: body.quota,
    units: body.units,
    groups,
    ...figures,
    ...wouldBlock(units, blocked),
  };
}

function wouldBlock<Blocked>(units: number, blocked: readonly Blocked[]) {
  return { wouldBlock: units > 0 && blocked.length > 0, blocked: units > 0 ? [...blocked] : [] };
}

function effectOn(view: OrgView, { scope, id, key }: Subject, correction: Correction) {
  const { quota } = correction.body;
  const line = lineTo(quota, scope, key);
  const { consumed: before, held } = figuresOf(view, line.field);
  const consumed = before + correction.units;
  if (consumed < 0) {
    const at = { scope, group: scope === 'group' ? id : '' };
    checkOutcome({ outcome: 'below-zero', at } as Adjusted, correction);
  }
  const limit = limitIn(view.tables, line.field);
  const pool = scope === 'org' ? view.pools.get(quota) : undefined;
  const cap = pool?.units ?? (limit === undefined ? undefined : limitStanding(view, line, limit).cap);
  const lenient = pool === undefined ? limit?.shadow === true : pool.plan.mode !== 'hard';
  const blocked = cap !== undefined && standingOf(cap, { consumed, held }, lenient).status === 'blocked';
  return { scope, id, consumed, blocked };
}
