// TLS on the gateway and the admin API by config; a new certificate is served without a restart, a broken one never.
import { once } from 'node:events';
import { mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { type Agent, request } from 'node:https';
import { connect as connectPlain } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import t, { type Test } from 'tap';
import { until } from '../e2e/load.js';
import { metricsOf } from '../observe/support.js';
import { type Certificate, selfSigned } from '../support/certificate.js';
import { ADMIN_TOKEN, as, ask, type GatewayProcess, type LogLine, spawnGateway } from '../support/gateway.js';
import { TestUpstream } from '../support/upstream.js';

const ORGS = '  acme: { plans: { usage: { allowance: 1000 } } }';

interface Secured {
  readonly gateway: GatewayProcess;
  readonly upstream: TestUpstream;
  /** Puts a pair in place, as Kubernetes does it: by one link above the files. */
  put(pair: Certificate): void;
  logged(what: string): LogLine[];
}

async function secured(t: Test, pair: Certificate): Promise<Secured> {
  const folder = mkdtempSync(join(tmpdir(), 'quotagate-tls-'));
  let puts = 0;
  const put = ({ cert, key }: Certificate): void => {
    puts += 1;
    const real = mkdtempSync(join(folder, `secret-${puts}-`));
    writeFileSync(join(real, 'tls.crt'), cert);
    writeFileSync(join(real, 'tls.key'), key);
    symlinkSync(real, join(folder, 'next'));
    renameSync(join(folder, 'next'), join(folder, 'now'));
  };
  put(pair);
  const files = `{ cert: ${join(folder, 'now/tls.crt')}, key: ${join(folder, 'now/tls.key')} }`;
  const upstream = await TestUpstream.start();
  const server = `, drainMs: 0, tls: ${files}, adminTls: ${files}`;
  let gateway: GatewayProcess | undefined;
  t.teardown(async () => {
    await gateway?.stop();
    await upstream.close();
    rmSync(folder, { recursive: true });
  });
  gateway = await spawnGateway({ upstream: upstream.url, orgs: ORGS, server }, folder);
  const { log } = gateway;
  const logged = (what: string) => log.filter(({ event }) => event === what);
  return { gateway, upstream, put, logged };
}

interface Answer {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
}

/** Verifies the certificate by the one given. */
function get(
  at: string,
  path: string,
  ca: string,
  headers: Record<string, string>,
  agent?: Agent,
): Promise<Answer> {
  const [, port] = at.split(':');
  return new Promise((resolve, reject) => {
    const where = { host: '127.0.0.1', servername: 'localhost', port, path, ca, headers };
    const outgoing = request(
      agent === undefined ? { ...where, agent: false } : { ...where, agent },
      (answer) => {
        answer.resume();
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers }));
      },
    );
    outgoing.on('error', reject).end();
  });
}

/** The certificate that a new connection is shown. */
async function shownAt(at: string): Promise<string> {
  const socket = await connected(at);
  const { fingerprint256 } = socket.getPeerCertificate();
  socket.destroy();
  return fingerprint256;
}

function connected(at: string): Promise<TLSSocket> {
  const [host, port] = at.split(':');
  return new Promise((resolve, reject) => {
    const options = { host, port: Number(port), servername: 'localhost', rejectUnauthorized: false };
    const socket = connect(options, () => resolve(socket)).on('error', reject);
  });
}

const bearer = { authorization: `Bearer ${ADMIN_TOKEN}` };

t.test('both listeners speak TLS, and only TLS', async (t) => {
  const pair = await selfSigned('localhost');
  const { gateway, upstream } = await secured(t, pair);
  const { status, headers } = await get(gateway.gateway, '/v3/unit', pair.cert, as('ana'));
  t.equal(status, 200);
  t.match(headers, { ratelimit: /./ });
  t.equal(upstream.log[0]?.headers['x-forwarded-proto'], 'https');
  t.equal((await get(gateway.gateway, '/quota/me', pair.cert, as('ana'))).status, 200);
  t.equal((await get(gateway.admin, '/v1/orgs/acme', pair.cert, bearer)).status, 200);
  await t.rejects(fetch(`http://${gateway.gateway}/v3/unit`), 'no plain HTTP');
  await t.rejects(fetch(`http://${gateway.admin}/v1/orgs/acme`));
  t.equal((await ask(gateway.ops, '/readyz')).status, 200, 'probes stay plain');
  const { values } = await metricsOf(gateway.ops);
  const ends = values.get('quotagate_certificate_expiry_timestamp_seconds{listener="gateway"}') ?? 0;
  t.ok(ends > Date.now() / 1_000 && ends < Date.now() / 1_000 + 3 * 86_400);
});

t.test('a pair that changes is served; one that cannot be used is not', async (t) => {
  const pairs = await Promise.all([
    selfSigned('localhost'),
    selfSigned('localhost'),
    selfSigned('localhost'),
  ]);
  const [first, second, third] = pairs as [Certificate, Certificate, Certificate];
  const { gateway, put, logged } = await secured(t, first);
  const before = await shownAt(gateway.gateway);
  const open = await connected(gateway.gateway);

  put(second);
  await until('both listeners have it', () => logged('certificate_reloaded').length === 2);
  const after = await shownAt(gateway.gateway);
  t.not(after, before);
  t.equal(await shownAt(gateway.admin), after);
  t.equal((await get(gateway.gateway, '/v3/unit', second.cert, as('ana'))).status, 200);
  open.write('GET /v3/unit HTTP/1.1\r\nhost: a\r\nx-quota-org: acme\r\nx-quota-user: ana\r\n\r\n');
  const [answer] = await once(open, 'data');
  t.match(String(answer), /^HTTP\/1.1 200/, 'a connection that there was goes on');
  open.destroy();

  put({ cert: third.cert, key: second.key });
  await until('it is refused', () => logged('certificate_refused').length >= 2);
  t.equal(await shownAt(gateway.gateway), after, 'the old one stays');
  t.notMatch(JSON.stringify(gateway.log), 'PRIVATE KEY');

  put(third);
  // By the signal, without waiting for the clock to look.
  gateway.child.kill('SIGHUP');
  await until('both listeners have it', () => logged('certificate_reloaded').length === 4);
  t.equal((await get(gateway.gateway, '/v3/unit', third.cert, as('ana'))).status, 200);
  const { values } = await metricsOf(gateway.ops);
  t.equal(values.get('quotagate_reloads_total{what="certificate",outcome="taken"}'), 4);
});

t.test('a stop answers what is under way over TLS, and no half handshake holds it up', async (t) => {
  const pair = await selfSigned('localhost');
  const { gateway, upstream } = await secured(t, pair);
  const idle = await connected(gateway.gateway);
  const plain = connectPlain(Number(gateway.gateway.split(':')[1]), '127.0.0.1');
  plain.on('error', () => undefined);
  await once(plain, 'connect');
  const held = { ...as('ana'), 'x-test-hold': 'head' };
  const waiting = get(gateway.gateway, '/v3/unit', pair.cert, held);
  await upstream.until(({ log }) => log.length === 1);
  const ended = gateway.stop();
  await Promise.all([once(idle, 'close'), once(plain, 'close')]);
  upstream.release();
  const { status, headers } = await waiting;
  t.equal(status, 200);
  t.equal(headers.connection, 'close');
  t.equal(await ended, 0);
});

t.test('a certificate that cannot be used at start is an error', async (t) => {
  const [one, other] = await Promise.all([selfSigned('localhost'), selfSigned('localhost')]);
  await t.rejects(secured(t, { cert: one.cert, key: other.key }));
});
