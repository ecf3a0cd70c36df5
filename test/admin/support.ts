/** The admin API on a real socket over the embedded ledger, with the store's clock in the test's hand. */
import type { FastifyInstance } from 'fastify';
import t, { type Test } from 'tap';
import Value from 'typebox/value';
import type { Endpoint } from '../../src/admin/http/endpoint.js';
import { errorsOf, statusOf } from '../../src/admin/http/errors-of.js';
import { type AdminOptions, buildAdmin, createOrg, type SeedOrg } from '../../src/admin/index.js';
import { NOTICE } from '../../src/admin/notifications/schemas.js';
import type { ErrorCode } from '../../src/errors/catalogue.js';
import { openEmbedded } from '../../src/ledger/embedded/index.js';
import type { Call, Ledger, Op, Reply, Result } from '../../src/ledger/port.js';
import { batchField, deliveryField } from '../../src/notify/deliveries.js';
import { raiseRequestField } from '../../src/notify/raise-requests.js';
import { newSecret, webhookField } from '../../src/notify/webhooks.js';
import { charges } from '../../src/quota/charge.js';
import { userKeyOf } from '../../src/quota/id.js';
import { type ClockedLedger, openClockedMemory, openClockedRedis, serverOfFile } from '../support/ledgers.js';
import { skipWithoutRedis } from '../support/redis.js';

export const TOKEN = 'a-token-for-tests';
export const QUOTAS = {
  usage: { unit: 'units', decimals: 1 },
  lds: { unit: 'calls', decimals: 0 },
  ai: { unit: 'tokens', decimals: 0 },
};

/** 2026-05-22, 12:00 in Madrid. */
export const NOON = Date.parse('2026-05-22T10:00:00Z');

export const ACME: SeedOrg = {
  seats: 3,
  cycle: { every: 'month', anchor: 20, timeZone: 'Europe/Madrid' },
  plans: {
    usage: { allowance: 5_000, mode: 'hard' },
    ai: { allowance: 2_000_000, mode: 'soft', extra: 500 },
  },
  groups: { eng: { name: 'Engineering' }, ops: {} },
  users: {
    ann: { name: 'Ann Smith', email: 'ann@example.com', role: 'admin', groups: ['eng'] },
    bob: { groups: ['eng', 'ops'] },
  },
};

// biome-ignore lint/suspicious/noExplicitAny: answers are looked at member by member
export type Json = any;

export interface Answer {
  readonly status: number;
  readonly body: Json;
  readonly headers: Headers;
}

export type Send = (
  method: string,
  path: string,
  body?: unknown,
  headers?: Record<string, string>,
) => Promise<Answer>;

export interface Bench {
  readonly ledger: Ledger;
  readonly url: string;
  /** Sends with the token; paths are below `/v1`. */
  readonly send: Send;
  readonly clock: { now: number };
  /** One reservation by the data plane, as a gateway would send it. */
  reserve(org: string, user: string, cost: Record<string, number>, hold?: string): Promise<Result>;
  apply(org: string, ops: readonly Op[]): Promise<Reply>;
}

/** Every response is compared with its declaration: undeclared statuses, members and error codes fail the test. */
export function checkResponses(t: Test, app: FastifyInstance): void {
  app.addHook('preSerialization', async ({ method, routeOptions: { url, config } }, reply, body) => {
    if (config.endpoint === undefined) return body;
    const sent: unknown = JSON.parse(JSON.stringify(body));
    const faults = undeclared(config.endpoint, reply.statusCode, sent);
    if (faults.length > 0)
      t.fail(`${method} ${url} answers ${reply.statusCode} as declared`, { faults, sent });
    return body;
  });
}

function undeclared(endpoint: Endpoint, status: number, sent: unknown): readonly unknown[] {
  const schema = endpoint.answers[status];
  if (schema !== undefined) return Value.Errors(schema, sent);
  // Refusals of SCIM have types of their own, and no code.
  if (endpoint.media === 'scim')
    return errorsOf(endpoint).some((one) => statusOf(endpoint, one) === status)
      ? []
      : [`${status} is not declared`];
  const { code } = sent as { readonly code?: ErrorCode };
  return errorsOf(endpoint).some((one) => one === code) ? [] : [`${code} is not declared`];
}

