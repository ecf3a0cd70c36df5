/** Limits: list, set, change, delete, and preview each of these (`dryRun`). */
import Type, { type Static } from 'typebox';
import { ProblemError } from '../../errors/catalogue.js';
import { encodeLimit } from '../../ledger/codec.js';
import type { Change, Want } from '../../ledger/port.js';
import {
  capNow,
  type LimitLine,
  limitIn,
  limitStanding,
  lineTo,
  parseLine,
  quotaOf,
} from '../../ledger/view/limit-lines.js';
import { type OrgView, readOrg, type Tables, withTables } from '../../ledger/view/org-view.js';
import { limitDeletion } from '../../notify/raise-requests.js';
import { userIdOf, userKeyOf } from '../../quota/id.js';
import { type Limit, NO_LIMIT, percentFault } from '../../quota/limit.js';
import { formatUnits } from '../../quota/units.js';
import { MANAGERS, READERS } from '../access/roles.js';
import type { Admin } from '../admin.js';
import { groupIn } from '../groups/group-view.js';
import { capIn, definitionOf } from '../http/amounts.js';
import { created, endpoint, type MembersOf, ok, okOrDone } from '../http/endpoint.js';
import { checkMatch } from '../http/etag.js';
import { matches, pageOf } from '../http/paging.js';
import { invalid, notFound } from '../http/problems.js';
import { NoBody } from '../http/schema.js';
import { DryRun, members, Paging, Reason, Search } from '../http/validate.js';
import type { LimitRow } from '../snapshots/limit-rows.js';
import {
  BLOCKS_NOBODY,
  NOBODY,
  type AccessPreview as Preview,
  type UsersBlocked,
  usersBlockedBy,
} from '../users/access-preview.js';
import { memberIn } from '../users/members.js';
import { profileField, profileIn } from '../users/profile.js';
import { AccessPreview } from '../users/schemas.js';
import { changeOrg, type WriteContext, type WritePlan, writeContext } from '../writes/change.js';
import { allCapSums, CAP_TABLES } from './caps.js';
import { type LastCycle, lastCycle } from './last-cycle.js';
import { capOut, etagOfLimit, limitTables, limitView, rearm } from './limit-view.js';
import { LimitList, LimitPreview, LimitStatus, LimitView, StatedCap, StatedLimit } from './schemas.js';

const NewLimit = members({ ...StatedLimit, reason: Reason });
type NewLimit = Static<typeof NewLimit>;
const LimitPatch = members({ ...StatedCap, reason: Reason });
type LimitPatch = Static<typeof LimitPatch>;

const ListQuery = {
  ...Paging,
  ...Search,
  quota: Type.Optional(Type.String()),
  scope: Type.Optional(Type.Enum(['user', 'group'])),
  user: Type.Optional(Type.String()),
  group: Type.Optional(Type.String()),
  status: Type.Optional(LimitStatus),
};
type ListQuery = MembersOf<typeof ListQuery>;

const list = endpoint({
  id: 'listLimits',
  method: 'GET',
  path: '/orgs/:org/limits',
  summary: 'List limits, with what is consumed of each',
  roles: READERS,
  query: ListQuery,
  answers: { 200: LimitList },
  handle: async (admin, { params, query }) => ok(await listLimits(admin, params.org, query)),
});

const create = endpoint({
  id: 'createLimit',
  method: 'POST',
  path: '/orgs/:org/limits',
  summary: 'Set a limit of a user or group; with dryRun, say what it would do',
  roles: MANAGERS,
  query: DryRun,
  body: NewLimit,
  example: { user: 'ann', quota: 'usage', percent: 20 },
  answers: { 200: LimitPreview, 201: LimitView },
  errors: ['limit-exists'],
  handle: async (admin, request) => {
    const { body, params, query } = request;
    const dryRun = query.dryRun === true;
    const outcome = await createLimit(admin, writeContext(request, body.reason), { body, dryRun });
    if (!('etag' in outcome)) return ok(outcome);
    return created(`/v1/orgs/${params.org}/limits/${encodeURIComponent(outcome.id)}`, outcome);
  },
});

