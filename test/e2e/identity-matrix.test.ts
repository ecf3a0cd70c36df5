// Each combination of credential type, state of user, org and credential, and kind of route has its status, code and charge.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SignJWT } from 'jose';
import t, { type Test } from 'tap';
import type { Ledger } from '../../src/ledger/port.js';
import {
  claimsWith,
  ISSUER,
  KeyServer,
  newKey,
  nowSeconds,
  type SigningKey,
  sign,
} from '../identify/support.js';
import { admin, as, ask, type RunningGateway, startGateway } from '../support/gateway.js';
import { TestUpstream } from '../support/upstream.js';
import { figuresOf } from './figures.js';
import { until } from './load.js';

type TokenType = 'jwksUrl' | 'jwksFile' | 'secret';
type CredentialType = 'trusted' | 'apiKey' | TokenType;
type UnknownUsers = 'register' | 'deny';

interface Expected {
  readonly status: number;
  readonly code?: string;
}

const ALLOWED: Expected = { status: 200 };
const INVALID: Expected = { status: 401, code: 'credential-invalid' };
const MISSING: Expected = { status: 401, code: 'identity-missing' };
const forbidden = (code: string): Expected => ({ status: 403, code });

const TOKENS: readonly CredentialType[] = ['jwksUrl', 'jwksFile', 'secret'];
const NAMED: readonly CredentialType[] = ['trusted', ...TOKENS];
const CREDENTIALS: readonly CredentialType[] = [...TOKENS, 'apiKey'];
const ALL: readonly CredentialType[] = ['trusted', ...CREDENTIALS];

/** A state, the credential types that can have it, and the response where unknown users are registered, and denied. */
type StateCase = readonly [
  state: string,
  types: readonly CredentialType[],
  register: Expected,
  deny?: Expected,
];

const STATES: readonly StateCase[] = [
  ['active', ALL, ALLOWED],
  ['invited', ALL, ALLOWED],
  // An API key exists only for a known user.
  ['unknown', NAMED, ALLOWED, forbidden('unknown-user')],
  ['inactive', ALL, forbidden('inactive-user')],
  ['removed', ALL, forbidden('inactive-user')],
  ['invited, no seat', ALL, forbidden('no-seat')],
  ['unknown, no seat', NAMED, forbidden('no-seat'), forbidden('unknown-user')],
  ['archived org', ALL, forbidden('org-archived')],
  ['unknown org', NAMED, forbidden('unknown-org')],
  // A made-up key must not reveal which orgs exist.
  ['unknown org', ['apiKey'], INVALID],
  ['without a credential', ALL, MISSING],
  ['expired', CREDENTIALS, INVALID],
  // A shared secret has no key id: a token signed with another secret is forged.
  ['withdrawn', ['jwksUrl', 'jwksFile', 'apiKey'], INVALID],
  ['forged', CREDENTIALS, INVALID],
  ['meant for another', CREDENTIALS, INVALID],
  ['from a peer that is not listed', ['trusted'], forbidden('identity-untrusted')],
];

/** `cost`: the charge of a served request, in tenths of a unit. */
interface RouteKind {
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly anonymous: boolean;
  readonly cost: number;
}

const ROUTES: readonly RouteKind[] = [
  { name: 'metered', method: 'GET', path: '/v3/unit', anonymous: false, cost: 10 },
  { name: 'gate only', method: 'GET', path: '/v3/gate', anonymous: false, cost: 0 },
  { name: 'identity none', method: 'OPTIONS', path: '/any', anonymous: true, cost: 0 },
];

const ORGS = ['acme', 'full', 'gone', 'other'] as const;
const CONFIG_ORGS = `
  acme: { plans: { usage: { allowance: 5000 } }, users: { ana: {}, idle: {}, left: {} } }
  full: { seats: 1, plans: { usage: { allowance: 5000 } }, users: { owner: {} } }
  gone: { plans: { usage: { allowance: 5000 } }, users: { ana: {} } }
  other: { plans: { usage: { allowance: 5000 } }, users: { ana: {} } }
`;

interface Person {
  readonly org: string;
  readonly user: string;
}

interface Credential {
  readonly headers: Record<string, string>;
  readonly agent?: Agent;
}

/** Signs tokens with valid and invalid keys, for one source of keys. */
interface Issuer {
  readonly config: string;
  valid(claims: Record<string, unknown>): Promise<string>;
  /** Signed with another key under the same id. */
  forged(claims: Record<string, unknown>): Promise<string>;
  /** Signed with a key that is no longer in the key set. */
  withdrawn(claims: Record<string, unknown>): Promise<string>;
}

