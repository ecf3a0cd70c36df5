// The ops listener: live from the first moment, ready only while requests should come, and nothing else to be had.
import type { AddressInfo } from 'node:net';
import t from 'tap';
import { VERSION } from '../../src/observe/build.js';
import { Ops } from '../../src/observe/ops.js';
import { ask, startGateway } from '../support/gateway.js';
import { TestUpstream } from '../support/upstream.js';

const ORGS = '  acme: { plans: { usage: { allowance: 10 } } }';

t.test('live at once; ready when it says so, and no longer when it drains', async (t) => {
  const ops = new Ops({ metrics: async () => 'a 1\n', onError: (error) => t.fail(String(error)) });
  const { port } = (await ops.listen('127.0.0.1', 0)) as AddressInfo;
  const at = `127.0.0.1:${port}`;
  t.teardown(() => ops.close());
  const seen = async () => {
    const [healthz, readyz] = await Promise.all([ask(at, '/healthz'), ask(at, '/readyz')]);
    return [healthz.status, readyz.status, readyz.body.trim()];
  };
  t.strictSame(await seen(), [200, 503, 'starting']);
  ops.phase = 'ready';
  t.strictSame(await seen(), [200, 200, 'ready']);
  ops.phase = 'draining';
  t.strictSame(await seen(), [200, 503, 'draining']);
});

t.test('a scrape that fails is 500, and reported', async (t) => {
  const errors: unknown[] = [];
  const metrics = async () => Promise.reject(new Error('secret detail'));
  const ops = new Ops({ metrics, onError: (error) => errors.push(error) });
  const { port } = (await ops.listen('127.0.0.1', 0)) as AddressInfo;
  const at = `127.0.0.1:${port}`;
  t.teardown(() => ops.close());
  const { status, body } = await ask(at, '/metrics');
  t.equal(status, 500);
  t.notMatch(body, 'secret');
  t.equal(errors.length, 1);
});

t.test('of a running gateway', async (t) => {
  const upstream = await TestUpstream.start();
  const gateway = await startGateway({ upstream: upstream.url, orgs: ORGS });
  t.teardown(() => Promise.all([gateway.close(), upstream.close()]));
  const { status, headers, body } = await ask(gateway.ops, '/metrics?x=1');
  t.equal(status, 200);
  t.equal(headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
  t.match(body, /^quotagate_ready 1$/m);
  t.equal((await ask(gateway.ops, '/healthz')).body, `ok, quotagate ${VERSION}\n`);
  const head = await ask(gateway.ops, '/metrics', { method: 'HEAD' });
  t.equal(head.status, 200);
  t.equal(head.body, '');
  t.equal((await ask(gateway.ops, '/healthz', { method: 'POST', body: 'x' })).status, 405);
  for (const path of ['/', '/v1/orgs', '/metrics/', '/v3/unit'])
    t.equal((await ask(gateway.ops, path)).status, 404, path);
  t.equal((await ask(gateway.gateway, '/metrics')).status, 404, 'callers do not see them');
});

t.test('it answers to the end: closed last of all', async (t) => {
  const upstream = await TestUpstream.start();
  const gateway = await startGateway({ upstream: upstream.url, orgs: ORGS });
  const held = { ...{ 'x-quota-org': 'acme', 'x-quota-user': 'ana' }, 'x-test-hold': 'head' };
  const waiting = ask(gateway.gateway, '/v3/unit', { headers: held });
  await upstream.until(({ log }) => log.length === 1);
  const closed = gateway.close();
  t.equal((await ask(gateway.ops, '/readyz')).status, 503);
  t.equal((await ask(gateway.ops, '/healthz')).status, 200, 'what ends is alive');
  upstream.release();
  t.equal((await waiting).status, 200);
  await closed;
  await t.rejects(ask(gateway.ops, '/healthz'));
  await upstream.close();
});
