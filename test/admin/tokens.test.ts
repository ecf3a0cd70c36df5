// Admin tokens are shown once, stored as a hash, revoked for the next request on every replica, and never get more
// permissions than the token that created them.
import t from 'tap';
import { createOrg } from '../../src/admin/index.js';
import { TOKEN_ORG } from '../../src/admin/tokens/token-store.js';
import { StoreError } from '../../src/ledger/port.js';
import { maintenanceRounds } from '../../src/maintenance/rounds.js';
import { RETENTION } from '../maintenance/support.js';
import { fieldsOf } from '../support/ledgers.js';
import {
  ACME,
  bearer,
  type Json,
  NOON,
  onBothLedgers,
  problem,
  QUOTAS,
  type Send,
  startAdmin,
} from './support.js';

const BOT = { name: 'bot', role: 'admin', orgs: 'all' };

async function make(send: Send, token: Json, by?: string): Promise<Json> {
  const answer = await send('POST', '/tokens', token, by === undefined ? {} : bearer(by));
  if (answer.status !== 201) throw new Error(`${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body;
}

const names = ({ body }: { body: Json }): string[] => body.items.map((one: Json) => one.name);

onBothLedgers('made once, kept as a hash', async (t, { one, other, ledger }) => {
  const answer = await one('POST', '/tokens', {
    ...BOT,
    role: 'viewer',
    orgs: ['acme'],
    reason: 'dashboard',
  });
  t.equal(answer.status, 201);
  t.equal(answer.headers.get('cache-control'), 'no-store');
  const { token, ...view } = answer.body;
  t.equal(answer.headers.get('location'), `/v1/tokens/${view.id}`);
  t.match(token, new RegExp(`^qga_${view.id}_[A-Za-z0-9]{43}$`));
  t.match(view, {
    name: 'bot',
    role: 'viewer',
    orgs: ['acme'],
    createdAt: '2026-05-22T10:00:00.000Z',
    createdBy: 'bootstrap',
    expiresAt: null,
    expired: false,
  });
  t.same((await other('GET', '/tokens')).body, { items: [view], cursor: null });
  t.equal((await other('GET', '/orgs/acme', undefined, bearer(token))).status, 200);

  const secret = token.split('_')[2];
  const audit = (await other('GET', '/audit?action=token')).body;
  const kept = JSON.stringify([await fieldsOf(ledger, TOKEN_ORG, 'records'), audit]);
  t.match(kept, view.id);
  t.notMatch(kept, secret);
  t.match(audit.items, [
    {
      who: 'bootstrap',
      action: 'token.add',
      subject: `token:${view.id}`,
      to: { orgs: ['acme'] },
      reason: 'dashboard',
    },
  ]);
  t.notMatch(JSON.stringify(audit), /[0-9a-f]{64}/, 'the log has no hash either');
});

onBothLedgers('a revoked token ends with the next request, on every replica', async (t, { one, other }) => {
  const { id, token } = await make(one, BOT);
  const ask = async (send: Send) => (await send('GET', '/orgs', undefined, bearer(token))).status;
  t.same([await ask(one), await ask(other)], [200, 200]);
  t.equal((await one('DELETE', `/tokens/${id}?reason=leaked`)).status, 204);
  t.same([await ask(other), await ask(one)], [401, 401]);
  t.same(problem(await other('GET', '/orgs', undefined, bearer(token))), [401, 'token-invalid']);
  t.same(problem(await one('DELETE', `/tokens/${id}`)), [404, 'not-found']);
  t.same((await one('GET', '/tokens')).body.items, []);
  t.match((await one('GET', '/audit?action=token.delete')).body.items[0], {
    action: 'token.delete',
    subject: `token:${id}`,
    from: { name: 'bot', role: 'admin', orgs: 'all', expiresAt: null },
    reason: 'leaked',
  });
});

onBothLedgers('a token expires by the store’s clock', async (t, { one, other, setClock }) => {
  const { id, token } = await make(one, { ...BOT, expiresAt: '2026-05-22T14:00:00.5+02:00' });
  const ask = async () => (await other('GET', '/orgs', undefined, bearer(token))).status;
  await setClock(NOON + 2 * 3_600_000 + 499);
  t.equal(await ask(), 200);
  await setClock(NOON + 2 * 3_600_000 + 500);
  t.equal(await ask(), 401);
  t.match((await one('GET', '/tokens')).body.items, [
    { id, expiresAt: '2026-05-22T12:00:00.500Z', expired: true },
  ]);
});

onBothLedgers('the token store is not an org', async (t, { one, ledger }) => {
  await make(one, BOT);
  t.same(await ledger.orgs(), ['acme']);
  t.same(
    (await one('GET', '/orgs')).body.items.map((org: Json) => org.id),
    ['acme'],
  );
  for (const path of ['/orgs/*tokens*', '/orgs/%2Atokens%2A/audit', '/orgs/*tokens*/users'])
    t.same(problem(await one('GET', path)), [404, 'not-found'], path);
  const cycle = { every: 'month', anchor: 1, timeZone: 'UTC' };
  t.same(problem(await one('PUT', '/orgs/*tokens*', { cycle })), [422, 'input-invalid', 'org']);
  const errors: unknown[] = [];
  const onError = (error: unknown): void => void errors.push(error);
  await maintenanceRounds({ ledger, everyMs: 60_000, history: RETENTION, onError }).round();
  t.same(errors, [], 'housekeeping passes it by');
});

onBothLedgers('tokens made and revoked at the same time', async (t, { one, other }) => {
  const made = await Promise.all(
    [one, other, one, other, one, other].map((send, index) => make(send, { ...BOT, name: `bot ${index}` })),
  );
  const ended = made
    .slice(0, 3)
    .map(({ id }, index) => (index === 1 ? one : other)('DELETE', `/tokens/${id}`));
  t.same(
    (await Promise.all(ended)).map(({ status }) => status),
    [204, 204, 204],
  );
  t.same(names(await one('GET', '/tokens')), ['bot 3', 'bot 4', 'bot 5']);
  t.equal((await one('GET', '/audit?action=token')).body.items.length, 9);
});

t.test('texts that are no token', async (t) => {
  const { send, ledger } = await startAdmin(t);
  const [first, second] = [await make(send, BOT), await make(send, BOT)];
  const [, id, secret] = first.token.split('_');
  const wrong = [
    `qga_${id}_${second.token.split('_')[2]}`,
    `qga_${second.id}_${secret}`,
    `qga_${id}_${secret}0`,
    `qga_${id}_${secret.slice(1)}`,
    `qga_${id}`,
    `qga_${id}_`,
    `qg_${id}_${secret}`,
    `QGA_${id}_${secret}`,
    `qga_nobodynobody_${secret}`,
    `qga___proto___${secret}`,
    id,
    secret,
  ];
  for (const text of wrong)
    t.same(problem(await send('GET', '/orgs', undefined, bearer(text))), [401, 'token-invalid'], text);
  const kept = (await fieldsOf(ledger, TOKEN_ORG, 'records'))[`token:${id}`];
  const { hash } = JSON.parse(kept ?? '') as { hash: string };
  t.equal(
    (await send('GET', '/orgs', undefined, bearer(`qga_${id}_${hash}`))).status,
    401,
    'what is kept lets nobody in',
  );
});

t.test('what a token cannot be', async (t) => {
  const { send, ledger } = await startAdmin(t);
  await createOrg(ledger, { id: 'acme', seed: ACME, quotas: QUOTAS });
  const post = async (over: Json) => problem(await send('POST', '/tokens', { ...BOT, ...over }));
  t.same(await post({ name: '' }), [422, 'input-invalid', 'name']);
  t.same(await post({ name: 'a\nb' }), [422, 'input-invalid', 'name']);
  t.same(await post({ role: 'owner' }), [422, 'input-invalid', 'role']);
  t.same(await post({ orgs: [] }), [422, 'input-invalid', 'orgs']);
  t.same(await post({ orgs: 'acme' }), [422, 'input-invalid', 'orgs']);
  t.same(await post({ orgs: ['acme', 'nobody'] }), [422, 'input-invalid', 'orgs']);
  t.same(await post({ orgs: ['*tokens*'] }), [422, 'input-invalid', 'orgs']);
  t.same(await post({ secret: 'x' }), [422, 'input-invalid', 'secret']);
  for (const expiresAt of [
    '2026-05-22T10:00:00Z',
    '2020-01-01T00:00:00Z',
    'tomorrow',
    '',
    '2026-02-30T00:00:00Z',
    7,
  ])
    t.same(await post({ expiresAt }), [422, 'input-invalid', 'expiresAt'], String(expiresAt));
  t.same(problem(await send('POST', '/tokens')), [422, 'input-invalid', 'body']);
  t.same((await send('GET', '/tokens')).body.items, []);
  t.same((await make(send, { ...BOT, orgs: ['acme', 'acme'] })).orgs, ['acme']);
});

t.test('no token makes, sees or revokes one that reaches further than itself', async (t) => {
  const { send, ledger } = await startAdmin(t);
  for (const org of ['acme', 'globex']) await createOrg(ledger, { id: org, seed: ACME, quotas: QUOTAS });
  const root = await make(send, { ...BOT, name: 'root' });
  const both = await make(send, { ...BOT, name: 'both', orgs: ['globex', 'acme'] });
  const globex = await make(send, { ...BOT, name: 'globex', orgs: ['globex'] });
  const expiresAt = '2026-06-01T00:00:00.000Z';
  const acme = await make(send, { ...BOT, name: 'acme', orgs: ['acme'], expiresAt });

  const by = bearer(acme.token);
  const post = async (over: Json) =>
    send('POST', '/tokens', { ...BOT, orgs: ['acme'], expiresAt, ...over }, by);
  t.same(problem(await post({ orgs: 'all' })), [422, 'input-invalid', 'orgs']);
  const outside = await post({ orgs: ['acme', 'globex'] });
  t.same(problem(outside), [422, 'input-invalid', 'orgs']);
  const absent = await post({ orgs: ['acme', 'globey'] });
  t.equal(
    outside.body.detail.replace('globex', 'globey'),
    absent.body.detail,
    'snapshot like one that is not there',
  );
  t.same(problem(await post({ expiresAt: undefined })), [422, 'input-invalid', 'expiresAt']);
  t.same(problem(await post({ expiresAt: '2026-06-01T00:00:00.001Z' })), [422, 'input-invalid', 'expiresAt']);
  const child = await post({ name: 'child', role: 'viewer' });
  t.match([child.status, child.body.createdBy], [201, `acme (${acme.id})`]);

  t.same(names(await send('GET', '/tokens', undefined, by)), ['acme', 'child']);
  t.same(names(await send('GET', '/tokens', undefined, bearer(both.token))), [
    'acme',
    'both',
    'child',
    'globex',
  ]);
  t.same(names(await send('GET', '/tokens')), ['acme', 'both', 'child', 'globex', 'root']);
  for (const { id } of [root, both, globex])
    t.same(problem(await send('DELETE', `/tokens/${id}`, undefined, by)), [404, 'not-found']);
  t.equal((await send('DELETE', `/tokens/${child.body.id}`, undefined, by)).status, 204);
  t.equal((await send('DELETE', `/tokens/${acme.id}`, undefined, by)).status, 204, 'itself too');
  t.equal((await send('GET', '/orgs/acme', undefined, by)).status, 401);
});

t.test('lists: pages, search, order', async (t) => {
  const { send } = await startAdmin(t);
  for (const name of ['deploy', 'Grafana', 'alerts']) await make(send, { ...BOT, name });
  t.same(names(await send('GET', '/tokens')), ['alerts', 'deploy', 'Grafana']);
  t.same(names(await send('GET', '/tokens?sort=-name&pageSize=2')), ['Grafana', 'deploy']);
  t.same(names(await send('GET', '/tokens?q=graf')), ['Grafana']);
  const { cursor } = (await send('GET', '/tokens?pageSize=2')).body;
  t.same(names(await send('GET', `/tokens?cursor=${cursor}`)), ['Grafana']);
});

t.test('who did it: the token’s name and id, whatever its name is', async (t) => {
  const { send, ledger } = await startAdmin(t);
  await createOrg(ledger, { id: 'acme', seed: ACME, quotas: QUOTAS });
  const bot = await make(send, { ...BOT, name: 'bootstrap' });
  await send('POST', '/orgs/acme/groups', { id: 'g1' }, bearer(bot.token));
  t.match((await send('GET', '/orgs/acme/audit')).body.items[0], {
    action: 'group.add',
    who: `bootstrap (${bot.id})`,
  });
});

t.test('without the store only the bootstrap token is known', async (t) => {
  let down = false;
  const { send } = await startAdmin(t, (memory) => {
    const read: typeof memory.read = async (...wanted) => {
      if (down) throw new StoreError('no answer', false);
      return memory.read(...wanted);
    };
    return Object.assign(Object.create(memory), { read });
  });
  const { token } = await make(send, BOT);
  down = true;
  t.same(problem(await send('GET', '/orgs', undefined, bearer(token))), [503, 'store-unavailable']);
  t.equal((await send('GET', '/orgs')).status, 200);
  down = false;
  t.equal((await send('GET', '/orgs', undefined, bearer(token))).status, 200);
});
