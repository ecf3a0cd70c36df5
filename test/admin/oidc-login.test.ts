// Login to the console at a real identity provider: authorization code with PKCE, played as a browser does it.
import t, { type Test } from 'tap';
import type { AdminOptions } from '../../src/admin/index.js';
import { AUDIENCE, CONSOLE_CLIENT, OidcServer } from '../support/oidc.js';
import { type Answer, CONSOLE, problem, type Send, startAcme, startReplica } from './support.js';

const subjects = {
  claims: { groups: ['quota-admins'], email: 'ana@example.com' } as Record<string, unknown>,
};

const provider = await OidcServer.start(t, {
  findAccount: (_context, accountId) => ({
    accountId,
    claims: async () => ({ sub: accountId, ...subjects.claims }),
  }),
  claims: { openid: ['sub', 'groups'], email: ['email'] },
  conformIdTokenClaims: false,
});

const oidc: NonNullable<AdminOptions['oidc']> = {
  issuer: provider.issuer,
  audience: AUDIENCE,
  algorithms: ['RS256'],
  clockToleranceSeconds: 5,
  refreshSeconds: 300,
  claims: { subject: 'sub', name: 'email' },
  grants: [{ claim: 'groups', value: 'quota-admins', role: 'admin', orgs: ['acme'] }],
  console: {
    clientId: CONSOLE_CLIENT.client_id,
    clientSecret: CONSOLE_CLIENT.client_secret,
    scopes: ['openid', 'email'],
  },
  onTrouble: () => undefined,
  // A busy machine is not an outage.
  times: { refreshMs: 3_600_000, retryMs: 100, renewMs: 100, timeoutMs: 30_000 },
};

/** A browser that keeps cookies by origin, follows no redirect by itself, and logs in at the provider when asked. */
class Browser {
  private readonly jars = new Map<string, Map<string, string>>();

  async get(url: string): Promise<Response> {
    return this.keep(url, await fetch(url, { redirect: 'manual', headers: { cookie: this.cookies(url) } }));
  }

  /** Follows redirects until one leads to `origin` again. */
  async follow(first: string, origin: string): Promise<string> {
    let url = first;
    for (let steps = 0; steps < 10; steps += 1) {
      let answer = await this.get(url);
      if (answer.status === 200) answer = await this.submit(url, await answer.text());
      const to = new URL(answer.headers.get('location') ?? '', url).href;
      if (to.startsWith(origin)) return to;
      url = to;
    }
    throw new Error(`no way back from ${first}`);
  }

  cookies(url: string): string {
    return [...this.jar(url)].map(([name, value]) => `${name}=${value}`).join('; ');
  }

  /** The forms of the provider's pages: a login, and a consent. */
  private async submit(page: string, html: string): Promise<Response> {
    const action = new URL(/action="([^"]+)"/.exec(html)?.[1] ?? '', page).href;
    const prompt = /name="prompt" value="([^"]+)"/.exec(html)?.[1] ?? '';
    const body = new URLSearchParams({ prompt, login: 'ana', password: 'x' });
    const headers = { cookie: this.cookies(action) };
    return this.keep(action, await fetch(action, { method: 'POST', redirect: 'manual', headers, body }));
  }

  private keep(url: string, answer: Response): Response {
    for (const text of answer.headers.getSetCookie()) {
      const [pair = ''] = text.split(';');
      const at = pair.indexOf('=');
      if (/max-age=0|expires=thu, 01 jan 1970/i.test(text)) this.jar(url).delete(pair.slice(0, at));
      else this.jar(url).set(pair.slice(0, at), pair.slice(at + 1));
    }
    return answer;
  }

  private jar(url: string): Map<string, string> {
    const { origin } = new URL(url);
    const jar = this.jars.get(origin) ?? new Map<string, string>();
    this.jars.set(origin, jar);
    return jar;
  }
}

async function start(t: Test, more: Partial<AdminOptions> = {}) {
  const bench = await startAcme(t, {}, { oidc, ...more });
  provider.redirectUri = `${bench.url}/login/oidc/callback`;
  await provider.rotate();
  const browser = new Browser();
  const begin = async (): Promise<string> => {
    const answer = await browser.get(`${bench.url}/login/oidc`);
    return answer.headers.get('location') ?? '';
  };
  return { ...bench, browser, begin };
}

