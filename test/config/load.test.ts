// A config that loads is whole: every default is filled in, and the schema itself agrees with it.
import t from 'tap';
import Value from 'typebox/value';
import { loadConfig } from '../../src/config/load.js';
import { ConfigSchema } from '../../src/config/schema.js';
import { EXAMPLE } from './support.js';

t.test('the example of the product loads', async (t) => {
  const config = loadConfig(EXAMPLE, {});
  t.ok(Value.Check(ConfigSchema, config));
  t.strictSame(config.store, {
    redis: 'redis://localhost:6379',
    deadlineMs: 50,
    holdMs: 60_000,
    whenDown: 'closed',
  });
  t.strictSame(config.quotas, {
    usage: { unit: 'units', decimals: 1, counts: ['200-299'] },
    lds: { unit: 'calls', decimals: 0, counts: ['200-299'] },
    ai: { unit: 'tokens', decimals: 0, counts: ['200-299'] },
  });
  t.strictSame(config.upstreams, {
    maps: {
      url: 'http://maps:3000',
      timeouts: { connectMs: 2_000, headersMs: 60_000, bodyMs: 60_000 },
      connections: 1_024,
      retries: 1,
      setHeaders: {},
      passHeaders: [],
    },
    openai: {
      url: 'https://llm.internal',
      timeouts: { connectMs: 2_000, headersMs: 60_000, bodyMs: 60_000 },
      connections: 1_024,
      retries: 1,
      setHeaders: { authorization: { file: '/run/secrets/llm' } },
      passHeaders: [],
    },
  });
  t.strictSame(config.routes[3]?.charges, [
    {
      quota: 'ai',
      llm: {
        api: 'openai-chat',
        hold: 'ceiling',
        stepTokens: 1_024,
        whenShort: 'clamp',
        whenSpent: 'finish',
        hiddenReasoningTokens: 0,
        askUsage: true,
        otherModels: 'price',
        tokenizer: 'bytes',
        bytesPerToken: 3,
        mediaTokens: 1_500,
        tokensPerSecond: 20,
        audioBytesPerSecond: 4_000,
        weights: { input: 1, cachedInput: 1, cacheWrite: 1, output: 1, reasoning: 1 },
        per: 1,
      },
    },
    { quota: 'usage', gate: true },
  ]);
  t.strictSame(config.routes[1], {
    match: 'POST /v3/lds/geocoding',
    identity: 'required',
    action: 'geocoding',
    upstream: 'maps',
    charges: [
      { quota: 'lds', units: { jsonLength: '/addresses' } },
      { quota: 'usage', units: 0.1 },
    ],
    bodyLimitBytes: 4_194_304,
  });
  t.strictSame(config.routes[2], { match: 'OPTIONS /*', identity: 'none', upstream: 'maps', charges: [] });
  t.strictSame(config.orgs, {
    acme: {
      seats: 3,
      cycle: { every: 'month', anchor: 20, timeZone: 'Europe/Madrid' },
      plans: {
        usage: { allowance: 5000, mode: 'hard', extra: 0 },
        lds: { allowance: 1000, mode: 'hard', extra: 0 },
        ai: { allowance: 2_000_000, mode: 'soft', extra: 0 },
      },
      users: {},
      groups: {},
      limits: [],
      thresholds: [50, 80, 90, 100],
    },
  });
});

t.test('an empty file is a gateway that refuses everything, on the embedded store', async (t) => {
  for (const text of ['', '# nothing\n', '{}']) {
    t.strictSame(loadConfig(text, {}), {
      server: {
        gateway: '0.0.0.0:8080',
        admin: '127.0.0.1:9080',
        ops: '0.0.0.0:9091',
        clients: { headersMs: 30_000, stallMs: 60_000, keepAliveMs: 75_000 },
        drainMs: 5_000,
        finishMs: 15_000,
      },
      store: { embedded: { path: './data' }, deadlineMs: 50, holdMs: 60_000 },
      identity: { unknownUsers: 'register', unknownGroups: 'ignore' },
      quotas: {
        usage: { unit: 'units', decimals: 1, counts: ['200-299'] },
        lds: { unit: 'calls', decimals: 0, counts: ['200-299'] },
        ai: { unit: 'tokens', decimals: 0, counts: ['200-299'] },
      },
      upstreams: {},
      models: [],
      routes: [],
      orgs: {},
      admin: { scim: { userId: 'userName' }, sessions: { idleMinutes: 30, lifeHours: 12 } },
      webhooks: { allow: [], timeoutMs: 15_000 },
      retention: {
        userHoursDays: 35,
        historyMonths: 13,
        auditDays: 400,
        eventsDays: 400,
        failedNoticesDays: 30,
      },
      journal: { exports: {}, source: 'quotagate', keepMiB: 64 },
      log: { level: 'info' },
      quotaPath: '/quota/me',
      raiseRequests: false,
    });
  }
});

