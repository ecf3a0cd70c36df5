/**
 * API keys of the data plane: each belongs to one user of the org. The key is shown once. The ledger stores the hash of
 * its secret in `keys`, where the decision reads it, and the rest as a record. Both are created and deleted in one
 * step.
 */
import Type, { type Static } from 'typebox';
import { decodeKey, encodeKey, type KeyRecord } from '../../ledger/codec.js';
import type { Want } from '../../ledger/port.js';
import { instant } from '../../ledger/view/limit-lines.js';
import { fieldsOf, type OrgView, readOrg, type Tables, textIn } from '../../ledger/view/org-view.js';
import { userIdOf, userKeyOf } from '../../quota/id.js';
import { ADMINS, READERS } from '../access/roles.js';
import type { Admin } from '../admin.js';
import { createdSecret, done, endpoint, type MembersOf, ok } from '../http/endpoint.js';
import { matches, pageOf } from '../http/paging.js';
import { invalid, notFound } from '../http/problems.js';
import { NoBody } from '../http/schema.js';
import { ExpiresAt, expiryIn, Id, members, Paging, Reason, Search, Title } from '../http/validate.js';
import { hashOf, newId, newSecret } from '../tokens/secrets.js';
import { memberIn } from '../users/members.js';
import { changeOrg, type WriteContext, type WritePlan, writeContext } from '../writes/change.js';
import { KeyList, MadeKeyView } from './schemas.js';

const NewKey = members({ user: Id, name: Type.Optional(Title), expiresAt: ExpiresAt, reason: Reason });
type NewKey = Static<typeof NewKey>;

const ListQuery = { ...Paging, ...Search, user: Type.Optional(Type.String()) };
type ListQuery = MembersOf<typeof ListQuery>;

const list = endpoint({
  id: 'listKeys',
  method: 'GET',
  path: '/orgs/:org/keys',
  summary: 'List API keys of the data plane, without their secrets',
  roles: READERS,
  query: ListQuery,
  answers: { 200: KeyList },
  handle: async (admin, { params, query }) => ok(await listKeys(admin, params.org, query)),
});

const add = endpoint({
  id: 'createKey',
  method: 'POST',
  path: '/orgs/:org/keys',
  summary: 'Create an API key for a user; the key is shown once',
  roles: ADMINS,
  body: NewKey,
  example: { user: 'ann', name: 'laptop' },
  answers: { 201: MadeKeyView },
  handle: async (admin, request) => {
    const { body, params } = request;
    const { key, view } = await addKey(admin, writeContext(request, body.reason), body);
    return createdSecret(`/v1/orgs/${params.org}/keys/${view.id}`, { ...view, key });
  },
});

const remove = endpoint({
  id: 'deleteKey',
  method: 'DELETE',
  path: '/orgs/:org/keys/:key',
  summary: 'Delete an API key: its next request is refused',
  roles: ADMINS,
  query: { reason: Reason },
  answers: { 204: NoBody },
  handle: async (admin, request) => {
    await deleteKey(admin, writeContext(request, request.query.reason), request.params.key);
    return done();
  },
});

export const KEY_ENDPOINTS = [list, add, remove];

/** Data of a key that the decision does not need. */
interface About {
  readonly name: string;
  readonly createdAt: number;
  readonly createdBy: string;
}

function aboutField(id: string): string {
  return `key:${id}`;
}

function aboutIn(tables: Tables, id: string): About {
  const text = textIn(tables, 'records', aboutField(id));
  return text === undefined ? { name: '', createdAt: 0, createdBy: '' } : (JSON.parse(text) as About);
}

interface KeyRow {
  readonly id: string;
  readonly record: KeyRecord;
  readonly about: About;
}

function* rowsOf(tables: Tables): Generator<KeyRow> {
  for (const [id, text] of fieldsOf(tables, 'keys'))
    yield { id, record: decodeKey(text), about: aboutIn(tables, id) };
}

