/** Sets many limits at once: all rows or none, in one step, with one audit entry. */
import Type from 'typebox';
import { encodeLimit } from '../../ledger/codec.js';
import type { Change, Expectation, Want } from '../../ledger/port.js';
import { capNow, limitIn, limitStanding, quotaOf } from '../../ledger/view/limit-lines.js';
import { type OrgView, type Tables, textIn, withTables } from '../../ledger/view/org-view.js';
import { type Limit, NO_LIMIT } from '../../quota/limit.js';
import { MANAGERS } from '../access/roles.js';
import type { Admin } from '../admin.js';
import { groupIn } from '../groups/group-view.js';
import { capIn } from '../http/amounts.js';
import { endpoint, ok } from '../http/endpoint.js';
import { invalid } from '../http/problems.js';
import { DryRun, members, Reason } from '../http/validate.js';
import { type UsersBlocked, usersBlockedBy } from '../users/access-preview.js';
import { changeOrg, type WriteContext, type WritePlan, writeContext } from '../writes/change.js';
import { LimitRow, type Row, type RowProblems, readRows, type StatedRows } from './bulk-rows.js';
import { rearm } from './limit-view.js';
import { checkCap, checkSubject } from './routes.js';
import { LimitsSet, LimitsSetPreview } from './schemas.js';

const ROWS_MAX = 10_000;
const BODY_BYTES_MAX = 8 * 1_024 * 1_024;
const ROWS = { minItems: 1, maxItems: ROWS_MAX };

export const BULK_ENDPOINTS = [
  endpoint({
    id: 'setLimits',
    method: 'POST',
    path: '/orgs/:org/limits/bulk',
    summary: 'Set many limits, new or present ones, all or none; with dryRun, say whom that would block',
    roles: MANAGERS,
    query: DryRun,
    body: members({ limits: Type.Array(LimitRow, ROWS), reason: Reason }),
    envelope: members({ limits: Type.Array(Type.Unknown(), ROWS), reason: Reason }),
    example: { limits: [{ user: 'ann', quota: 'usage', percent: 20 }] },
    bodyBytesMax: BODY_BYTES_MAX,
    answers: { 200: Type.Union([LimitsSet, LimitsSetPreview]) },
    handle: async (admin, request) => {
      const { body, query } = request;
      const stated = await readRows(admin.quotas, body.limits);
      const context = writeContext(request, body.reason);
      return ok(await setLimits(admin, context, { stated, dryRun: query.dryRun === true }));
    },
  }),
];

interface BulkWrite {
  readonly stated: StatedRows;
  readonly dryRun: boolean;
}

async function setLimits(admin: Admin, context: WriteContext, { stated, dryRun }: BulkWrite) {
  const { rows } = stated;
  const decide = async (view: OrgView): Promise<WritePlan<Counts | Preview>> => {
    const plan = planOf(stated.problems.copy());
    for (let from = 0; from < rows.length; from += ROWS_A_READ) {
      const some = rows.slice(from, from + ROWS_A_READ);
      const read = await tablesOf(admin, view, some);
      plan.expects.push(read.groups);
      for (const row of some) planRow(plan, withTables(view, read.tables), row);
    }
    plan.problems.check();
    const { added, changed, changes, expects, blocked } = plan;
    const answer = { rows: rows.length, added, changed, unchanged: rows.length - added - changed };
    if (dryRun) {
      const usersBlocked = await usersBlockedBy(admin, view, blocked);
      const wouldBlock = blocked.users.size + blocked.groups.size > 0;
      return { changes: [], answer: { ...answer, wouldBlock, usersBlocked } };
    }
    if (changes.length === 0) return { changes, answer };
    return { changes, expects, auditEvent: { action: 'limit.bulk', subject: 'limits', to: answer }, answer };
  };
  return changeOrg(admin, context, { decide, anyVersion: true });
}

interface Counts {
  readonly rows: number;
  readonly added: number;
  readonly changed: number;
  readonly unchanged: number;
}

interface Preview extends Counts {
  readonly wouldBlock: boolean;
  readonly usersBlocked: UsersBlocked;
}

/** Rows whose limits and subjects are read in one call of the store. */
const ROWS_A_READ = 200;

interface Plan {
  readonly problems: RowProblems;
  readonly changes: Change[];
  /** That the groups are still what they are: a deleted group has no limits. */
  readonly expects: Expectation[];
  added: number;
  changed: number;
  /** Subjects of limits that have nothing left: user keys, and generations of groups. */
  readonly blocked: { readonly users: Set<string>; readonly groups: Map<string, number> };
}

function planOf(problems: RowProblems): Plan {
  const blocked = { users: new Set<string>(), groups: new Map<string, number>() };
  return { problems, changes: [], expects: [], added: 0, changed: 0, blocked };
}

async function tablesOf({ ledger }: Admin, view: OrgView, rows: readonly Row[]) {
  const { id, cycle } = view;
  const lines = rows.map(({ line }) => line.field);
  const subjects = (scope: 'user' | 'group') => [
    ...new Set(rows.filter(({ line }) => line.scope === scope).map(({ line }) => line.subject)),
  ];
  const groups = { table: 'groups', fields: subjects('group') } as const;
  const wants: Want[] = [
    groups,
    { table: 'members', fields: subjects('user') },
    { table: 'limits', fields: lines },
    { table: `consumed:${cycle.start}`, fields: lines },
    { table: `held:${cycle.start}`, fields: lines },
  ];
  const { values } = await ledger.read(id, wants);
  const tables: Tables = new Map(wants.map(({ table, fields }, at) => [table, present(fields, values[at])]));
  return { tables, groups: { ...groups, values: values[0] ?? [] } };
}

function present(fields: readonly string[], values: readonly (string | null)[] = []): Map<string, string> {
  const found = new Map<string, string>();
  for (const [index, field] of fields.entries()) {
    const value = values[index] ?? null;
    if (value !== null) found.set(field, value);
  }
  return found;
}

/** `view` has the limit of the row, its subject and figures. */
function planRow(plan: Plan, view: OrgView, row: Row): void {
  const { index, stated, line } = row;
  const before = limitIn(view.tables, line.field);
  const after = plan.problems.within(index, stated, () => limitAfter(view, row, before));
  if (after === undefined) return;
  if (limitStanding(view, line, after).status === 'blocked') addBlocked(plan, view, row);
  const [was, value] = [textIn(view.tables, 'limits', line.field) ?? null, encodeLimit(after)];
  if (value === was) return;
  if (before === undefined) plan.added += 1;
  else plan.changed += 1;
  plan.changes.push({ set: 'limits', field: line.field, value, was });
  if (before !== undefined && capNow(view, line.quota, after) > capNow(view, line.quota, before))
    plan.changes.push(...rearm(view, line.field));
}

/** What a row leaves out stays as it is; a new limit is not in shadow mode. */
function limitAfter(view: OrgView, { stated, line }: Row, before: Limit | undefined): Limit {
  checkSubject(view.tables, line);
  if (before === undefined && stated.units === undefined && stated.percent === undefined)
    throw invalid('units', 'state units or percent of a new limit');
  const capped = capIn(stated, { before: before ?? NO_LIMIT, definition: quotaOf(view, line.quota) });
  if (capped !== before) checkCap(view, { line, limit: capped });
  return { ...capped, shadow: stated.shadow ?? capped.shadow };
}

function addBlocked({ blocked }: Plan, { tables }: OrgView, { line }: Row): void {
  const { scope, subject } = line;
  if (scope === 'user') blocked.users.add(subject);
  else blocked.groups.set(subject, groupIn(tables, subject)?.generation ?? 0);
}
