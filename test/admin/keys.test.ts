// API keys: shown once, kept as a hash where the decision reads it, and revoked for the next decision.
import { createHash } from 'node:crypto';
import t from 'tap';
import type { Ledger, ReserveOp, Result } from '../../src/ledger/port.js';
import { charges } from '../../src/quota/charge.js';
import { fieldsOf } from '../support/ledgers.js';
import { applyNow, type Json, NOON, onBothLedgers, problem, startAcme } from './support.js';

/** One unit of `ai`, decided by what the gateway makes of the key's text. */
async function spend(ledger: Ledger, key: string): Promise<Result | undefined> {
  const [, org = '', id, secret = ''] = /^qg_(.+)_([A-Za-z0-9]+)_([A-Za-z0-9]+)$/.exec(key) ?? [];
  const hash = createHash('sha256').update(secret).digest('hex');
  const items = [{ quota: 'ai', units: 1, kind: 'fixed' }] as const;
  const op: ReserveOp = {
    kind: 'reserve',
    user: '',
    key: `${id}:${hash}`,
    claims: '',
    charges: charges('test', items),
    hold: '',
    ttlMs: 0,
  };
  return (await applyNow(ledger, org, [op])).results[0];
}

onBothLedgers('made, used, revoked: each holds for the next decision', async (t, { one, other, ledger }) => {
  const made = await one('POST', '/orgs/acme/keys', { user: 'bob', name: 'ci', reason: 'pipeline' });
  t.equal(made.status, 201);
  t.equal(made.headers.get('cache-control'), 'no-store');
  const { key, ...view } = made.body;
  t.equal(made.headers.get('location'), `/v1/orgs/acme/keys/${view.id}`);
  t.match(key, new RegExp(`^qg_acme_${view.id}_[A-Za-z0-9]{43}$`));
  t.match(view, {
    user: 'bob',
    name: 'ci',
    createdAt: '2026-05-22T10:00:00.000Z',
    createdBy: 'bootstrap',
    expiresAt: null,
    expired: false,
  });
  t.match((await other('GET', '/orgs/acme/keys')).body, { items: [view], cursor: null });
  t.match(await spend(ledger, key), { status: 'admitted', user: 'bob' });
  t.match(await spend(ledger, `${key}0`), { status: 'denied', reason: 'invalid-key' });

  const kept = [await fieldsOf(ledger, 'acme', 'keys'), await fieldsOf(ledger, 'acme', 'records')];
  const audit = (await one('GET', '/orgs/acme/audit')).body.items;
  t.notMatch(JSON.stringify([kept, audit]), key.split('_').at(-1), 'the secret is nowhere');
  t.notMatch(JSON.stringify(audit), /[0-9a-f]{64}/);
  t.match(audit[0], {
    action: 'key.add',
    subject: `key:${view.id}`,
    to: { user: 'bob', name: 'ci', expiresAt: null },
    reason: 'pipeline',
  });

  t.equal((await other('DELETE', `/orgs/acme/keys/${view.id}?reason=leaked`)).status, 204);
  t.match(await spend(ledger, key), { status: 'denied', reason: 'invalid-key' });
  t.same(await fieldsOf(ledger, 'acme', 'keys'), {});
  t.notMatch(Object.keys(await fieldsOf(ledger, 'acme', 'records')), [`key:${view.id}`]);
  t.same((await other('GET', '/orgs/acme/keys')).body.items, []);
  t.same(problem(await one('DELETE', `/orgs/acme/keys/${view.id}`)), [404, 'not-found']);
  t.match((await one('GET', '/orgs/acme/audit')).body.items[0], {
    action: 'key.delete',
    from: { user: 'bob', name: 'ci' },
    reason: 'leaked',
  });
});

