// Traces, as a collector receives them over HTTP: the spans of a request, the caller's trace continued to the upstream, and nothing
// loaded where they are off.
import { execFileSync } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import { tracesWanted } from '../../src/observe/tracing/wanted.js';
import { ask, startGateway } from '../support/gateway.js';
import { TestUpstream } from '../support/upstream.js';

interface Span {
  readonly name: string;
  readonly kind: number;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly status: { readonly code?: number };
  readonly attributes: Readonly<Record<string, unknown>>;
}

interface Received {
  readonly spans: Span[];
  readonly resource: Record<string, unknown>;
  readonly headers: string[];
}

type Pairs = readonly { key: string; value: Record<string, unknown> }[];
const tableOf = (pairs: Pairs): Record<string, unknown> =>
  Object.fromEntries(pairs.map(({ key, value }) => [key, Object.values(value)[0]]));

/** A small OTLP receiver: JSON over HTTP at `/v1/traces`. */
async function startCollector(t: Test): Promise<{ url: string; received: Received }> {
  const received: Received = { spans: [], resource: {}, headers: [] };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      received.headers.push(`${request.method} ${request.url} ${request.headers['x-collector']}`);
      for (const { resource, scopeSpans } of JSON.parse(String(Buffer.concat(chunks))).resourceSpans) {
        Object.assign(received.resource, tableOf(resource.attributes));
        for (const { spans } of scopeSpans)
          for (const span of spans) received.spans.push({ ...span, attributes: tableOf(span.attributes) });
      }
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, received };
}

const ORGS = '  acme: { plans: { usage: { allowance: 10 } } }';
const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';
const caller = { 'x-quota-org': 'acme', 'x-quota-user': 'ana' };

t.test('the spans of requests', async (t) => {
  const { url, received } = await startCollector(t);
  const environment = {
    OTEL_EXPORTER_OTLP_ENDPOINT: url,
    OTEL_EXPORTER_OTLP_HEADERS: 'x-collector=secret',
    OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test',
  };
  Object.assign(process.env, environment);
  t.teardown(() => {
    for (const name of Object.keys(environment)) delete process.env[name];
  });
  const upstream = await TestUpstream.start();
  const gateway = await startGateway({ upstream: upstream.url, orgs: ORGS }, environment);
  const headers = { ...caller, traceparent: `00-${TRACE}-${PARENT}-01`, tracestate: 'vendor=1' };
  t.equal((await ask(gateway.gateway, '/v3/maps/1?secret=1', { headers })).status, 200);
  const sent = upstream.log.at(-1)?.headers;
  t.equal((await ask(gateway.gateway, '/v3/sql', { headers: caller })).status, 429, 'its budget is spent');
  await upstream.close();
  t.equal((await ask(gateway.gateway, '/v3/unit', { headers: caller })).status, 502);
  await gateway.close();

  const named = (name: string): Span => {
    const found = received.spans.filter((span) => span.name === name);
    t.equal(found.length, 1, name);
    return found[0] as Span;
  };
  t.strictSame([...new Set(received.headers)], ['POST /v1/traces secret']);
  t.match(received.resource, { 'service.name': 'quotagate', 'deployment.environment.name': 'test' });
  const request = named('GET /v3/maps/*');
  t.match(request, { kind: 2, traceId: TRACE, parentSpanId: PARENT });
  t.match(request.attributes, {
    'quotagate.org': 'acme',
    'quotagate.action': 'maps',
    'quotagate.outcome': '2xx',
  });
  const ofRequest = received.spans.filter(({ parentSpanId }) => parentSpanId === request.spanId);
  t.strictSame(ofRequest.map(({ name }) => name).sort(), ['GET up', 'quotagate.decision']);
  const [forwarded] = ofRequest.filter(({ name }) => name === 'GET up');
  t.equal(sent?.traceparent, `00-${TRACE}-${forwarded?.spanId}-01`, 'the upstream continues it');
  t.equal(sent?.tracestate, 'vendor=1');
  t.match(named('GET /v3/sql').attributes, {
    'quotagate.outcome': 'quota-exceeded',
    'http.response.status_code': 429,
  });
  t.not(named('GET /v3/sql').traceId, TRACE);
  t.match(named('GET /v3/unit'), {
    status: { code: 2 },
    attributes: { 'quotagate.outcome': 'upstream-unreachable' },
  });
  t.notMatch(JSON.stringify(received.spans), /ana|secret=1/, 'no user, no query');
});

t.test('the environment switches them on', async (t) => {
  const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' };
  t.equal(tracesWanted({}), false);
  t.equal(tracesWanted(endpoint), true);
  t.equal(tracesWanted({ OTEL_TRACES_EXPORTER: 'otlp' }), true);
  t.equal(tracesWanted({ ...endpoint, OTEL_TRACES_EXPORTER: 'none' }), false);
  t.equal(tracesWanted({ ...endpoint, OTEL_SDK_DISABLED: 'true' }), false);
});

t.test('off, nothing of OpenTelemetry is loaded', async (t) => {
  const loads = `
    import { createRequire } from 'node:module';
    await import('./dist/src/app/app.js');
    const loaded = Object.keys(createRequire(import.meta.url).cache);
    console.log(JSON.stringify([loaded.length > 0, loaded.some((path) => path.includes('@opentelemetry/sdk-trace'))]));`;
  const said = execFileSync(process.execPath, ['--input-type=module', '-e', loads], { encoding: 'utf8' });
  t.strictSame(JSON.parse(said), [true, false]);
});
