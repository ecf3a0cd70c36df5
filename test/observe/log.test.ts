// The log tells of each request without its path, query, header values, user or any secret; refusals do not flood it.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import t, { type Test } from 'tap';
import { buildApp } from '../../src/app/app.js';
import { loadConfig } from '../../src/config/load.js';
import { createLogger, errorFields } from '../../src/observe/log.js';
import { ADMIN_TOKEN, as, ask, type ConfigParts, configText, type LogLine } from '../support/gateway.js';
import { skipWithoutRedis, startRedis } from '../support/redis.js';
import { TestUpstream } from '../support/upstream.js';
import { metricsOf } from './support.js';

const ORGS = `
  acme:
    plans: { usage: { allowance: 3 } }
    groups: { crowd: {} }
    users: { ana: { email: ana@acme.example } }
`;
const MEASURED = `
  - match: GET /measured/:what
    action: measured
    upstream: up
    charges: [{ quota: usage, units: { responseHeader: x-cost }, hold: 1 }]
  - { match: 'GET /unit/:what', action: unit, upstream: up, charges: [{ quota: usage, units: 1 }] }
  - { match: 'POST /count/:what', action: count, upstream: up, charges: [{ quota: usage, units: { json: /cost } }] }
  - { match: 'GET /dead/:what', identity: none, upstream: dead }
`;
const TRACE = '0af7651916cd43dd8448eb211c80319c';

interface Logged {
  readonly gateway: string;
  readonly admin: string;
  readonly ops: string;
  text(): string;
  lines(): LogLine[];
  requests(): LogLine[];
}

async function logged(t: Test, level: string, parts: Partial<ConfigParts> = {}): Promise<Logged> {
  const folder = mkdtempSync(join(tmpdir(), 'quotagate-log-'));
  const upstream = await TestUpstream.start();
  const dead = { url: 'http://127.0.0.1:1' };
  const all = { upstream: upstream.url, upstreams: { dead }, orgs: ORGS, routes: MEASURED, ...parts };
  const config = loadConfig(configText({ data: join(folder, 'data'), ...all }), {});
  let text = '';
  const destination = new Writable({
    write(chunk: Buffer, _encoding, done) {
      text += chunk.toString();
      done();
    },
  });
  const app = await buildApp({
    config,
    logger: createLogger(level, destination),
    bootstrapToken: ADMIN_TOKEN,
  });
  t.teardown(async () => {
    await app.close();
    await upstream.close();
    rmSync(folder, { recursive: true });
  });
  const lines = () =>
    text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as LogLine);
  return {
    ...(await app.listen()),
    text: () => text,
    lines,
    requests: () => lines().filter(({ event }) => String(event).startsWith('request_')),
  };
}

t.test('no secret and no name is in it, at any level', async (t) => {
  const { gateway, admin, text, requests } = await logged(t, 'trace');
  const secrets = {
    ...as('user-S3CRET@acme.example', 'acme', 'crowd'),
    authorization: 'Bearer token-S3CRET',
    cookie: 'session=cookie-S3CRET',
    'x-api-key': 'key-S3CRET',
    'user-agent': 'agent-S3CRET',
    'x-forwarded-for': 'address-S3CRET',
    'x-test-fields': '["x-answer","answer-S3CRET"]',
  };
  const send = async (path: string, more: Record<string, string> = {}, method = 'GET', body = '') =>
    (await ask(gateway, path, { method, headers: { ...secrets, ...more }, body })).status;
  t.equal(await send('/unit/path-S3CRET?key=query-S3CRET'), 200);
  t.equal(await send('/measured/path-S3CRET?key=query-S3CRET', { 'x-test-fields': '["x-cost","2"]' }), 200);
  t.equal(await send('/unit/path-S3CRET?key=query-S3CRET'), 429);
  t.equal(await send('/nowhere/path-S3CRET?key=query-S3CRET'), 404);
  t.equal(await send('/dead/path-S3CRET?key=query-S3CRET'), 502);
  t.equal(await send('/count/path-S3CRET', {}, 'POST', '{"cost":"body-S3CRET"}'), 400);
  t.equal(await send('/count/path-S3CRET', {}, 'POST', 'body-S3CRET'), 400);
  t.equal(await send('/unit/x', { 'x-quota-org': 'org S3CRET' }), 400);
  t.equal(await send('/unit/x', { connection: 'x-quota-user-S3CRET' }), 429);
  t.equal(await send('/quota/me?key=query-S3CRET'), 200);
  for (const path of ['/v1/orgs/acme?key=query-S3CRET', '/v1/orgs/path-S3CRET', '/v1/S3CRET?x=S3CRET'])
    for (const authorization of [`Bearer ${ADMIN_TOKEN}`, 'Bearer token-S3CRET'])
      t.ok((await ask(admin, path, { headers: { authorization } })).status >= 200);
  t.equal(requests().length, 9, 'each request that walked has its line');
  t.notMatch(text(), /S3CRET/i);
  t.notMatch(text(), ADMIN_TOKEN);
  t.notMatch(text(), /ana@acme/);
});

