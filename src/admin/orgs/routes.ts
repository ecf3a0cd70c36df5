/** Orgs: list, create, change, archive. */
import { setImmediate as turn } from 'node:timers/promises';
import Type, { type Static } from 'typebox';
import { ProblemError } from '../../errors/catalogue.js';
import type { Ledger } from '../../ledger/port.js';
import { instant } from '../../ledger/view/limit-lines.js';
import {
  type FoundOrg,
  findOrg,
  NOTHING_ELSE,
  type OrgView as OrgState,
  type OrgWants,
  readOrg,
  textIn,
} from '../../ledger/view/org-view.js';
import { isName } from '../../quota/id.js';
import { ADMINS, type Orgs, READERS, reaches } from '../access/roles.js';
import type { Admin } from '../admin.js';
import { created, done, endpoint, type MembersOf, ok } from '../http/endpoint.js';
import { checkMatch } from '../http/etag.js';
import { matches, pageOf } from '../http/paging.js';
import { invalid } from '../http/problems.js';
import { NoBody } from '../http/schema.js';
import { members, Paging, Reason, Search, Title } from '../http/validate.js';
import { changeOrg, UNCHANGED, type WriteContext, type WritePlan, writeContext } from '../writes/change.js';
import {
  Cycle,
  etagOfOrg,
  newOrg,
  type OrgDefinition,
  orgChanges,
  orgView,
  ruleIn,
  set,
} from './definition.js';
import { OrgList, OrgView } from './schemas.js';

const OrgBody = members({
  name: Type.Optional(Title),
  /** null or absent: unlimited. */
  seats: Type.Optional(Type.Union([Type.Integer({ minimum: 1, maximum: 1_000_000_000 }), Type.Null()])),
  cycle: Cycle,
  reason: Reason,
});

const ListQuery = { ...Paging, ...Search };
type ListQuery = MembersOf<typeof ListQuery>;

const list = endpoint({
  id: 'listOrgs',
  method: 'GET',
  path: '/orgs',
  summary: 'List the orgs of the token',
  roles: READERS,
  reach: 'own',
  query: ListQuery,
  answers: { 200: OrgList },
  handle: async (admin, { access, query }) => ok(await listOrgs(admin, access.orgs, query)),
});

const show = endpoint({
  id: 'getOrg',
  method: 'GET',
  path: '/orgs/:org',
  summary: 'Show an org',
  roles: READERS,
  answers: { 200: OrgView },
  handle: async (admin, { params }) => ok(orgView(await readOrg(admin, params.org))),
});

const put = endpoint({
  id: 'putOrg',
  method: 'PUT',
  path: '/orgs/:org',
  summary: 'Create an org, or change it',
  roles: ADMINS,
  body: OrgBody,
  example: { name: 'Acme', seats: 5, cycle: { every: 'month', anchor: 20, timeZone: 'Europe/Madrid' } },
  answers: { 200: OrgView, 201: OrgView },
  errors: ['seats-taken'],
  ifMatch: true,
  // Creating an org takes one round trip more than other writes: it proves that the store was not emptied.
  readFirst: (admin, { org }) => findOrg(admin, org),
  handle: async (admin, request) => {
    const context = writeContext(request, request.body.reason);
    const { isNew, view } = await putOrg(admin, context, request);
    return isNew ? created(`/v1/orgs/${view.id}`, view) : ok(view);
  },
});

const archive = endpoint({
  id: 'archiveOrg',
  method: 'DELETE',
  path: '/orgs/:org',
  summary: 'Archive an org: its id is not used again',
  roles: ADMINS,
  query: { reason: Reason },
  answers: { 204: NoBody },
  ifMatch: true,
  handle: async (admin, request) => {
    await archiveOrg(admin, writeContext(request, request.query.reason));
    return done();
  },
});

const restore = endpoint({
  id: 'restoreOrg',
  method: 'POST',
  path: '/orgs/:org/restore',
  summary: 'Undo the archive of an org, within 30 days',
  roles: ADMINS,
  body: members({ reason: Reason }),
  example: { reason: 'archived by mistake' },
  answers: { 200: OrgView },
  errors: ['org-archived'],
  ifMatch: true,
  handle: async (admin, request) => {
    return ok(await restoreOrg(admin, writeContext(request, request.body.reason)));
  },
});

export const ORG_ENDPOINTS = [list, show, put, archive, restore];

async function listOrgs(admin: Admin, orgs: Orgs, query: ListQuery) {
  const { ledger } = admin;
  const rows = (await ledger.orgs()).filter((id) => reaches(orgs, id));
  const { q = '' } = query;
  const names = q === '' ? undefined : await namesOf(ledger, rows);
  const listing = {
    rows,
    id: (id: string) => id,
    accept: (id: string) => matches(q, id, names?.get(id) ?? ''),
    ranks: { id: String },
  };
  const page = await pageOf(listing, query);
  const items = await Promise.all(page.rows.map((id) => listed(admin, id)));
  return { items, cursor: page.cursor };
}