const show = endpoint({
  id: 'getLimit',
  method: 'GET',
  path: '/orgs/:org/limits/:limit',
  summary: 'Show a limit',
  roles: READERS,
  answers: { 200: LimitView },
  handle: async (admin, { params }) => ok(await readLimit(admin, params.org, params.limit)),
});

const change = endpoint({
  id: 'changeLimit',
  method: 'PATCH',
  path: '/orgs/:org/limits/:limit',
  summary: 'Change a limit; with dryRun, say what the change would do',
  roles: MANAGERS,
  query: DryRun,
  body: LimitPatch,
  example: { units: 500 },
  answers: { 200: Type.Union([LimitView, LimitPreview]) },
  ifMatch: true,
  handle: async (admin, request) => {
    const { body, params, query } = request;
    const change: LimitChange = { id: params.limit, patch: body, dryRun: query.dryRun === true };
    return ok(await patchLimit(admin, writeContext(request, body.reason), change));
  },
});

const remove = endpoint({
  id: 'deleteLimit',
  method: 'DELETE',
  path: '/orgs/:org/limits/:limit',
  summary: 'Delete a limit: its subject is not blocked by it any more',
  roles: MANAGERS,
  query: { ...DryRun, reason: Reason },
  answers: { 200: AccessPreview, 204: NoBody },
  ifMatch: true,
  handle: async (admin, request) => {
    const { reason, dryRun = false } = request.query;
    const change = { id: request.params.limit, dryRun };
    const outcome = await deleteLimit(admin, writeContext(request, reason), change);
    return okOrDone(outcome);
  },
});

export const LIMIT_ENDPOINTS = [list, create, show, change, remove];

async function listLimits(admin: Admin, org: string, query: ListQuery) {
  const { quotas, snapshots } = admin;
  const view = await readOrg(admin, org);
  const names = [...CAP_TABLES, ...limitTables(view.cycle.start)];
  const { tables, limits, ageMs } = await snapshots.tables(org, names);
  const copy = withTables(view, tables);
  const standing = ({ line, limit }: LimitRow) => limitStanding(copy, line, limit);
  const page = await pageOf(
    {
      rows: limits.values(),
      id: ({ line }: LimitRow) => line.field,
      accept: (row: LimitRow) =>
        quotas.has(row.line.quota) &&
        accepts(tables, query, row.line) &&
        (query.status === undefined || standing(row).status === query.status),
      ranks: {
        id: ({ line }: LimitRow) => line.field,
        cap: (row: LimitRow) => standing(row).cap,
        consumed: (row: LimitRow) => standing(row).consumed,
        remaining: (row: LimitRow) => standing(row).remaining,
        percentUsed: (row: LimitRow) => standing(row).consumed / Math.max(1, standing(row).cap),
      },
    },
    query,
  );
  return {
    items: page.rows.map(({ line, limit }) => limitView(copy, line, limit)),
    cursor: page.cursor,
    caps: await allCapSums(copy, limits.values()),
    snapshotAgeMs: ageMs,
  };
}

function accepts(tables: Tables, query: ListQuery, { quota, scope, subject }: LimitLine): boolean {
  if (query.quota !== undefined && query.quota !== quota) return false;
  if (query.scope !== undefined && query.scope !== scope) return false;
  if (query.user !== undefined && (scope !== 'user' || subject !== userKeyOf(query.user))) return false;
  if (query.group !== undefined && (scope !== 'group' || subject !== query.group)) return false;
  if (query.q === undefined) return true;
  if (scope === 'group') return matches(query.q, subject, groupIn(tables, subject)?.name ?? '');
  const { name, email } = profileIn(tables, subject);
  return matches(query.q, subject, name, email);
}

/** What a change of a limit depends on: the limit and its subject. */
export function limitReads({ field, scope, subject }: LimitLine): Want[] {
  const limit: Want = { table: 'limits', fields: [field] };
  if (scope === 'group') return [limit, { table: 'groups', fields: [subject] }];
  return [
    limit,
    { table: 'members', fields: [subject] },
    { table: 'records', fields: [profileField(subject)] },
  ];
}

