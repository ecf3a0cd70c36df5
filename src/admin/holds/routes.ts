/** Open holds, and their release by an admin. */
import Type from 'typebox';
import { ProblemError } from '../../errors/catalogue.js';
import { withClosed } from '../../ledger/call-cycles.js';
import { decodeHold, type HoldRecord } from '../../ledger/codec.js';
import type { Reply } from '../../ledger/port.js';
import { instant } from '../../ledger/view/limit-lines.js';
import { fieldsOf, type OrgView, readOrg, type Tables, textIn } from '../../ledger/view/org-view.js';
import { userIdOf } from '../../quota/id.js';
import type { Quotas } from '../../quota/units.js';
import { formatUnits } from '../../quota/units.js';
import { MANAGERS, READERS } from '../access/roles.js';
import type { Admin } from '../admin.js';
import { done, endpoint, type MembersOf, ok } from '../http/endpoint.js';
import { matches, pageOf } from '../http/paging.js';
import { notFound } from '../http/problems.js';
import { NoBody } from '../http/schema.js';
import { Paging, Reason, Search } from '../http/validate.js';
import { auditText, type WriteContext, writeContext } from '../writes/change.js';
import { HoldList } from './schemas.js';

const ListQuery = { ...Paging, ...Search, user: Type.Optional(Type.String()) };
type ListQuery = MembersOf<typeof ListQuery>;

const list = endpoint({
  id: 'listHolds',
  method: 'GET',
  path: '/orgs/:org/holds',
  summary: 'List the holds of requests in flight',
  roles: READERS,
  query: ListQuery,
  answers: { 200: HoldList },
  handle: async (admin, { params, query }) => ok(await listHolds(admin, params.org, query)),
});

const release = endpoint({
  id: 'releaseHold',
  method: 'DELETE',
  path: '/orgs/:org/holds/:hold',
  summary: 'Release a hold by hand',
  roles: MANAGERS,
  query: { reason: Reason },
  answers: { 204: NoBody },
  handle: async (admin, request) => {
    await releaseByHand(admin, writeContext(request, request.query.reason), request.params.hold);
    return done();
  },
});

export const HOLD_ENDPOINTS = [list, release];

interface HoldRow {
  readonly id: string;
  readonly hold: HoldRecord;
}

async function listHolds(admin: Admin, org: string, query: ListQuery) {
  const { quotas, snapshots } = admin;
  await readOrg(admin, org);
  const { tables, ageMs } = await snapshots.tables(org, ['holds']);
  const page = await pageOf(
    {
      rows: rowsOf(tables),
      id: ({ id }: HoldRow) => id,
      accept: ({ id, hold }: HoldRow) =>
        hold.open &&
        (query.user === undefined || query.user === userIdOf(hold.user)) &&
        matches(query.q, id, hold.action, userIdOf(hold.user)),
      ranks: {
        expiresAt: ({ hold }: HoldRow) => hold.expiresAt,
        admittedAt: ({ hold }: HoldRow) => hold.at,
        id: ({ id }: HoldRow) => id,
      },
    },
    query,
  );
  const items = page.rows.map(({ id, hold }) => holdView(quotas, id, hold));
  return { items, cursor: page.cursor, snapshotAgeMs: ageMs };
}

function* rowsOf(tables: Tables): Generator<HoldRow> {
  for (const [id, text] of fieldsOf(tables, 'holds')) yield { id, hold: decodeHold(text) };
}

/** Holds can outlive their quota in the config; their units are then shown as stored. */
const REMOVED_QUOTA = { decimals: 0 };

function holdView(quotas: Quotas, id: string, hold: HoldRecord) {
  const charges = hold.items.map(({ quota, fixed, units, charged }) => {
    const { decimals } = quotas.get(quota) ?? REMOVED_QUOTA;
    const figures = { units: formatUnits(units, decimals), charged: formatUnits(charged, decimals) };
    return { quota, kind: fixed ? ('fixed' as const) : ('held' as const), ...figures };
  });
  return {
    id,
    user: userIdOf(hold.user),
    groups: hold.groups === '' ? [] : hold.groups.split(','),
    action: hold.action,
    charges,
    cycleStart: instant(hold.cycle),
    admittedAt: instant(hold.at),
    expiresAt: instant(hold.expiresAt),
  };
}

const TRIES_MAX = 3;

async function releaseByHand(admin: Admin, context: WriteContext, id: string): Promise<void> {
  const { quotas, snapshots } = admin;
  for (let attempt = 0; attempt < TRIES_MAX; attempt += 1) {
    const view = await readOrg(admin, context.org, [{ table: 'holds', fields: [id] }]);
    const hold = openHold(view, id);
    const { user, action, charges } = holdView(quotas, id, hold);
    const auditEvent = { action: 'hold.release', subject: `hold:${id}`, from: { user, action, charges } };
    const reply = await applyRelease(admin, view, {
      id,
      hold,
      audit: auditText(view.now, context, auditEvent),
    });
    snapshots.forget(context.org);
    // Another status: the cycle ended between reading and releasing.
    if (reply.results[0]?.status === 'released') return;
  }
  throw new ProblemError('store-busy', `The hold ${id} could not be released`);
}

function openHold({ tables }: OrgView, id: string): HoldRecord {
  const text = textIn(tables, 'holds', id);
  const hold = text === undefined ? undefined : decodeHold(text);
  if (hold === undefined || !hold.open) throw notFound(`hold ${id}`);
  return hold;
}

interface Release extends HoldRow {
  readonly audit: string;
}

async function applyRelease({ ledger }: Admin, view: OrgView, { id, hold, audit }: Release): Promise<Reply> {
  return ledger.apply({
    org: view.id,
    epoch: view.epoch,
    producer: '',
    seq: 0,
    ruleVersion: view.ruleVersion,
    cycles: withClosed([view.cycle], hold.cycle),
    unknownUsers: 'deny',
    expireMost: 0,
    ops: [{ kind: 'release', hold: id, keep: true, audit }],
  });
}
