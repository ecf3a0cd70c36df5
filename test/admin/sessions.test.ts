// Sessions of the console: opened with a token or a one-time code, kept in the ledger as a hash, no longer valid than their token,
// and of no use to other pages.
import t from 'tap';
import { buildAdmin, LoginCodes } from '../../src/admin/index.js';
import { isFromConsole, keepsCookie, sessionCookieIn } from '../../src/admin/session/cookie.js';
import { TOKEN_ORG } from '../../src/admin/tokens/token-store.js';
import { fieldsOf } from '../support/ledgers.js';
import {
  bearer,
  CONSOLE,
  cookieOf,
  type Json,
  NOON,
  onBothLedgers,
  problem,
  QUOTAS,
  type Send,
  startAcme,
  TOKEN,
} from './support.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

async function tokenBy(send: Send, more: Json = {}): Promise<{ id: string; token: string }> {
  const { body } = await send('POST', '/tokens', { name: 'eve', role: 'viewer', orgs: ['acme'], ...more });
  return body;
}

async function logIn(send: Send, token: string): Promise<Record<string, string>> {
  const answer = await send('POST', '/session', { token }, CONSOLE);
  if (answer.status !== 200) throw new Error(`${answer.status} ${JSON.stringify(answer.body)}`);
  return cookieOf(answer);
}

const statusOf = async (send: Send, session: Record<string, string>): Promise<number> =>
  (await send('GET', '/orgs/acme', undefined, session)).status;

onBothLedgers(
  'a session is kept as a hash, and is as good as its token',
  async (t, { one, other, ledger }) => {
    const { id, token } = await tokenBy(one);
    const answer = await one('POST', '/session', { token }, CONSOLE);
    t.equal(answer.status, 200);
    t.equal(answer.headers.get('cache-control'), 'no-store');
    const [cookie = ''] = answer.headers.getSetCookie();
    t.match(cookie, /^__Host-quotagate=qgs_\w+; Path=\/; HttpOnly; Secure; SameSite=Strict; Max-Age=43200$/);
    t.match(answer.body, {
      who: `eve (${id})`,
      role: 'viewer',
      allOrgs: false,
      orgs: [{ id: 'acme', name: 'acme', role: 'viewer' }],
      moreOrgs: false,
      expiresAt: '2026-05-22T22:00:00.000Z',
      idleSeconds: 1_800,
    });
    const session = cookieOf(answer);
    t.strictSame((await other('GET', '/session', undefined, session)).body, answer.body);
    t.equal(await statusOf(other, session), 200);
    t.same(problem(await other('GET', '/orgs/globex', undefined, session)), [404, 'not-found']);
    t.same(problem(await other('POST', '/orgs/acme/users', { id: 'x' }, session)), [403, 'token-forbidden']);

    const [, , secret = ''] = (session.cookie ?? '').split('_').slice(2);
    const audit = (await other('GET', '/audit?action=session')).body;
    const kept = JSON.stringify([await fieldsOf(ledger, TOKEN_ORG, 'sessions'), audit]);
    t.ok(secret.length > 10);
    t.notMatch(kept, (session.cookie ?? '').split('_')[4]);
    t.match(audit.items[0], { who: `eve (${id})`, action: 'session.add', to: { by: 'token' } });
  },
);

onBothLedgers('it ends with its token, and with the logout, on every replica', async (t, { one, other }) => {
  const { id, token } = await tokenBy(one);
  const [first, second] = [await logIn(one, token), await logIn(other, token)];
  const answer = await one('DELETE', '/session', undefined, first);
  t.equal(answer.status, 204);
  t.match(answer.headers.getSetCookie()[0], /^__Host-quotagate=; .*Max-Age=0$/);
  t.same(problem(await other('GET', '/session', undefined, first)), [401, 'session-ended']);
  t.equal(await statusOf(other, second), 200, 'the other session goes on');
  await one('DELETE', `/tokens/${id}`);
  t.same(problem(await other('GET', '/session', undefined, second)), [401, 'session-ended']);
  const { items } = (await one('GET', '/audit?action=session.delete')).body;
  t.match(items, [{ who: `eve (${id})`, subject: /^session:/ }]);
});