/** What to read to show a limit or its preview, including its figures. */
function limitWants(line: LimitLine): (start: number) => Want[] {
  const { field } = line;
  return (start) => [
    ...limitReads(line),
    { table: `consumed:${start}`, fields: [field] },
    { table: `held:${start}`, fields: [field] },
  ];
}

export function lineOfPath({ quotas }: Admin, id: string): LimitLine {
  const line = parseLine(id);
  if (line === undefined || line.scope === 'org' || !quotas.has(line.quota)) throw notFound(`limit ${id}`);
  return line;
}

async function readLimit(admin: Admin, org: string, id: string) {
  const { wants, show } = shownLimit(lineOfPath(admin, id));
  return show(await readOrg(admin, org, wants));
}

export function shownLimit(line: LimitLine) {
  const show = (view: OrgView) => limitView(view, line, present(view, line));
  return { wants: limitWants(line), show };
}

/** The effect of a limit on its subject. */
async function outcomeOf(admin: Admin, view: OrgView, limited: LimitOnLine) {
  const { line, limit } = limited;
  const { decimals } = quotaOf(view, line.quota);
  const { cap, consumed, held, status } = limitStanding(view, line, limit);
  const before = await lastCycle(admin, view, limited);
  const isBlocked = status === 'blocked';
  const users = isBlocked || before?.isBlocked ? await usersOf(admin, view, line) : NOBODY;
  return {
    id: line.field,
    wouldBlock: isBlocked,
    consumed: formatUnits(consumed, decimals),
    held: formatUnits(held, decimals),
    cap: formatUnits(cap, decimals),
    usersBlocked: isBlocked ? users : NOBODY,
    lastCycle: before === undefined ? null : shownLastCycle(before, users),
  };
}

function shownLastCycle({ from, to, consumed, isBlocked }: LastCycle, { count }: UsersBlocked) {
  return { from, to, consumed, usersBlocked: isBlocked ? count : 0 };
}

/** Who is blocked when the limit is reached: the user, or the members of the group. */
async function usersOf(admin: Admin, view: OrgView, { scope, subject }: LimitLine) {
  if (scope === 'user') return { count: 1, users: [userIdOf(subject)] };
  const generation = groupIn(view.tables, subject)?.generation ?? 0;
  return usersBlockedBy(admin, view, { users: new Set(), groups: new Map([[subject, generation]]) });
}

/** The preview of a limit (a dry run), or the limit after the write. */
export type Outcome = Awaited<ReturnType<typeof outcomeOf>> | ReturnType<typeof limitView>;

export async function dryRunOf(admin: Admin, org: string, limited: LimitOnLine): Promise<WritePlan<Outcome>> {
  const view = await readOrg(admin, org, limitWants(limited.line));
  return { changes: [], answer: await outcomeOf(admin, view, limited) };
}

interface LimitCreation {
  readonly body: NewLimit;
  readonly dryRun: boolean;
}

async function createLimit(admin: Admin, context: WriteContext, { body, dryRun }: LimitCreation) {
  const definition = definitionOf(admin.quotas, body.quota, 'quota');
  const line = lineOfBody(body);
  if (body.units === undefined && body.percent === undefined)
    throw invalid('units', 'state units or percent');
  const before = { ...NO_LIMIT, shadow: body.shadow ?? false };
  const limit = capIn(body, { before, definition });
  const decide = async (view: OrgView): Promise<WritePlan<Outcome>> => {
    checkSubject(view.tables, line);
    if (limitIn(view.tables, line.field) !== undefined)
      throw new ProblemError('limit-exists', `${line.field} already has a limit`, {
        members: { limit: line.field },
      });
    checkCap(view, { line, limit });
    if (dryRun) return dryRunOf(admin, context.org, { line, limit });
    const changes: Change[] = [{ set: 'limits', field: line.field, value: encodeLimit(limit) }];
    const auditEvent = {
      action: 'limit.add',
      subject: `limit:${line.field}`,
      to: snapshot(view, line, limit),
    };
    return { changes, auditEvent, ...shownLimit(line) };
  };
  return changeOrg(admin, context, { reads: limitReads(line), decide, anyVersion: true });
}