const SECRET = 'a-secret-that-is-shared-with-the-issuer';

async function issuerFor(t: Test, credentialType: TokenType, folder: string): Promise<Issuer> {
  const common = `issuer: '${ISSUER}', audience: quotagate`;
  if (credentialType === 'secret') {
    const file = join(folder, 'secret');
    writeFileSync(file, SECRET);
    const by = (secret: string) => (claims: Record<string, unknown>) =>
      new SignJWT(claimsWith(claims)).setProtectedHeader({ alg: 'HS256' }).sign(Buffer.from(secret));
    const other = by([...SECRET].reverse().join(''));
    const config = `jwt: { secret: { file: ${file} }, algorithms: [HS256], ${common} }`;
    return { config, valid: by(SECRET), forged: other, withdrawn: other };
  }
  const [key, stranger, old] = await Promise.all([
    newKey('ES256', 'k1'),
    newKey('ES256', 'k1'),
    newKey('ES256', 'k0'),
  ]);
  const by = (key: SigningKey) => (claims: Record<string, unknown>) => sign(key, claimsWith(claims));
  let place = '';
  if (credentialType === 'jwksUrl') place = `jwksUrl: '${(await KeyServer.start(t, [key.jwk])).url}'`;
  else {
    const file = join(folder, 'jwks.json');
    writeFileSync(file, JSON.stringify({ keys: [key.jwk] }));
    place = `jwksFile: ${file}`;
  }
  const config = `jwt: { ${place}, algorithms: [ES256], ${common} }`;
  return { config, valid: by(key), forged: by(stranger), withdrawn: by(old) };
}

/** A gateway with users, orgs and API keys in every state. */
class MatrixSetup {
  readonly upstream: TestUpstream;
  private people = 0;
  /** Keys created before their user, org or key changes state. */
  private readonly kept = new Map<string, string>();
  private readonly stranger = new Agent({ localAddress: '127.0.0.2' });

  private constructor(
    readonly gateway: RunningGateway,
    upstream: TestUpstream,
    private readonly issuer: Issuer,
  ) {
    this.upstream = upstream;
  }

  static async make(t: Test, tokens: TokenType, unknownUsers: UnknownUsers): Promise<MatrixSetup> {
    const folder = mkdtempSync(join(tmpdir(), 'quotagate-matrix-'));
    const upstream = await TestUpstream.start();
    const issuer = await issuerFor(t, tokens, folder);
    const identity = `apiKeys: {}\n  ${issuer.config}`;
    const gateway = await startGateway({ upstream: upstream.url, orgs: CONFIG_ORGS, identity, unknownUsers });
    const setup = new MatrixSetup(gateway, upstream, issuer);
    t.teardown(async () => {
      setup.stranger.destroy();
      await gateway.close();
      await upstream.close();
      rmSync(folder, { recursive: true });
    });
    await setup.prepare();
    if (tokens === 'jwksUrl') await setup.prepareKeys();
    return setup;
  }

  get ledger(): Ledger {
    return this.gateway.app.ledger;
  }

  private async prepare(): Promise<void> {
    for (const [state, person] of [
      ['archived org', { org: 'gone', user: 'ana' }],
      ['removed', { org: 'acme', user: 'left' }],
    ] as const)
      this.kept.set(state, await this.newKey(person));
    await this.administer('PATCH', '/orgs/acme/users/idle', { status: 'inactive' });
    await this.administer('DELETE', '/orgs/acme/users/left');
    await this.administer('DELETE', '/orgs/gone');
  }

  /** Creates one key that expires and one that is revoked. */
  private async prepareKeys(): Promise<void> {
    const ana = { org: 'acme', user: 'ana' };
    const soon = new Date(Date.now() + 1_500).toISOString();
    const [expired, withdrawn] = [await this.newKey(ana, soon), await this.newKey(ana)];
    for (const key of [expired, withdrawn]) {
      const headers = { authorization: `Bearer ${key}` };
      const { status } = await ask(this.gateway.gateway, '/v3/gate', { headers });
      if (status !== 200) throw new Error(`a new key is answered with ${status}`);
    }
    this.kept.set('expired', expired).set('withdrawn', withdrawn);
    await this.administer('DELETE', `/orgs/acme/keys/${withdrawn.split('_').at(-2)}`);
    await until('the key has expired', async () => {
      const { body } = await this.administer('GET', '/orgs/acme/keys');
      return JSON.stringify(body).includes('"expired":true');
    });
  }

