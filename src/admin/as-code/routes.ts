/** Limits as code: an org as one document, and the difference that a document makes, in one commit. */
import Type from 'typebox';
import type { Change } from '../../ledger/port.js';
import { scanAll } from '../../ledger/scan-all.js';
import { type OrgView, readOrg, type Tables, textIn, withTables } from '../../ledger/view/org-view.js';
import { boundsAt } from '../../quota/cycle.js';
import { isName } from '../../quota/id.js';
import { ADMINS } from '../access/roles.js';
import type { Admin } from '../admin.js';
import { endpoint, ok } from '../http/endpoint.js';
import { invalid } from '../http/problems.js';
import { DryRun } from '../http/validate.js';
import { newOrg, type OrgDefinition, ruleIn } from '../orgs/definition.js';
import { planEntry } from '../plans/history.js';
import { changeOrg, type WriteContext, type WritePlan, writeContext } from '../writes/change.js';
import { Draft } from './draft.js';
import { exported } from './export.js';
import { changeOfOrg, draftOf, readTables, shownOrg, TABLES } from './org-change.js';
import { type Difference, Differences, ExportedOrg, STATED_ORG, StatedOrg } from './schemas.js';

/** Differences that the audit log keeps one by one; the others are counted. */
const AUDITED_MAX = 500;
const BODY_BYTES_MAX = 16 * 1_024 * 1_024;

const show = endpoint({
  id: 'exportOrg',
  method: 'GET',
  path: '/orgs/:org/export',
  summary: 'Show org, plans, groups, users, limits and notices as one document, as apply takes it',
  roles: ADMINS,
  answers: { 200: ExportedOrg },
  handle: async (admin, { params }) => {
    const view = await readOrg(admin, params.org);
    const { tables } = await admin.snapshots.tables(params.org, TABLES);
    return ok(exported(withTables(view, tables)));
  },
});

const apply = endpoint({
  id: 'applyOrg',
  method: 'POST',
  path: '/orgs/:org/apply',
  summary: 'Make an org what a document states, all at once; with dryRun, show the differences only',
  roles: ADMINS,
  query: {
    ...DryRun,
    prune: Type.Optional(
      Type.Boolean({
        description: 'Deletes what the stated sections groups, users, limits and notices/webhooks leave out',
      }),
    ),
  },
  body: StatedOrg,
  example: STATED_ORG,
  bodyBytesMax: BODY_BYTES_MAX,
  answers: { 200: Differences },
  errors: ['seats-taken'],
  handle: async (admin, request) => {
    const { body, query } = request;
    const stated = { body, dryRun: query.dryRun === true, prune: query.prune === true };
    return ok(await applyOrg(admin, writeContext(request, body.reason), stated));
  },
});

export const AS_CODE_ENDPOINTS = [show, apply];

interface Stated {
  readonly body: StatedOrg;
  readonly dryRun: boolean;
  readonly prune: boolean;
}

interface Outcome {
  readonly dryRun: boolean;
  readonly differences: readonly Difference[];
}

async function applyOrg(admin: Admin, context: WriteContext, stated: Stated): Promise<Outcome> {
  const { org } = context;
  if (!isName(org)) throw invalid('org', 'must be 1 to 64 letters, digits, dots, hyphens or underscores');
  return changeOrg(admin, context, {
    decide: (view) => changed(admin, context, { view, stated }),
    create: (now) => created(admin, context, { now, stated }),
  });
}

/** Read directly: a change meanwhile increases the version, and the commit starts again. */
async function changed(
  admin: Admin,
  context: WriteContext,
  { view, stated }: { readonly view: OrgView; readonly stated: Stated },
): Promise<WritePlan<Outcome>> {
  const tables = await readTables((table) => scanAll(admin.ledger, view.id, table));
  const { body, prune } = stated;
  const after: OrgDefinition = {
    name: body.name ?? view.name,
    seats: body.seats === undefined ? view.seats : (body.seats ?? undefined),
    cycle: body.cycle === undefined ? view.rule : ruleIn(body.cycle),
  };
  const draft = draftOf(view, tables, { after, author: context });
  const changes = changeOfOrg(draft, view, after);
  draft.apply(body, prune);
  draft.checkSeats(after, after.seats !== view.seats);
  // A user may be registered meanwhile: what was read must still be there.
  const plan = planOf(draft, stated, { action: 'org.apply', changes });
  return { ...plan, changes: plan.changes.map((change) => asRead(change, tables)) };
}

function asRead(change: Change, tables: Tables): Change {
  if ('incr' in change) return change;
  const table = 'set' in change ? change.set : change.del;
  if (!tables.has(table)) return change;
  return { ...change, was: textIn(tables, table, change.field) ?? null };
}

function created(
  admin: Admin,
  context: WriteContext,
  { now, stated }: { readonly now: number; readonly stated: Stated },
): WritePlan<Outcome> {
  const { body } = stated;
  if (body.cycle === undefined) throw invalid('cycle', 'is missing: the org does not exist yet');
  const cycle = ruleIn(body.cycle);
  const definition = { name: body.name ?? context.org, seats: body.seats ?? undefined, cycle };
  const draft = new Draft({
    ...{ quotas: admin.quotas, now, pools: new Map(), seatsUsed: 0, tables: new Map() },
    nextStart: boundsAt(cycle, now).end,
    rearm: () => [],
    planEntry: (plan) => planEntry({ now }, context, plan),
  });
  draft.note('org.create', 'org', { from: null, to: shownOrg(definition) });
  draft.apply(body, false);
  draft.checkSeats(definition, true);
  return planOf(draft, stated, { action: 'org.create', changes: newOrg(definition, now) });
}

function planOf(
  { changes, differences }: Draft,
  { dryRun }: Stated,
  org: { readonly action: string; readonly changes: WritePlan<Outcome>['changes'] },
): WritePlan<Outcome> {
  const answer = { dryRun, differences };
  if (dryRun || differences.length === 0) return { changes: [], answer };
  const to = { count: differences.length, differences: differences.slice(0, AUDITED_MAX) };
  const auditEvent = { action: org.action, subject: 'org', to };
  return { changes: [...org.changes, ...changes], auditEvent, answer };
}