const session = (browser: Browser, url: string) => ({ ...CONSOLE, cookie: browser.cookies(url) });

async function failed(send: Send): Promise<Answer['body'][]> {
  return (await send('GET', '/audit?action=login.fail')).body.items;
}

t.test('the login ends in a session with what the grants give', async (t) => {
  const { url, send, browser, begin } = await start(t);
  t.match((await send('GET', '/login')).body, { oidc: { url: '/login/oidc' } });
  const authorization = new URL(await begin());
  t.match(Object.fromEntries(authorization.searchParams), {
    client_id: 'console',
    response_type: 'code',
    code_challenge_method: 'S256',
    redirect_uri: `${url}/login/oidc/callback`,
    scope: 'openid email',
  });
  const back = await browser.follow(authorization.href, url);
  const answer = await browser.get(back);
  t.equal(answer.status, 302);
  t.equal(answer.headers.get('location'), '/console/');
  const cookies = answer.headers.getSetCookie();
  t.match(cookies[0], /^__Host-quotagate-login=; Path=\/; HttpOnly; Secure; SameSite=Lax; Max-Age=0$/);
  t.match(
    cookies[1],
    /^__Host-quotagate=qgs_\w+; Path=\/; HttpOnly; Secure; SameSite=Strict; Max-Age=43200$/,
  );
  const { body } = await send('GET', '/session', undefined, session(browser, url));
  t.match(body, { who: 'ana@example.com (oidc:ana)', role: 'admin', allOrgs: false, orgs: [{ id: 'acme' }] });
  const change = await send('PATCH', '/orgs/acme/users/ann', { name: 'A' }, session(browser, url));
  t.equal(change.status, 200);
  t.match((await send('GET', '/orgs/acme/audit')).body.items[0], { who: 'ana@example.com (oidc:ana)' });
  const [entry] = (await send('GET', '/audit?action=session.add')).body.items;
  t.match(entry, { who: 'ana@example.com (oidc:ana)', to: { by: 'oidc' } });
  t.match(await browser.get(back), { status: 302 });
  t.equal((await failed(send)).length, 0, 'a code without its cookie is no failed login');
  t.equal((await send('DELETE', '/session', undefined, session(browser, url))).status, 204);
  t.equal((await send('GET', '/session', undefined, session(browser, url))).status, 401, 'logged out');
});

t.test(
  'no grant, another browser, a changed state, a code used twice, a provider that is down',
  async (t) => {
    const { url, send, browser, begin } = await start(t);
    const answerOf = async (to: string, by = browser) => {
      const answer = await by.get(to);
      t.notMatch(answer.headers.getSetCookie().join(), /__Host-quotagate=qgs/, 'no session');
      return answer.headers.get('location');
    };
    subjects.claims = { groups: ['staff'] };
    t.equal(await answerOf(await browser.follow(await begin(), url)), '/console/?login=token-invalid');
    t.match((await failed(send))[0], { who: 'unknown', reason: 'No grant matches the claims of oidc:ana' });
    subjects.claims = { groups: ['quota-admins'] };
    const mine = await browser.follow(await begin(), url);
    t.equal(await answerOf(mine, new Browser()), '/console/?login=login-code-invalid');
    const other = new URL(mine);
    other.searchParams.set('state', 'another');
    t.equal(await answerOf(other.href), '/console/?login=token-invalid');
    const denied = new URL(await begin());
    const state = denied.searchParams.get('state');
    const refusal = `${url}/login/oidc/callback?error=access_denied&state=${state}&iss=${provider.issuer}`;
    t.equal(await answerOf(refusal), '/console/?login=token-invalid');
    const again = await browser.follow(await begin(), url);
    provider.isDown = true;
    t.equal(await answerOf(again), '/console/?login=identity-unavailable');
    provider.isDown = false;
    t.same(problem(await send('GET', '/session', undefined, session(browser, url))), [401, 'token-missing']);
  },
);

t.test('a session ends with its grant', async (t) => {
  const { url, ledger, send, browser, begin } = await start(t);
  await browser.get(await browser.follow(await begin(), url));
  t.equal((await send('GET', '/session', undefined, session(browser, url))).status, 200);
  const without = await startReplica(t, ledger, { oidc: { ...oidc, grants: [] } });
  const ended = await without('GET', '/session', undefined, session(browser, url));
  t.same(problem(ended), [401, 'session-ended']);
});
