/** Orgs: list, create, change, archive. */
import Type, { type Static } from 'typebox';
import { ProblemError } from '../errors/catalogue.js';
import { openBook } from '../ledger/view/book.js';
import { isName } from '../quota/id.js';
import type { Admin, App } from './admin.js';
import { type Act, actOf, auditText, changeOrg, UNCHANGED } from './change.js';
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
    const created = await putOrg(admin, actOf(request, request.body.reason), request.body);
    const book = await openBook(ledger, quotas, request.params.org);
    reply.code(created ? 201 : 200).header('etag', etagOfOrg(book));
    return orgView(book);
  });

  const archive = { params: ByOrg, querystring: members({ reason: Reason }) };
  app.delete('/orgs/:org', { schema: archive }, async (request, reply) => {
    await archiveOrg(admin, actOf(request, request.query.reason));
    return reply.code(204).send();
  });
}

/** Whether the org is new. */
async function putOrg(admin: Admin, act: Act, body: Static<typeof OrgBody>): Promise<boolean> {
  const { org, ifMatch } = act;
  if (!isName(org)) throw invalid('org', 'must be 1 to 64 letters, digits, dots, hyphens or underscores');
  const definition: OrgDefinition = {
    name: body.name ?? org,
    seats: body.seats ?? undefined,
    cycle: ruleIn(body.cycle),
  };
  const { version } = await admin.ledger.read(org, []);
  if (version === 0) {
    checkMatch(ifMatch, undefined);
    if (await createNew(admin, act, definition)) return true;
  }
  await updateOrg(admin, act, definition);
  return false;
}

/** False where another was faster. */
async function createNew({ ledger }: Admin, act: Act, definition: OrgDefinition): Promise<boolean> {
  const now = await ledger.clock();
  const deed = { action: 'org.create', subject: 'org', to: told(definition) };
  const commit = { version: 0, changes: newOrg(definition, now), audit: auditText(now, act, deed) };
  return (await ledger.commit(act.org, commit)) !== undefined;
}

function told({ name, seats, cycle }: OrgDefinition) {
  return { name, seats: seats ?? null, cycle };
}

async function updateOrg(admin: Admin, act: Act, definition: OrgDefinition): Promise<void> {
  await changeOrg(admin, act, (book) => {
    checkMatch(act.ifMatch, etagOfOrg(book));
    const { seats } = definition;
    if (seats !== undefined && seats < book.seatsUsed)
      throw new ProblemError('seats-taken', `${book.seatsUsed} seats are taken, more than ${seats}`);
    const changes = orgChanges(book, definition);
    if (changes.length === 0) return UNCHANGED;
    const from = told({ name: book.name, seats: book.seats, cycle: book.rule });
    const deed = { action: 'org.change', subject: 'org', from, to: told(definition) };
    return { changes, deed, answer: undefined };
  });
}

/** An archived org keeps its id for ever; archiving it again changes nothing. */
async function archiveOrg(admin: Admin, act: Act): Promise<void> {
  const { open } = await openBook(admin.ledger, admin.quotas, act.org);
  if (!open) return;
  await changeOrg(admin, act, (book) => {
    checkMatch(act.ifMatch, etagOfOrg(book));
    const deed = { action: 'org.archive', subject: 'org', from: { name: book.name } };
    return { changes: [set('state', 'archived')], deed, answer: undefined };
  });
}