/** An org with missing data must not break the list. */
async function listed(admin: Admin, id: string) {
  const view = await readOrg(admin, id).catch((error: unknown) => {
    if (error instanceof ProblemError && error.code === 'store-lost') return undefined;
    throw error;
  });
  return view === undefined ? { id, state: 'lost' as const } : orgView(view);
}

/** Reads a hundred at a time, so that a search over many orgs does not block other requests. */
const NAMES_AT_ONCE = 100;

async function namesOf(ledger: Ledger, ids: readonly string[]): Promise<Map<string, string>> {
  const names = new Map<string, string>();
  for (let from = 0; from < ids.length; from += NAMES_AT_ONCE) {
    const some = ids.slice(from, from + NAMES_AT_ONCE);
    const read = await Promise.all(some.map((id) => ledger.read(id, [{ table: 'org', fields: ['name'] }])));
    for (const [index, { values }] of read.entries()) names.set(some[index] ?? '', values[0]?.[0] ?? '');
    // The embedded ledger answers synchronously: yield to the event loop.
    await turn();
  }
  return names;
}

interface PutOrg {
  readonly isNew: boolean;
  readonly view: ReturnType<typeof orgView>;
}

async function putOrg(
  admin: Admin,
  context: WriteContext,
  { body, firstRead }: { body: Static<typeof OrgBody>; firstRead: Promise<FoundOrg> | undefined },
): Promise<PutOrg> {
  const { org, ifMatch } = context;
  if (!isName(org)) throw invalid('org', 'must be 1 to 64 letters, digits, dots, hyphens or underscores');
  const definition: OrgDefinition = {
    name: body.name ?? org,
    seats: body.seats ?? undefined,
    cycle: ruleIn(body.cycle),
  };
  return changeOrg(admin, context, {
    begun: firstRead,
    decide: (view) => changedOrg(view, ifMatch, definition),
    create: (now) => {
      checkMatch(ifMatch, undefined);
      const auditEvent = { action: 'org.create', subject: 'org', to: snapshot(definition) };
      return { changes: newOrg(definition, now), auditEvent, ...shownOrg(true) };
    },
  });
}

function shownOrg(isNew: boolean) {
  return { wants: NOTHING_ELSE, show: (view: OrgState): PutOrg => ({ isNew, view: orgView(view) }) };
}

function snapshot({ name, seats, cycle }: OrgDefinition) {
  return { name, seats: seats ?? null, cycle };
}

function changedOrg(
  view: OrgState,
  ifMatch: string | undefined,
  definition: OrgDefinition,
): WritePlan<PutOrg> {
  checkMatch(ifMatch, etagOfOrg(view));
  const { seats } = definition;
  if (seats !== undefined && seats < view.seatsUsed)
    throw new ProblemError('seats-taken', `${view.seatsUsed} seats are taken, more than ${seats}`);
  const changes = orgChanges(view, definition);
  const shown = shownOrg(false);
  if (changes.length === 0) return { changes, ...shown };
  // Users whom a call registers meanwhile must not take more seats than are left.
  if (seats !== undefined) changes.push({ incr: 'org', field: 'seatsUsed', by: 0, most: seats });
  const from = snapshot({ name: view.name, seats: view.seats, cycle: view.rule });
  const auditEvent = { action: 'org.change', subject: 'org', from, to: snapshot(definition) };
  return { changes, auditEvent, ...shown };
}

const ARCHIVED_AT = 'archivedAt';
const ARCHIVE_UNDONE_MS = 30 * 86_400_000;

/** An archived org keeps its id forever; archiving it again changes nothing. */
async function archiveOrg(admin: Admin, context: WriteContext): Promise<void> {
  const decide = (view: OrgState): WritePlan<undefined> => {
    if (!view.open) return UNCHANGED;
    checkMatch(context.ifMatch, etagOfOrg(view));
    const auditEvent = { action: 'org.archive', subject: 'org', from: { name: view.name } };
    const changes = [set('state', 'archived'), set(ARCHIVED_AT, view.now)];
    return { changes, auditEvent, answer: undefined };
  };
  await changeOrg(admin, context, { decide, archivedToo: true });
}

/** The org is as it was: users, limits, keys and counters stay while it is archived. */
async function restoreOrg(admin: Admin, context: WriteContext) {
  const shown = { wants: NOTHING_ELSE, show: orgView };
  const decide = (view: OrgState): WritePlan<ReturnType<typeof orgView>> => {
    checkMatch(context.ifMatch, etagOfOrg(view));
    if (view.open) return { changes: [], ...shown };
    // Orgs of earlier versions do not say since when they are archived.
    const since = Number(textIn(view.tables, 'org', ARCHIVED_AT) ?? view.now);
    if (view.now - since >= ARCHIVE_UNDONE_MS)
      throw new ProblemError('org-archived', `${view.id} was archived more than 30 days ago`);
    const auditEvent = { action: 'org.restore', subject: 'org', from: { archivedAt: instant(since) } };
    return { changes: [set('state', 'open'), { del: 'org', field: ARCHIVED_AT }], auditEvent, ...shown };
  };
  const reads: OrgWants = [{ table: 'org', fields: [ARCHIVED_AT] }];
  return changeOrg(admin, context, { reads, decide, archivedToo: true });
}
