/**
 * API keys of the data plane: each stands for one user of the org. Their text is shown once; the ledger has the hash of the
 * secret in `keys`, where the decision reads it, and the rest as a record. Both come and go in one step.
 */
import Type, { type Static } from 'typebox';
import { decodeKey, encodeKey, type KeyRecord } from '../ledger/codec.js';
import type { Want } from '../ledger/port.js';
import { fieldsOf, type OrgBook, openBook, type Tables, textIn } from '../ledger/view/book.js';
import { instant } from '../ledger/view/lines.js';
import { userOfToken, userToken } from '../quota/id.js';
import type { Admin, App } from './admin.js';
import { type Act, actOf, changeOrg, type Step } from './change.js';
import { memberIn } from './members.js';
import { matches, pageOf } from './paging.js';
import { invalid, notFound } from './problems.js';
import { hashOf, newId, newSecret } from './secrets.js';
import { ExpiresAt, expiryIn, Id, members, Paging, path, Reason, Search, Title } from './validate.js';

const NewKey = members({ user: Id, name: Type.Optional(Title), expiresAt: ExpiresAt, reason: Reason });
type NewKey = Static<typeof NewKey>;

const ListQuery = members({ ...Paging, ...Search, user: Type.Optional(Type.String()) });

export function keyRoutes(app: App, admin: Admin): void {
  const listSchema = { params: path('org'), querystring: ListQuery };
  app.get('/orgs/:org/keys', { schema: listSchema }, async ({ params, query }) => {
    return listKeys(admin, params.org, query);
  });

  app.post('/orgs/:org/keys', { schema: { params: path('org'), body: NewKey } }, async (request, reply) => {
    const { org } = request.params;
    const { key, view } = await addKey(admin, actOf(request, request.body.reason), request.body);
    reply.code(201).header('location', `/v1/orgs/${org}/keys/${view.id}`).header('cache-control', 'no-store');
    return { ...view, key };
  });

  const removal = { params: path('org', 'key'), querystring: members({ reason: Reason }) };
  app.delete('/orgs/:org/keys/:key', { schema: removal }, async (request, reply) => {
    await deleteKey(admin, actOf(request, request.query.reason), request.params.key);
    return reply.code(204).send();
  });
}

/** What is known of a key beside what the decision needs. */
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

interface Row {
  readonly id: string;
  readonly record: KeyRecord;
  readonly about: About;
}

function* rowsOf(tables: Tables): Generator<Row> {
  for (const [id, text] of fieldsOf(tables, 'keys'))
    yield { id, record: decodeKey(text), about: aboutIn(tables, id) };
}

async function listKeys({ ledger, quotas, snapshots }: Admin, org: string, query: Static<typeof ListQuery>) {
  const book = await openBook(ledger, quotas, org);
  const { tables, ageMs } = await snapshots.tables(org, ['keys', 'records']);
  const page = await pageOf(
    {
      rows: rowsOf(tables),
      id: ({ id }: Row) => id,
      accept: ({ id, record, about }: Row) => {
        const user = userOfToken(record.user);
        return (query.user === undefined || query.user === user) && matches(query.q, id, user, about.name);
      },
      ranks: {
        id: ({ id }: Row) => id,
        user: ({ record }: Row) => record.user,
        name: ({ about }: Row) => about.name.toLowerCase(),
        createdAt: ({ about }: Row) => about.createdAt,
        expiresAt: ({ record }: Row) => record.expiresAt || Number.MAX_SAFE_INTEGER,
      },
    },
    query,
  );
  const items = page.rows.map((row) => keyView(row, book.now));
  return { items, cursor: page.cursor, snapshotAgeMs: ageMs };
}

function keyView({ id, record, about }: Row, now: number) {
  const { user, expiresAt } = record;
  return {
    id,
    user: userOfToken(user),
    name: about.name,
    createdAt: about.createdAt === 0 ? null : instant(about.createdAt),
    createdBy: about.createdBy,
    expiresAt: expiresAt === 0 ? null : instant(expiresAt),
    expired: expiresAt !== 0 && now >= expiresAt,
  };
}

/** As the audit log tells it. */
function told({ record, about }: Row) {
  const { user, expiresAt } = record;
  return {
    user: userOfToken(user),
    name: about.name,
    expiresAt: expiresAt === 0 ? null : instant(expiresAt),
  };
}

interface MadeKey {
  /** The only time that it can be read. */
  readonly key: string;
  readonly view: ReturnType<typeof keyView>;
}

async function addKey(admin: Admin, act: Act, { user, name = '', expiresAt }: NewKey): Promise<MadeKey> {
  const token = userToken(user);
  if (token === undefined) throw invalid('user', 'must be at most 256 bytes of valid Unicode');
  const [id, secret] = [newId(), newSecret()];
  const record: KeyRecord = { hash: hashOf(secret), user: token, expiresAt: expiryIn(expiresAt) };
  const add = ({ tables, now }: OrgBook): Step<MadeKey> => {
    const member = memberIn(tables, token);
    if (member === undefined || member.status === 'removed') throw invalid('user', 'there is no such user');
    if (record.expiresAt !== 0 && record.expiresAt <= now) throw invalid('expiresAt', 'is past');
    const about: About = { name, createdAt: now, createdBy: act.who };
    const row: Row = { id, record, about };
    return {
      changes: [
        { set: 'keys', field: id, value: encodeKey(record) },
        { set: 'records', field: aboutField(id), value: JSON.stringify(about) },
      ],
      deed: { action: 'key.add', subject: `key:${id}`, to: told(row) },
      answer: { key: `qg_${act.org}_${id}_${secret}`, view: keyView(row, now) },
    };
  };
  return changeOrg(admin, act, add, () => [{ table: 'members', fields: [token] }]);
}

async function deleteKey(admin: Admin, act: Act, id: string): Promise<void> {
  const remove = ({ tables }: OrgBook): Step<undefined> => {
    const text = textIn(tables, 'keys', id);
    if (text === undefined) throw notFound(`key ${id}`);
    const from = told({ id, record: decodeKey(text), about: aboutIn(tables, id) });
    return {
      changes: [
        { del: 'keys', field: id },
        { del: 'records', field: aboutField(id) },
      ],
      deed: { action: 'key.delete', subject: `key:${id}`, from },
      answer: undefined,
    };
  };
  const wants: Want[] = [
    { table: 'keys', fields: [id] },
    { table: 'records', fields: [aboutField(id)] },
  ];
  await changeOrg(admin, act, remove, () => wants);
}