/** The admin API over a ledger that is there already, as another replica would be; sends with the bootstrap token. */
export async function startReplica(t: Test, ledger: Ledger, more: Partial<AdminOptions> = {}): Promise<Send> {
  const app = buildAdmin({ ledger, quotas: QUOTAS, bootstrapToken: TOKEN, ...more });
  checkResponses(t, app);
  const url = await app.listen({ port: 0, host: '127.0.0.1' });
  t.teardown(() => app.close());
  return (method, path, body, headers) => sendTo(`${url}/v1${path}`, method, body, headers);
}

export function bearer(token: string): Record<string, string> {
  return { authorization: `Bearer ${token}` };
}

/** What the console's page sends, and a browser with it. */
export const CONSOLE = { 'quotagate-console': '1', 'sec-fetch-site': 'same-origin' };

/** The cookie of an answer, as a browser sends it back. */
export function cookieOf({ headers }: Answer): Record<string, string> {
  const [cookie = ''] = headers.getSetCookie();
  return { ...CONSOLE, cookie: cookie.split(';')[0] ?? '' };
}

let ledgers = 0;

/** The same behaviour on both ledgers, with two replicas of the admin API and Acme. */
export function onBothLedgers(
  guarantee: string,
  behaviour: (test: Test, replicas: Replicas) => Promise<void>,
): void {
  const run = (name: string, open: () => Promise<ClockedLedger>): void => {
    t.test(`${guarantee} (${name})`, async (test) => {
      const { ledger, setClock, close } = await open();
      test.teardown(close);
      await setClock(NOON);
      const sends = [await startReplica(test, ledger), await startReplica(test, ledger)] as const;
      await createOrg(ledger, { id: 'acme', seed: ACME, quotas: QUOTAS });
      await behaviour(test, { ledger, setClock, one: sends[0], other: sends[1] });
    });
  };
  run('embedded', openClockedMemory);
  if (skipWithoutRedis !== false)
    t.test(`${guarantee} (redis)`, { skip: skipWithoutRedis }, async () => undefined);
  else
    run('redis', async () => {
      ledgers += 1;
      return openClockedRedis((await serverOfFile()).url, `admin${ledgers}`);
    });
}

export interface Replicas {
  readonly ledger: Ledger;
  readonly setClock: (ms: number) => Promise<void>;
  readonly one: Send;
  readonly other: Send;
}

export async function startAdmin(
  t: Test,
  wrap: (ledger: Ledger) => Ledger = (one) => one,
  more: Partial<AdminOptions> = {},
): Promise<Bench> {
  const clock = { now: NOON };
  const memory = await openEmbedded({ clock: () => clock.now });
  const ledger = wrap(memory);
  const app = buildAdmin({ ledger, quotas: QUOTAS, bootstrapToken: TOKEN, ...more });
  checkResponses(t, app);
  const url = await app.listen({ port: 0, host: '127.0.0.1' });
  t.teardown(async () => {
    await app.close();
    await memory.close();
  });
  const apply = (org: string, ops: readonly Op[]) => applyNow(memory, org, ops);
  return {
    ledger,
    url,
    send: (method, path, body, headers) => sendTo(`${url}/v1${path}`, method, body, headers),
    clock,
    apply,
    async reserve(org, user, cost, hold = '') {
      const kind = hold === '' ? 'fixed' : 'held';
      const items = Object.entries(cost).map(([quota, units]) => ({ quota, units, kind }) as const);
      const token = userKeyOf(user) ?? '';
      const op: Op = {
        kind: 'reserve',
        user: token,
        claims: '',
        charges: charges('test', items),
        hold,
        ttlMs: 60_000,
      };
      const reply = await apply(org, [op]);
      const [result] = reply.results;
      if (result === undefined) throw new Error(`the call was answered ${reply.code}`);
      return result;
    },
  };
}