  async administer(method: string, path: string, body?: unknown): Promise<{ status: number; body: unknown }> {
    const reply = await admin(this.gateway.admin, method, path, body);
    if (reply.status >= 300) throw new Error(`${method} ${path}: ${reply.status}`);
    return reply;
  }

  async newKey({ org, user }: Person, expiresAt?: string): Promise<string> {
    const wanted = expiresAt === undefined ? { user } : { user, expiresAt };
    const { body } = await this.administer('POST', `/orgs/${org}/keys`, wanted);
    return (body as { key: string }).key;
  }

  /** The user that a credential in this state names; a new user where the request itself changes the state. */
  async personIn(state: string): Promise<Person> {
    this.people += 1;
    const user = `user-${this.people}`;
    switch (state) {
      case 'invited':
      case 'invited, no seat': {
        const org = state === 'invited' ? 'acme' : 'full';
        await this.administer('POST', `/orgs/${org}/users`, { id: user, status: 'invited' });
        return { org, user };
      }
      case 'unknown':
        return { org: 'acme', user };
      case 'unknown, no seat':
        return { org: 'full', user };
      case 'inactive':
        return { org: 'acme', user: 'idle' };
      case 'removed':
        return { org: 'acme', user: 'left' };
      case 'archived org':
        return { org: 'gone', user: 'ana' };
      case 'unknown org':
        return { org: 'nowhere', user: 'ana' };
      default:
        return { org: 'acme', user: 'ana' };
    }
  }

  async credential(credentialType: CredentialType, state: string, person: Person): Promise<Credential> {
    if (state === 'without a credential') return { headers: {} };
    if (credentialType === 'trusted') {
      const headers = as(person.user, person.org);
      return state === 'from a peer that is not listed' ? { headers, agent: this.stranger } : { headers };
    }
    const text =
      credentialType === 'apiKey' ? await this.keyIn(state, person) : await this.tokenIn(state, person);
    return { headers: { authorization: `Bearer ${text}` } };
  }

  private async keyIn(state: string, person: Person): Promise<string> {
    const kept = this.kept.get(state);
    if (kept !== undefined) return kept;
    const key = await this.newKey(state === 'unknown org' ? { org: 'acme', user: 'ana' } : person);
    if (state === 'forged') return `${key.slice(0, -1)}${key.endsWith('A') ? 'B' : 'A'}`;
    if (state === 'unknown org') return key.replace('qg_acme_', 'qg_nowhere_');
    return state === 'meant for another' ? key.replace('qg_acme_', 'qg_other_') : key;
  }

  private tokenIn(state: string, { org, user }: Person): Promise<string> {
    const claims = { org_id: org, sub: user };
    if (state === 'forged') return this.issuer.forged(claims);
    if (state === 'withdrawn') return this.issuer.withdrawn(claims);
    if (state === 'expired') return this.issuer.valid({ ...claims, exp: nowSeconds() - 60 });
    return this.issuer.valid(state === 'meant for another' ? { ...claims, aud: 'another' } : claims);
  }

  /** All units consumed, held and recorded, by org and counter. */
  async charges(): Promise<Record<string, number>> {
    const sums: Record<string, number> = {};
    for (const org of ORGS) {
      const { consumed, held, recorded } = await figuresOf(this.ledger, org);
      for (const [line, units] of Object.entries(consumed)) sums[`${org} ${line}`] = units;
      for (const [line, units] of Object.entries(held)) sums[`${org} held ${line}`] = units;
      for (const [line, units] of Object.entries(recorded)) sums[`${org} recorded ${line}`] = units;
    }
    return sums;
  }
}

function withCharge(charges: Record<string, number>, { org, user }: Person, cost: number) {
  const after = { ...charges };
  if (cost === 0) return after;
  for (const line of ['usage:o', `usage:u:${user}`])
    for (const place of [`${org} ${line}`, `${org} recorded ${line}`])
      after[place] = (after[place] ?? 0) + cost;
  return after;
}

const OURS = ['authorization', 'x-quota-org', 'x-quota-user', 'x-quota-groups'];

interface MatrixCase {
  readonly credentialType: CredentialType;
  readonly state: string;
  /** The response on a route that requires identity. */
  readonly expected: Expected;
  readonly route: RouteKind;
}

