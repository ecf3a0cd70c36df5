/** Orgs: list, create, change, archive. */
import Type, { type Static } from 'typebox';
import { ProblemError } from '../errors/catalogue.js';
import { isName } from '../quota/id.js';
import type { Admin, App } from './admin.js';
import { openBook } from './book.js';
import { auditText, changeOrg } from './change.js';
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
import { checkMatch } from './etag.js';
import { matches, pageOf } from './paging.js';
import { invalid } from './problems.js';
import { members, Paging, path, Reason, Search, Title } from './validate.js';

const OrgBody = members({
  name: Type.Optional(Title),
  /** null or left out: no bound. */
  seats: Type.Optional(Type.Union([Type.Integer({ minimum: 1, maximum: 1_000_000_000 }), Type.Null()])),
  cycle: Cycle,
  reason: Reason,
});

const ByOrg = path('org');

export function orgRoutes(app: App, admin: Admin): void {
  const { ledger, quotas } = admin;

  app.get('/orgs', { schema: { querystring: members({ ...Paging, ...Search }) } }, async (request) => {
    const { q } = request.query;
    const rows = await ledger.orgs();
    const listing = {
      rows,
      id: (id: string) => id,
      accept: (id: string) => matches(q, id),
      ranks: { id: String },
    };
    const page = await pageOf(listing, request.query);
    const books = await Promise.all(page.rows.map((id) => openBook(ledger, quotas, id)));
    return { items: books.map(orgView), cursor: page.cursor };
  });

  app.get('/orgs/:org', { schema: { params: ByOrg } }, async (request, reply) => {
    const book = await openBook(ledger, quotas, request.params.org);
    return reply.header('etag', etagOfOrg(book)).send(orgView(book));
  });

  app.put('/orgs/:org', { schema: { params: ByOrg, body: OrgBody } }, async (request, reply) => {
    const { org } = request.params;
    const { who, body } = request;
    const created = await putOrg(admin, org, who, body, request.headers['if-match']);
    const book = await openBook(ledger, quotas, org);
    return reply
      .code(created ? 201 : 200)
      .header('etag', etagOfOrg(book))
      .send(orgView(book));
  });

  const archive = { params: ByOrg, querystring: members({ reason: Reason }) };
  app.delete('/orgs/:org', { schema: archive }, async (request, reply) => {
    await archiveOrg(
      admin,
      request.params.org,
      request.who,
      request.query.reason,
      request.headers['if-match'],
    );
    return reply.code(204).send();
  });
}

/** Whether the org is new. */
async function putOrg(
  admin: Admin,
  org: string,
  who: string,
  body: Static<typeof OrgBody>,
  ifMatch: string | undefined,
): Promise<boolean> {
  if (!isName(org)) throw invalid('org', 'must be 1 to 64 letters, digits, dots, hyphens or underscores');
  const definition: OrgDefinition = {
    name: body.name ?? org,
    seats: body.seats ?? undefined,
    cycle: ruleIn(body.cycle),
  };
  const { version } = await admin.ledger.read(org, []);
  if (version === 0) {
    checkMatch(ifMatch, undefined);
    if (await createNew(admin, org, who, definition, body.reason)) return true;
  }
  await updateOrg(admin, org, who, definition, body.reason, ifMatch);
  return false;
}

/** False where another was faster. */
async function createNew(
  { ledger }: Admin,
  org: string,
  who: string,
  definition: OrgDefinition,
  reason: string | undefined,
): Promise<boolean> {
  const now = await ledger.clock();
  const to = { name: definition.name, seats: definition.seats ?? null, cycle: definition.cycle };
  const audit = auditText(now, who, { action: 'org.create', subject: 'org', to, reason });
  return (await ledger.commit(org, { version: 0, changes: newOrg(definition, now), audit })) !== undefined;
}

async function updateOrg(
  admin: Admin,
  org: string,
  who: string,
  definition: OrgDefinition,
  reason: string | undefined,
  ifMatch: string | undefined,
): Promise<void> {
  await changeOrg(admin, org, who, NOTHING_ELSE, (book) => {
    checkMatch(ifMatch, etagOfOrg(book));
    const { seats, name, cycle } = definition;
    if (seats !== undefined && seats < book.seatsUsed)
      throw new ProblemError('seats-taken', `${book.seatsUsed} seats are taken, more than ${seats}`);
    const changes = orgChanges(book, definition);
    if (changes.length === 0) return { changes, answer: undefined };
    const from = { name: book.name, seats: book.seats ?? null, cycle: book.rule };
    const to = { name, seats: seats ?? null, cycle };
    return { changes, deed: { action: 'org.change', subject: 'org', from, to, reason }, answer: undefined };
  });
}

/** An archived org keeps its id for ever; archiving it again changes nothing. */
async function archiveOrg(
  admin: Admin,
  org: string,
  who: string,
  reason: string | undefined,
  ifMatch: string | undefined,
): Promise<void> {
  const book = await openBook(admin.ledger, admin.quotas, org);
  if (!book.open) return;
  await changeOrg(admin, org, who, NOTHING_ELSE, (present) => {
    checkMatch(ifMatch, etagOfOrg(present));
    const deed = { action: 'org.archive', subject: 'org', from: { name: present.name }, reason };
    return { changes: [set('state', 'archived')], deed, answer: undefined };
  });
}

const NOTHING_ELSE = () => [];