onBothLedgers(
  'it ends when nobody clicks, and after its life in any case',
  async (t, { one, other, setClock, ledger }) => {
    const { token } = await tokenBy(one, { expiresAt: new Date(NOON + 3 * HOUR_MS).toISOString() });
    const [busy, idle, polled] = [await logIn(one, token), await logIn(one, token), await logIn(one, token)];
    const poll = { ...polled, 'quotagate-console': 'poll' };
    for (let minute = 20; minute <= 100; minute += 20) {
      await setClock(NOON + minute * MINUTE_MS);
      t.equal(await statusOf(other, busy), 200, `${minute} minutes`);
      t.equal(await statusOf(other, idle), minute < 30 ? 200 : 401);
      t.equal(await statusOf(other, poll), minute < 30 ? 200 : 401, 'polling keeps no session alive');
      if (minute === 20) await one('DELETE', '/session', undefined, idle);
    }
    await setClock(NOON + 3 * HOUR_MS - 1);
    t.equal(await statusOf(one, await logIn(one, token)), 200);
    await setClock(NOON + 3 * HOUR_MS);
    t.equal(await statusOf(one, busy), 401, 'the token has expired');

    const session = await logIn(one, TOKEN);
    const live = Object.keys(await fieldsOf(ledger, TOKEN_ORG, 'sessions'));
    t.equal(live.length, 1, 'ended sessions are deleted by the next login');
    const { version } = await ledger.read(TOKEN_ORG, []);
    await setClock(NOON + 3 * HOUR_MS + MINUTE_MS - 1);
    await Promise.all([statusOf(one, session), statusOf(other, session)]);
    t.equal((await ledger.read(TOKEN_ORG, [])).version, version, 'not written again within a minute');
    await setClock(NOON + 3 * HOUR_MS + MINUTE_MS);
    await statusOf(one, session);
    t.equal((await ledger.read(TOKEN_ORG, [])).version, version + 1);
  },
);

onBothLedgers(
  'a token has at most 32 sessions: the one used longest ago ends',
  async (t, { one, setClock }) => {
    const { token } = await tokenBy(one);
    const sessions = [];
    for (let count = 0; count < 33; count += 1) {
      await setClock(NOON + count);
      sessions.push(await logIn(one, token));
    }
    t.equal(await statusOf(one, sessions[0] ?? {}), 401);
    t.equal(await statusOf(one, sessions[1] ?? {}), 200);
  },
);

onBothLedgers(
  'a session of the bootstrap token ends when the config names another one',
  async (t, { one, ledger }) => {
    const session = await logIn(one, TOKEN);
    t.equal(await statusOf(one, session), 200);
    for (const bootstrapToken of ['another-token-for-tests', undefined]) {
      const app = buildAdmin({ ledger, quotas: QUOTAS, bootstrapToken });
      const answer = await app.inject({ url: '/v1/orgs/acme', headers: { ...session, host: 'localhost' } });
      t.equal(answer.statusCode, 401);
      await app.close();
    }
  },
);

t.test('what one may do is what the role table says', async (t) => {
  const { send } = await startAcme(t);
  const operations = async (role: string, orgs: unknown): Promise<string[]> => {
    const { token } = await tokenBy(send, { role, orgs });
    return (await send('GET', '/session', undefined, bearer(token))).body.operations;
  };
  const admin = await operations('admin', 'all');
  t.ok(['createLimit', 'listTokenAudit', 'putPlan'].every((one) => admin.includes(one)) || admin.join());
  t.notOk((await operations('admin', ['acme'])).includes('listTokenAudit'), 'it needs a token for all orgs');
  const viewer = await operations('viewer', 'all');
  t.ok(viewer.includes('listLimits'));
  t.notOk(viewer.includes('createLimit'));
  const { body } = await send('GET', '/session');
  t.match(body, { who: 'bootstrap', allOrgs: true, expiresAt: null, idleSeconds: null });
});

t.test('a session is of no use to other pages', async (t) => {
  const { send } = await startAcme(t);
  const session = await logIn(send, TOKEN);
  const refused = async (headers: Record<string, string>) =>
    problem(await send('GET', '/orgs', undefined, { cookie: session.cookie ?? '', ...headers }));
  const forbidden = [403, 'session-forbidden'];
  t.same(await refused({}), forbidden, 'the header is missing');
  t.same(await refused({ 'sec-fetch-site': 'same-origin' }), forbidden);
  t.same(await refused({ 'quotagate-console': '1' }), forbidden);
  for (const site of ['same-site', 'cross-site', 'none'])
    t.same(await refused({ 'quotagate-console': '1', 'sec-fetch-site': site }), forbidden, site);
  t.same(await refused({ 'quotagate-console': '1', origin: 'http://other.test' }), forbidden);
  t.same(problem(await send('POST', '/session', { token: TOKEN }, {})), forbidden, 'nor can they log in');
  const twice = { ...session, cookie: `${session.cookie}; __Host-quotagate=qgs_x` };
  t.same(problem(await send('GET', '/orgs', undefined, twice)), [401, 'session-ended'], 'two cookies');
  for (const value of ['', 'qgs_a', 'qga_AAAAAAAA_BBBBBBBBBBBBBBBBBBBB', '%00'])
    t.same(
      problem(await send('GET', '/orgs', undefined, { ...session, cookie: `__Host-quotagate=${value}` })),
      [401, 'session-ended'],
      value,
    );
  t.equal((await send('GET', '/orgs', undefined, { ...session, ...bearer(TOKEN) })).status, 200);
});