async function checkCase(
  t: Test,
  setup: MatrixSetup,
  { credentialType, state, expected, route }: MatrixCase,
): Promise<void> {
  const { upstream, gateway } = setup;
  const person = await setup.personIn(state);
  const credential = await setup.credential(credentialType, state, person);
  const [charges, reached] = [await setup.charges(), upstream.log.length];
  const { name, method, path, anonymous, cost } = route;
  const what = `${credentialType}, ${state}, ${name}`;
  const { status, code } = anonymous ? ALLOWED : expected;
  const reply = await ask(gateway.gateway, path, { method, ...credential });
  t.equal(reply.status, status, what);
  t.equal(reply.headers['quotagate-error'], code, what);
  if (status !== 200) t.match(JSON.parse(reply.body), { status, code }, what);
  t.notMatch(reply.body, /stack|node_modules|\.js:/, `${what}: no internals in the response`);
  const seen = upstream.log.slice(reached);
  t.equal(seen.length, status === 200 ? 1 : 0, `${what}: a refused request is not forwarded`);
  t.strictSame(
    seen.flatMap(({ headers }) => OURS.filter((header) => header in headers)),
    [],
    `${what}: credentials are not forwarded`,
  );
  t.strictSame(
    await setup.charges(),
    withCharge(charges, person, status === 200 ? cost : 0),
    `${what}: only served requests are charged`,
  );
}

for (const unknownUsers of ['register', 'deny'] as const)
  for (const tokens of ['jwksUrl', 'jwksFile', 'secret'] as const)
    t.test(`every state with tokens by ${tokens}, unknown users: ${unknownUsers}`, async (t) => {
      const setup = await MatrixSetup.make(t, tokens, unknownUsers);
      const here: readonly CredentialType[] = tokens === 'jwksUrl' ? ['trusted', 'apiKey', tokens] : [tokens];
      for (const [state, types, register, deny = register] of STATES) {
        const expected = unknownUsers === 'deny' ? deny : register;
        for (const credentialType of types.filter((one) => here.includes(one)))
          for (const route of ROUTES) await checkCase(t, setup, { credentialType, state, expected, route });
      }
    });

t.test('a removed user is refused on the next request, even with a cached credential', async (t) => {
  const setup = await MatrixSetup.make(t, 'jwksUrl', 'register');
  for (const credentialType of ['trusted', 'apiKey', 'jwksUrl'] as const) {
    const person = { org: 'acme', user: `eva-${credentialType}` };
    await setup.administer('POST', '/orgs/acme/users', { id: person.user });
    const credential = await setup.credential(credentialType, 'active', person);
    const get = async () =>
      (await ask(setup.gateway.gateway, '/v3/unit', credential)).headers['quotagate-error'];
    t.strictSame([await get(), await get()], [undefined, undefined], credentialType);
    await setup.administer('DELETE', `/orgs/acme/users/${person.user}`);
    t.equal(await get(), 'inactive-user', credentialType);
    await setup.administer('PATCH', `/orgs/acme/users/${person.user}`, { status: 'active' });
    t.equal(await get(), undefined, credentialType);
  }
});

for (const place of ['url', 'file'] as const)
  t.test(
    `after key rotation in a ${place}, the new key is accepted at once and the old key is refused`,
    async (t) => {
      const folder = mkdtempSync(join(tmpdir(), 'quotagate-rotated-'));
      const upstream = await TestUpstream.start();
      const [before, after] = await Promise.all([newKey('ES256', 'k1'), newKey('ES256', 'k2')]);
      const server = await KeyServer.start(t, [before.jwk]);
      const file = join(folder, 'jwks.json');
      const rotate = (key: SigningKey): void => {
        server.keys = [key.jwk];
        writeFileSync(file, JSON.stringify({ keys: [key.jwk] }));
      };
      rotate(before);
      const from = place === 'url' ? `jwksUrl: '${server.url}'` : `jwksFile: ${file}`;
      const identity = `jwt: { ${from}, algorithms: [ES256], issuer: '${ISSUER}', audience: quotagate }`;
      const gateway = await startGateway({ upstream: upstream.url, orgs: CONFIG_ORGS, identity });
      t.teardown(async () => {
        await gateway.close();
        await upstream.close();
        rmSync(folder, { recursive: true });
      });
      const statusBy = async (key: SigningKey): Promise<number> => {
        const headers = { authorization: `Bearer ${await sign(key, claimsWith({ sub: 'ana' }))}` };
        return (await ask(gateway.gateway, '/v3/unit', { headers })).status;
      };
      t.equal(await statusBy(before), 200);
      rotate(after);
      t.equal(await statusBy(after), 200, 'the new key is accepted at once');
      t.equal(await statusBy(before), 401, 'the old key is refused');
      t.equal(upstream.log.length, 2);
    },
  );