onBothLedgers('a key expires by the store’s clock', async (t, { one, ledger, setClock }) => {
  const expiresAt = '2026-05-22T11:00:00.000Z';
  const { id, key } = (await one('POST', '/orgs/acme/keys', { user: 'ann', expiresAt })).body;
  await setClock(NOON + 3_599_999);
  t.match(await spend(ledger, key), { status: 'admitted' });
  await setClock(NOON + 3_600_000);
  t.match(await spend(ledger, key), { status: 'denied', reason: 'invalid-key' });
  t.match((await one('GET', '/orgs/acme/keys')).body.items, [{ id, expiresAt, expired: true }]);
});

t.test('users of the org only, in whatever signs their id is', async (t) => {
  const { send, ledger } = await startAcme(t, { seats: 9 });
  const id = 'zoë|✈, ops';
  await send('POST', '/orgs/acme/users', { id });
  const { key } = (await send('POST', '/orgs/acme/keys', { user: id })).body;
  t.match(await spend(ledger, key), { status: 'admitted' });
  t.match((await send('GET', '/orgs/acme/keys')).body.items, [{ user: id, name: '' }]);
  t.match((await send('GET', '/orgs/acme/usage?quota=ai&scope=user')).body.items, [{ id, consumed: 1 }]);
  t.equal((await send('DELETE', `/orgs/acme/users/${encodeURIComponent(id)}`)).status, 204);
  t.match(
    await spend(ledger, key),
    { status: 'denied', reason: 'inactive-user' },
    'a key outlives its holder in vain',
  );
});

t.test('refusals', async (t) => {
  const { send } = await startAcme(t);
  await send('DELETE', '/orgs/acme/users/bob');
  const post = async (body: Json) => problem(await send('POST', '/orgs/acme/keys', body));
  t.same(await post({}), [422, 'input-invalid', 'user']);
  t.same(await post({ user: 'nobody' }), [422, 'input-invalid', 'user']);
  t.same(await post({ user: 'bob' }), [422, 'input-invalid', 'user'], 'removed');
  t.same(await post({ user: 'é'.repeat(129) }), [422, 'input-invalid', 'user']);
  t.same(await post({ user: 'ann', expiresAt: '2026-05-22T10:00:00Z' }), [422, 'input-invalid', 'expiresAt']);
  t.same(await post({ user: 'ann', id: 'mine' }), [422, 'input-invalid', 'id']);
  t.same((await send('GET', '/orgs/acme/keys')).body.items, []);
  t.same(problem(await send('POST', '/orgs/nobody/keys', { user: 'ann' })), [404, 'not-found']);
  await send('DELETE', '/orgs/acme');
  t.same(await post({ user: 'ann' }), [403, 'org-archived']);
});

t.test('a key of one org is not deleted under another', async (t) => {
  const { send } = await startAcme(t);
  await send('PUT', '/orgs/globex', { cycle: { every: 'day', anchor: 0, timeZone: 'UTC' } });
  const { id } = (await send('POST', '/orgs/acme/keys', { user: 'ann' })).body;
  t.same(problem(await send('DELETE', `/orgs/globex/keys/${id}`)), [404, 'not-found']);
  t.equal((await send('GET', '/orgs/acme/keys')).body.items.length, 1);
});

t.test('lists: search, filter, order, pages', async (t) => {
  const { send } = await startAcme(t);
  for (const [user, name] of [
    ['ann', 'laptop'],
    ['bob', 'CI'],
    ['ann', 'phone'],
  ])
    await send('POST', '/orgs/acme/keys', { user, name });
  const list = async (query: string) => {
    const { items, cursor } = (await send('GET', `/orgs/acme/keys?${query}`)).body;
    return { names: items.map((one: Json) => one.name), cursor };
  };
  t.same((await list('sort=name')).names, ['CI', 'laptop', 'phone']);
  t.same((await list('q=ci')).names, ['CI']);
  t.same((await list('q=ANN&sort=name')).names, ['laptop', 'phone']);
  t.same((await list('user=bob')).names, ['CI']);
  const { names, cursor } = await list('sort=name&pageSize=2');
  t.same(names, ['CI', 'laptop']);
  t.same((await list(`sort=name&cursor=${cursor}`)).names, ['phone']);
});