t.test('every line has an event and a sentence, those of libraries too', async (t) => {
  const { gateway, admin, lines } = await logged(t, 'trace');
  await ask(gateway, '/unit/a', { headers: as('ana') });
  for (const path of ['/v1/orgs/acme', '/nowhere'])
    await ask(admin, path, { headers: { authorization: `Bearer ${ADMIN_TOKEN}` } });
  t.ok(lines().some(({ event }) => event === 'admin_server'));
  for (const line of lines()) {
    t.match(line, { event: /^[a-z]+(_[a-z]+)*$/, msg: /^[A-Z]/ });
  }
});

t.test('a log line has the request, the decision and the outcome', async (t) => {
  const { gateway, requests } = await logged(t, 'debug');
  const traced = {
    ...as('ana'),
    'x-request-id': 'from-client:1',
    traceparent: `00-${TRACE}-b7ad6b7169203331-01`,
  };
  const first = await ask(gateway, '/unit/a', { headers: traced });
  t.equal(first.status, 200);
  t.equal(first.headers['x-request-id'], undefined, 'the answer is the upstream’s');
  const headers = { ...as('ana'), 'x-test-fields': '["x-cost","2"]', 'x-request-id': 'bad id "\\ {}' };
  t.equal((await ask(gateway, '/measured/a', { headers })).status, 200);
  const refused = await ask(gateway, '/unit/a', { headers: traced });
  t.equal(refused.status, 429);
  t.equal(refused.headers['x-request-id'], 'from-client:1');
  const unknown = await ask(gateway, '/nowhere');
  const dead = await ask(gateway, '/dead/a');
  const [unit, measured, over, lost, broken, ...rest] = requests();
  t.match(unit, {
    level: 20,
    event: 'request_forwarded',
    msg: 'A request was forwarded.',
    requestId: 'from-client:1',
    traceId: TRACE,
    method: 'GET',
    route: 'GET /unit/:what',
    action: 'unit',
    org: 'acme',
    decision: 'admitted',
    decisionId: /^[\w-]{12}@\d+\.\d+\.0$/,
    decisionMs: Number,
    upstream: 'up',
    outcome: '2xx',
    status: 200,
    ms: Number,
  });
  t.match(measured, { requestId: /^[\w-]{8}\.\w+$/, decision: 'admitted', decisionId: /^[\w-]{12}\.\w+$/ });
  t.match(over, {
    level: 30,
    event: 'request_refused',
    msg: 'The gateway refused a request.',
    requestId: 'from-client:1',
    traceId: TRACE,
    decision: 'spent',
    quota: 'usage',
    scope: 'org',
    code: 'quota-exceeded',
    status: 429,
  });
  t.match(lost, {
    level: 30,
    code: 'route-unknown',
    status: 404,
    requestId: unknown.headers['x-request-id'],
  });
  t.notOk('route' in (lost ?? {}));
  t.match(broken, {
    level: 40,
    code: 'upstream-unreachable',
    outcome: 'not-sent',
    upstream: 'dead',
    status: 502,
  });
  t.equal(broken?.requestId, dead.headers['x-request-id']);
  t.equal(rest.length, 0);
});