t.test('failed logins are audited, and answered alike', async (t) => {
  const { send } = await startAcme(t);
  const login = async (body: unknown) => problem(await send('POST', '/session', body, CONSOLE));
  t.same(await login({ token: 'qga_AAAAAAAAAAAAAAAA_BBBBBBBBBBBBBBBBBBBB' }), [401, 'token-invalid']);
  t.same(await login({ code: 'x' }), [401, 'login-code-invalid']);
  t.same(await login({}), [422, 'input-invalid', 'body']);
  t.same(await login({ token: 'x', code: 'x' }), [422, 'input-invalid', 'body']);
  const key = { ...CONSOLE, 'idempotency-key': 'k' };
  t.same(problem(await send('POST', '/session', { token: TOKEN }, key)), [
    422,
    'input-invalid',
    'idempotency-key',
  ]);
  const { items } = (await send('GET', '/audit?action=login.fail')).body;
  t.match(items, [{ who: 'unknown' }, { who: 'token AAAAAAAAAAAAAAAA' }]);
});

t.test('no login over plain HTTP, where browsers drop the cookie', async (t) => {
  const { ledger, url } = await startAcme(t);
  const plain = { host: 'quota.internal:9080', origin: 'http://quota.internal:9080' };
  const ask = async (headers: Record<string, string>, publicUrl?: string) => {
    const app = buildAdmin({ ledger, quotas: QUOTAS, bootstrapToken: TOKEN, publicUrl });
    t.teardown(() => app.close());
    const login = await app.inject({
      method: 'POST',
      url: '/v1/session',
      headers: { ...CONSOLE, ...headers },
      payload: { token: TOKEN },
    });
    const shown = await app.inject({ url: '/v1/login', headers });
    return [login.statusCode, login.json().code, shown.json().refused === null];
  };
  t.same(await ask(plain), [403, 'login-insecure', false]);
  t.same(await ask({ host: plain.host }), [403, 'login-insecure', false]);
  t.same(await ask({ host: plain.host, origin: 'https://quota.example' }), [200, undefined, true]);
  t.same(await ask({ host: plain.host }, 'https://quota.example'), [200, undefined, true]);
  t.same(await ask(plain, 'https://quota.example'), [403, 'login-insecure', false]);
  t.same(await fetch(`${url}/v1/login`).then((answer) => answer.json()), {
    methods: ['token', 'code'],
    oidc: null,
    refused: null,
  });
});

t.test('which connections keep the cookie', async (t) => {
  const connection = { origin: undefined, host: undefined, encrypted: false, publicUrl: undefined };
  for (const host of ['localhost:9080', '127.0.0.1:9080', '127.8.8.8', '[::1]:9080', 'admin.localhost'])
    t.ok(keepsCookie({ ...connection, host }), host);
  for (const host of ['10.0.0.1:9080', 'localhost.example', 'xlocalhost', '127.0.0.1.example', '@', ''])
    t.notOk(keepsCookie({ ...connection, host }), host);
  t.ok(keepsCookie({ ...connection, host: 'quota.example', encrypted: true }));
  t.notOk(keepsCookie({ ...connection, host: 'localhost', origin: 'null' }));
});

t.test('requests of the console', async (t) => {
  const header = { 'quotagate-console': '1' };
  t.ok(isFromConsole({ ...header, host: 'Quota.test:9080', origin: 'http://quota.test:9080' }));
  t.notOk(isFromConsole({ ...header, host: 'quota.test:9080', origin: 'http://quota.test:9081' }));
  t.notOk(isFromConsole({ ...header, host: 'quota.test', origin: 'null' }));
  t.notOk(isFromConsole({ ...header, 'quotagate-console': '2', 'sec-fetch-site': 'same-origin' }));
  t.equal(sessionCookieIn('a=1; __Host-quotagate=x; b=2'), 'x');
  t.equal(sessionCookieIn('x__Host-quotagate=x'), undefined);
});

t.test('a code logs in once, within five minutes', async (t) => {
  const { ledger } = await startAcme(t);
  let now = 0;
  const loginCodes = new LoginCodes(() => now);
  const app = buildAdmin({ ledger, quotas: QUOTAS, bootstrapToken: TOKEN, loginCodes });
  t.teardown(() => app.close());
  const login = (code: string) =>
    app.inject({
      method: 'POST',
      url: '/v1/session',
      headers: { ...CONSOLE, host: 'localhost' },
      payload: { code },
    });
  const code = loginCodes.make(TOKEN);
  now = 5 * MINUTE_MS - 1;
  const first = await login(code);
  t.match(first.json(), { who: 'bootstrap' });
  t.equal((await login(code)).json().code, 'login-code-invalid', 'used');
  const late = loginCodes.make(TOKEN);
  now += 5 * MINUTE_MS;
  t.equal((await login(late)).json().code, 'login-code-invalid', 'too old');
  const codes = Array.from({ length: 65 }, () => loginCodes.make(TOKEN));
  t.equal(loginCodes.use(codes[0] ?? ''), undefined, 'codes are bounded');
  t.equal(loginCodes.use(codes[1] ?? ''), TOKEN);
  const { items } = (await app.inject({ url: '/v1/audit', headers: bearer(TOKEN) })).json();
  t.match(items.at(-1), { action: 'session.add', to: { by: 'code' } });
});