function snapshot(view: OrgView, line: LimitLine, limit: Limit) {
  return { ...capOut(limit, quotaOf(view, line.quota)), shadow: limit.shadow };
}

export function lineOfBody({ quota, user, group }: Pick<NewLimit, 'quota' | 'user' | 'group'>): LimitLine {
  if ((user === undefined) === (group === undefined)) throw invalid('user', 'state either user or group');
  if (group !== undefined) return lineTo(quota, 'group', group);
  const userKey = userKeyOf(user ?? '');
  if (userKey === undefined) throw invalid('user', 'must be at most 256 bytes of valid Unicode');
  return lineTo(quota, 'user', userKey);
}

export function checkSubject(tables: Tables, { scope, subject }: LimitLine): void {
  if (scope === 'group' && groupIn(tables, subject) === undefined)
    throw invalid('group', `group ${subject} not found`);
  const member = scope === 'user' ? memberIn(tables, subject) : undefined;
  if (scope === 'user' && (member === undefined || member.status === 'removed'))
    throw invalid('user', `user ${userIdOf(subject)} not found`);
}

export interface LimitOnLine {
  readonly line: LimitLine;
  readonly limit: Limit;
  /** What error messages put before the names of the fields. */
  readonly at?: string;
}

/** A percentage needs a pool, and must be more than 0 units of it. */
export function checkCap({ pools }: Pick<OrgView, 'pools'>, { line, limit, at = '' }: LimitOnLine): void {
  const fault = percentFault(limit, pools.get(line.quota)?.units);
  if (fault === 'no-plan') throw invalid(`${at}percent`, `needs a plan for ${line.quota}`);
  if (fault === 'nothing')
    throw invalid(`${at}percent`, 'is less than the smallest unit of the current pool');
}

interface LimitChange {
  readonly id: string;
  readonly patch: LimitPatch;
  readonly dryRun: boolean;
}

async function patchLimit(admin: Admin, context: WriteContext, { id, patch, dryRun }: LimitChange) {
  const line = lineOfPath(admin, id);
  const decide = async (view: OrgView): Promise<WritePlan<Outcome>> => {
    const before = present(view, line);
    checkMatch(context.ifMatch, etagOfLimit(line.field, before));
    const capped = capIn(patch, { before, definition: quotaOf(view, line.quota) });
    const after: Limit = { ...capped, shadow: patch.shadow ?? before.shadow };
    if (capped !== before) checkCap(view, { line, limit: after });
    if (dryRun) return dryRunOf(admin, context.org, { line, limit: after });
    const value = encodeLimit(after);
    if (value === encodeLimit(before)) return { changes: [], ...shownLimit(line) };
    const changes: Change[] = [{ set: 'limits', field: line.field, value }];
    if (capNow(view, line.quota, after) > capNow(view, line.quota, before))
      changes.push(...rearm(view, line.field));
    const [from, to] = [snapshot(view, line, before), snapshot(view, line, after)];
    const auditEvent = { action: 'limit.change', subject: `limit:${id}`, from, to };
    return { changes, auditEvent, ...shownLimit(line) };
  };
  return changeOrg(admin, context, { reads: limitReads(line), decide, anyVersion: true });
}

export function present({ tables }: OrgView, { field }: LimitLine): Limit {
  const limit = limitIn(tables, field);
  if (limit === undefined) throw notFound(`limit ${field}`);
  return limit;
}

async function deleteLimit(
  admin: Admin,
  context: WriteContext,
  { id, dryRun }: { readonly id: string; readonly dryRun: boolean },
): Promise<Preview | undefined> {
  const line = lineOfPath(admin, id);
  const decide = (view: OrgView): WritePlan<Preview | undefined> => {
    const before = present(view, line);
    checkMatch(context.ifMatch, etagOfLimit(line.field, before));
    if (dryRun) return { changes: [], answer: BLOCKS_NOBODY };
    const auditEvent = { action: 'limit.delete', subject: `limit:${id}`, from: snapshot(view, line, before) };
    return { changes: limitDeletion(line.field), auditEvent, answer: undefined };
  };
  return changeOrg(admin, context, { reads: limitReads(line), decide, anyVersion: true });
}