/** Acme as above, and what goes with it. */
export async function startAcme(
  t: Test,
  seed: Partial<SeedOrg> = {},
  more: Partial<AdminOptions> = {},
): Promise<Bench> {
  const bench = await startAdmin(t, undefined, more);
  await createOrg(bench.ledger, { id: 'acme', seed: { ...ACME, ...seed }, quotas: QUOTAS });
  return bench;
}

async function sendTo(
  url: string,
  method: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const content = body === undefined ? {} : { 'content-type': 'application/json' };
  // The console has its cookie instead.
  const caller = headers.cookie === undefined ? bearer(TOKEN) : {};
  const response = await fetch(url, {
    method,
    headers: { ...caller, ...content, ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: text === '' || isCsv(response) ? text || undefined : JSON.parse(text),
  };
}

/** The methods of a class, as an object that may be spread. */
export function bound<Whole extends object>(whole: Whole): Whole {
  return new Proxy(whole, {
    ownKeys: () =>
      Object.getOwnPropertyNames(Object.getPrototypeOf(whole)).filter((name) => name !== 'constructor'),
    getOwnPropertyDescriptor: (target, name) => ({
      configurable: true,
      enumerable: true,
      value: bind(Reflect.get(target, name), target),
    }),
    get: (target, name) => bind(Reflect.get(target, name), target),
  });
}

function bind(value: unknown, whole: object): unknown {
  return typeof value === 'function' ? value.bind(whole) : value;
}

/** Ann's open request for a raise of her limit. */
export async function addRaiseRequest(ledger: Ledger, org: string): Promise<void> {
  const { now, values } = await ledger.read(org, [{ table: 'org', fields: ['start'] }]);
  const cycle = Number(values[0]?.[0]);
  const request = { at: now, cycle, user: 'ann', units: 500, reason: 'x', state: 'open' };
  const changes = [[raiseRequestField('ai:u:ann'), JSON.stringify(request)]] as const;
  await ledger.stepNotices(org, { expects: [], changes, events: [] });
}

/** A webhook, and a delivery that was given up. */
export async function addDelivery(ledger: Ledger, org: string) {
  const [webhook, delivery] = ['hook1', 'delivery1'];
  const secrets = [{ secret: newSecret(), until: 0 }];
  const hook = { url: 'https://hooks.example.com/', enabled: true, createdAt: 1, secrets };
  const about = { target: `webhook:${webhook}`, batches: ['b1'], notices: 1, createdAt: 1, attempts: 9 };
  const failed = { ...about, nextAt: 0, giveUpAt: NOON, error: 'the receiver answered 500' };
  const changes = [
    [webhookField(webhook), JSON.stringify(hook)],
    ['webhooks', '1'],
    [deliveryField(delivery), JSON.stringify(failed)],
    [batchField('b1'), JSON.stringify([NOTICE])],
  ] as const;
  await ledger.stepNotices(org, { expects: [], changes, events: [] });
  return { webhook, delivery };
}

function isCsv({ headers }: Response): boolean {
  return headers.get('content-type')?.startsWith('text/csv') === true;
}

export async function applyNow(ledger: Ledger, org: string, ops: readonly Op[]): Promise<Reply> {
  const { values } = await ledger.read(org, [{ table: 'org', fields: ['start', 'end', 'ruleVersion'] }]);
  const [start, end, ruleVersion] = (values[0] ?? []).map(Number);
  const call: Call = {
    org,
    epoch: '',
    producer: '',
    seq: 0,
    ruleVersion: ruleVersion ?? 0,
    cycles: [{ start: start ?? 0, end: end ?? 0 }],
    unknownUsers: 'register',
    expireMost: 0,
    ops,
  };
  return ledger.apply(call);
}

/** What a problem says: its status, code and the fields it names. */
/** Each threshold of a user is a notice. */
export const NOTICES = {
  thresholds: { users: [50, 80, 90, 100], groups: [100], org: [100] },
  refusals: { users: true, groups: true, org: true },
  email: { enabled: false, admins: false, recipients: [] },
};

export function problem({ status, body }: Answer): [number, string, ...string[]] {
  const fields = (body.errors ?? []) as { field: string }[];
  return [status, body.code, ...fields.map(({ field }) => field)];
}