t.test('defaults are not shared between two configs', async (t) => {
  const first = loadConfig('', {});
  first.quotas.more = { unit: 'calls', decimals: 0, counts: [] };
  t.notOk('more' in loadConfig('', {}).quotas);
});

t.test('a section of which all lines are commented out is left out', async (t) => {
  const config = loadConfig('store:\n  # redis: redis://localhost\nquotas:\n  calls:\n', {});
  t.strictSame(config.store, { embedded: { path: './data' }, deadlineMs: 50, holdMs: 60_000 });
  t.strictSame(config.quotas, { calls: { unit: 'units', decimals: 0, counts: ['200-299'] } });
});

t.test('every cycle begins at its first anchor by default', async (t) => {
  const firsts = { hour: 0, day: 0, week: 1, month: 1, year: 101 };
  for (const [every, anchor] of Object.entries(firsts)) {
    const { orgs } = loadConfig(`orgs: { acme: { cycle: { every: ${every} } } }`, {});
    t.strictSame(orgs.acme?.cycle, { every, anchor, timeZone: 'UTC' });
  }
  t.equal(loadConfig('orgs: { acme: }', {}).orgs.acme?.cycle.every, 'month');
});

t.test('ids are strings as written', async (t) => {
  const { orgs } = loadConfig(
    `orgs: { 1: { users: { 007: { groups: ["1.0"] }, a/b~c: , constructor: , __proto__: }, groups: { 1.0: } } }`,
    {},
  );
  t.strictSame(Object.keys(orgs), ['1']);
  t.strictSame(Object.keys(orgs['1']?.users ?? {}), ['007', 'a/b~c', 'constructor', '__proto__']);
  t.strictSame(orgs['1']?.users['007'], { groups: ['1.0'] });
});

t.test('limits, users, groups and charges of every form load', async (t) => {
  const config = loadConfig(
    `
identity: { trusted: { peers: [10.0.0.0/8, "::1", "fd00::/8"] } }
quotas: { usage: { decimals: 2, counts: [200-299, 404] } }
upstreams: { maps: { url: "https://[::1]:3000/", timeouts: { headersMs: 5 } } }
routes:
  - match: "* /a/:id"
    action: a
    upstream: maps
    charges:
      - { quota: usage, units: "12.50" }
      - { quota: usage, units: { header: x-cost } }
      - { quota: usage, units: { json: /n } }
      - { quota: usage, units: { jsonLength: "" } }
      - { quota: usage, gate: true }
orgs:
  acme:
    plans: { usage: { allowance: "10.25", extra: 0.01 } }
    users: { ana: { name: Ana, email: ana@example.com, role: admin, groups: [dev] } }
    groups: { dev: { name: Developers } }
    limits:
      - { user: ana, quota: usage, units: 0.01 }
      - { group: dev, quota: usage, percent: 33.33333, shadow: true }
`,
    {},
  );
  t.ok(Value.Check(ConfigSchema, config));
  t.strictSame(config.identity.trusted, {
    peers: ['10.0.0.0/8', '::1', 'fd00::/8'],
    org: 'x-quota-org',
    user: 'x-quota-user',
  });
  t.strictSame(config.routes[0]?.charges.at(-1), { quota: 'usage', gate: true });
  t.strictSame(config.orgs.acme?.limits, [
    { user: 'ana', quota: 'usage', units: 0.01, shadow: false },
    { group: 'dev', quota: 'usage', percent: 33.33333, shadow: true },
  ]);
});

t.test('Redis by TCP, by TLS and by a socket', async (t) => {
  for (const redis of ['redis://h', 'rediss://u:p@h:6380/3', 'unix:///run/redis.sock'])
    t.match(loadConfig(`store: { redis: "${redis}" }`, {}).store, { redis });
});

t.test('aliases write a thing once', async (t) => {
  const { upstreams } = loadConfig('upstreams: { a: &a { url: "http://a" }, b: *a }', {});
  t.strictSame(upstreams.b, upstreams.a);
});