async function listKeys(admin: Admin, org: string, query: ListQuery) {
  const view = await readOrg(admin, org);
  const { tables, ageMs } = await admin.snapshots.tables(org, ['keys', 'records']);
  const page = await pageOf(
    {
      rows: rowsOf(tables),
      id: ({ id }: KeyRow) => id,
      accept: ({ id, record, about }: KeyRow) => {
        const user = userIdOf(record.user);
        return (query.user === undefined || query.user === user) && matches(query.q, id, user, about.name);
      },
      ranks: {
        id: ({ id }: KeyRow) => id,
        user: ({ record }: KeyRow) => record.user,
        name: ({ about }: KeyRow) => about.name.toLowerCase(),
        createdAt: ({ about }: KeyRow) => about.createdAt,
        expiresAt: ({ record }: KeyRow) => record.expiresAt || Number.MAX_SAFE_INTEGER,
      },
    },
    query,
  );
  const items = page.rows.map((row) => keyView(row, view.now));
  return { items, cursor: page.cursor, snapshotAgeMs: ageMs };
}

function keyView({ id, record, about }: KeyRow, now: number) {
  const { user, expiresAt } = record;
  return {
    id,
    user: userIdOf(user),
    name: about.name,
    createdAt: about.createdAt === 0 ? null : instant(about.createdAt),
    createdBy: about.createdBy,
    expiresAt: expiresAt === 0 ? null : instant(expiresAt),
    expired: expiresAt !== 0 && now >= expiresAt,
  };
}

/** As recorded in the audit log. */
function snapshot({ record, about }: KeyRow) {
  const { user, expiresAt } = record;
  return {
    user: userIdOf(user),
    name: about.name,
    expiresAt: expiresAt === 0 ? null : instant(expiresAt),
  };
}

interface MadeKey {
  /** Only shown here, once: null on a repetition. */
  readonly key: string | null;
  readonly view: ReturnType<typeof keyView>;
}

async function addKey(
  admin: Admin,
  context: WriteContext,
  { user, name = '', expiresAt }: NewKey,
): Promise<MadeKey> {
  const userKey = userKeyOf(user);
  if (userKey === undefined) throw invalid('user', 'must be at most 256 bytes of valid Unicode');
  const [id, secret] = [newId(), newSecret()];
  const record: KeyRecord = { hash: hashOf(secret), user: userKey, expiresAt: expiryIn(expiresAt) };
  const decide = ({ tables, now }: OrgView): WritePlan<MadeKey> => {
    const member = memberIn(tables, userKey);
    if (member === undefined || member.status === 'removed') throw invalid('user', `user ${user} not found`);
    if (record.expiresAt !== 0 && record.expiresAt <= now)
      throw invalid('expiresAt', 'must be in the future');
    const about: About = { name, createdAt: now, createdBy: context.who };
    const row: KeyRow = { id, record, about };
    const view = keyView(row, now);
    return {
      changes: [
        { set: 'keys', field: id, value: encodeKey(record) },
        { set: 'records', field: aboutField(id), value: JSON.stringify(about) },
      ],
      auditEvent: { action: 'key.add', subject: `key:${id}`, to: snapshot(row) },
      answer: { key: `qg_${context.org}_${id}_${secret}`, view },
      repeated: { key: null, view },
    };
  };
  return changeOrg(admin, context, { reads: [{ table: 'members', fields: [userKey] }], decide });
}

async function deleteKey(admin: Admin, context: WriteContext, id: string): Promise<void> {
  const decide = ({ tables }: OrgView): WritePlan<undefined> => {
    const text = textIn(tables, 'keys', id);
    if (text === undefined) throw notFound(`key ${id}`);
    const from = snapshot({ id, record: decodeKey(text), about: aboutIn(tables, id) });
    return {
      changes: [
        { del: 'keys', field: id },
        { del: 'records', field: aboutField(id) },
      ],
      auditEvent: { action: 'key.delete', subject: `key:${id}`, from },
      answer: undefined,
    };
  };
  const reads: Want[] = [
    { table: 'keys', fields: [id] },
    { table: 'records', fields: [aboutField(id)] },
  ];
  await changeOrg(admin, context, { reads, decide });
}
