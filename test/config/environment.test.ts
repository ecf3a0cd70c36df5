// An environment variable overrides the file, and no variable of quotagate is ignored.
import t from 'tap';
import { loadConfig } from '../../src/config/load.js';
import { EXAMPLE, linesOf, mistakesOf } from './support.js';

t.test('variables set single values, made whole numbers and lists where those are expected', async (t) => {
  const config = loadConfig(EXAMPLE, {
    QUOTAGATE_STORE_REDIS: 'rediss://other:6380',
    QUOTAGATE_STORE_PASSWORD_FILE: '/run/secrets/redis',
    QUOTAGATE_STORE_DEADLINE_MS: '20',
    QUOTAGATE_SERVER_GATEWAY: '127.0.0.1:0',
    QUOTAGATE_IDENTITY_TRUSTED_PEERS: '10.0.0.0/8, ::1',
    QUOTAGATE_UPSTREAMS_MAPS_URL: 'http://elsewhere',
    QUOTAGATE_QUOTAS_LDS_COUNTS: '200-299,404',
    QUOTAGATE_ORGS_ACME_PLANS_USAGE_ALLOWANCE: '0.5',
    QUOTAGATE_ORGS_ACME_CYCLE_EVERY: 'day',
    QUOTAGATE_QUOTA_PATH: '/left',
    HOME: '/root',
  });
  t.strictSame(config.store, {
    redis: 'rediss://other:6380',
    passwordFile: '/run/secrets/redis',
    deadlineMs: 20,
    holdMs: 60_000,
    whenDown: 'closed',
  });
  t.equal(config.server.gateway, '127.0.0.1:0');
  t.strictSame(config.identity.trusted?.peers, ['10.0.0.0/8', '::1']);
  t.equal(config.upstreams.maps?.url, 'http://elsewhere');
  t.strictSame(config.quotas.lds?.counts, ['200-299', '404']);
  t.equal(config.orgs.acme?.plans.usage?.allowance, '0.5');
  t.equal(config.orgs.acme?.cycle.every, 'day');
  t.equal(config.quotaPath, '/left');
});

t.test('a variable makes the section that the file lacks', async (t) => {
  const { store } = loadConfig('', { QUOTAGATE_STORE_REDIS: 'redis://h' });
  t.strictSame(store, { redis: 'redis://h', deadlineMs: 50, holdMs: 60_000, whenDown: 'closed' });
  const embedded = loadConfig('', { QUOTAGATE_STORE_EMBEDDED_PATH: '/data' });
  t.strictSame(embedded.store, { embedded: { path: '/data' }, deadlineMs: 50, holdMs: 60_000 });
});

t.test('a variable changes one of two values that the file writes once', async (t) => {
  const text = 'upstreams: { a: &a { url: "http://a" }, b: *a }';
  const { upstreams } = loadConfig(text, { QUOTAGATE_UPSTREAMS_B_URL: 'http://b' });
  t.equal(upstreams.a?.url, 'http://a');
  t.equal(upstreams.b?.url, 'http://b');
});

t.test('a mistake in a variable names the variable', async (t) => {
  const mistakes = mistakesOf('log: { level: inf }\nstore: { redis: "redis://h" }\n', {
    QUOTAGATE_STORE_REDIS: '',
    QUOTAGATE_SERVER_GATEWAY: 'here',
    QUOTAGATE_STORE_DEADLINE_MS: '50ms',
    QUOTAGATE_IDENTITY_TRUSTED_PEERS: '10.0.0.0/8,x',
  });
  t.strictSame(linesOf(mistakes), [
    '1:15 /log/level: "inf" is none of fatal, error, warn, info, debug, trace, silent – did you mean `info`?',
    'QUOTAGATE_SERVER_GATEWAY /server/gateway: "here" is not an address to listen on – write host:port, such as 0.0.0.0:8080 or [::1]:8080',
    'QUOTAGATE_STORE_REDIS /store/redis: the value is not a Redis URL – write redis://host:port, rediss://host:port or unix:///path',
    'QUOTAGATE_STORE_DEADLINE_MS /store/deadlineMs: "50ms" is not a whole number – write a whole number from 1 to 10000',
    'QUOTAGATE_IDENTITY_TRUSTED_PEERS /identity/trusted/peers/1: "x" is not an IP address or a range of them – write an address or a range in CIDR form, such as 10.0.0.0/8 or ::1',
  ]);
});

t.test('cross-checks see what the environment set', async (t) => {
  const mistakes = mistakesOf('store: { redis: "redis://:secret@h" }', {
    QUOTAGATE_STORE_PASSWORD_FILE: '/p',
  });
  t.strictSame(linesOf(mistakes), [
    'QUOTAGATE_STORE_PASSWORD_FILE /store/passwordFile: the URL also holds a password – remove the password from the URL',
  ]);
});

t.test('a variable of ours that names no setting, or two, is a mistake', async (t) => {
  const text = 'upstreams: { a.b: { url: "http://a" }, a-b: { url: "http://b" } }';
  const mistakes = mistakesOf(text, {
    QUOTAGATE_LOG_LEVLE: 'info',
    QUOTAGATE_ROUTES_0_ACTION: 'a',
    QUOTAGATE_UPSTREAMS_A_B_URL: 'http://c',
  });
  t.strictSame(linesOf(mistakes), [
    'QUOTAGATE_LOG_LEVLE : this variable belongs to no setting – did you mean `QUOTAGATE_LOG_LEVEL`?',
    'QUOTAGATE_ROUTES_0_ACTION : this variable belongs to no setting – remove it, or see the table of settings',
    'QUOTAGATE_UPSTREAMS_A_B_URL /upstreams/a.b/url: it names two settings, /upstreams/a.b/url and /upstreams/a-b/url – set them in the file',
  ]);
});

t.test('what Kubernetes adds for a Service is none of ours', async (t) => {
  const links = {
    QUOTAGATE_SERVICE_HOST: '10.0.0.1',
    QUOTAGATE_SERVICE_PORT: '8080',
    QUOTAGATE_SERVICE_PORT_HTTP: '8080',
    QUOTAGATE_PORT: 'tcp://10.0.0.1:8080',
    QUOTAGATE_PORT_8080_TCP: 'tcp://10.0.0.1:8080',
    QUOTAGATE_PORT_8080_TCP_PROTO: 'tcp',
    QUOTAGATE_PORT_8080_TCP_ADDR: '10.0.0.1',
    QUOTAGATE_ADMIN_SERVICE_HOST: '10.0.0.2',
    QUOTAGATE_ADMIN_PORT: 'tcp://10.0.0.2:9080',
  };
  t.strictSame(mistakesOf('', links), []);
  t.strictSame(
    mistakesOf('', { QUOTAGATE_PORT: '8080' }).map(({ variable }) => variable),
    ['QUOTAGATE_PORT'],
  );
});