t.test('an id of ours goes to the upstream, a client’s as it came, and traceparent', async (t) => {
  const upstream = await TestUpstream.start();
  t.teardown(() => upstream.close());
  const { gateway, requests } = await logged(t, 'debug', { upstream: upstream.url });
  const traceparent = `00-${TRACE}-b7ad6b7169203331-01`;
  await ask(gateway, '/unit/a', { headers: { ...as('ana'), traceparent, tracestate: 'a=b' } });
  await ask(gateway, '/unit/a', { headers: { ...as('ana'), 'x-request-id': 'mine' } });
  const [ours, theirs] = upstream.log.map(({ headers }) => headers);
  t.equal(ours?.['x-request-id'], requests()[0]?.requestId);
  t.match(ours, { traceparent, tracestate: 'a=b' });
  t.equal(theirs?.['x-request-id'], 'mine');
  t.equal(theirs?.traceparent, undefined);
});

t.test('at `info` only refusals have lines, and no more than some', async (t) => {
  const { gateway, ops, requests } = await logged(t, 'info');
  for (let sent = 0; sent < 3; sent += 1)
    t.equal((await ask(gateway, '/unit/a', { headers: as('ana') })).status, 200);
  t.equal(requests().length, 0);
  const many = 120;
  const flood = Array.from({ length: many }, () => ask(gateway, '/unit/a', { headers: as('ana') }));
  for (const { status } of await Promise.all(flood)) t.equal(status, 429);
  const lines = requests().length;
  const { values } = await metricsOf(ops);
  const leftOut = values.get('quotagate_log_lines_left_out_total') ?? 0;
  t.ok(leftOut > 0);
  t.equal(lines + leftOut, many, 'each has a line, or is counted');
  t.equal(values.get('quotagate_refusals_total{code="quota-exceeded"}'), many);
});

t.test('errors carry nothing but their words', async (t) => {
  const command = { name: 'auth', args: ['S3CRET'] };
  const inner = Object.assign(new Error('inner'), { command, code: 'EINNER' });
  const error = Object.assign(new Error('outer', { cause: inner }), { request: { headers: 'S3CRET' } });
  const fields = errorFields(error);
  t.match(fields, {
    type: 'Error',
    message: 'outer',
    stack: String,
    cause: { message: 'inner', code: 'EINNER' },
  });
  t.notMatch(JSON.stringify(fields), 'S3CRET');
  const circle = new Error('circle');
  circle.cause = circle;
  t.doesNotThrow(() => JSON.stringify(errorFields(circle)));
  t.strictSame(errorFields('text'), { type: 'string', message: 'text' });
});

t.test('a password that Redis refuses is not logged', { skip: skipWithoutRedis }, async (t) => {
  const redis = await startRedis({ args: ['--requirepass', 'right-S3CRET'] });
  const folder = mkdtempSync(join(tmpdir(), 'quotagate-log-'));
  t.teardown(async () => {
    await redis.stop();
    rmSync(folder, { recursive: true });
  });
  const passwordFile = join(folder, 'password');
  writeFileSync(passwordFile, 'wrong-S3CRET');
  const text = configText({ upstream: 'http://127.0.0.1:1', orgs: ORGS, routes: ' []', redis: redis.url });
  const config = loadConfig(text, { QUOTAGATE_STORE_PASSWORD_FILE: passwordFile });
  let log = '';
  const destination = new Writable({
    write(chunk: Buffer, _encoding, done) {
      log += chunk.toString();
      done();
    },
  });
  const failure = await buildApp({ config, logger: createLogger('trace', destination) }).then(
    () => undefined,
    (error: unknown) => error,
  );
  t.ok(failure instanceof Error);
  t.match(log, 'WRONGPASS');
  t.notMatch(log + JSON.stringify(errorFields(failure)), 'S3CRET');
});
