// Headers of one connection stay on it, the gateway's own headers replace those of others, and all other headers pass
// unchanged.
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import t, { type Test } from 'tap';
import { createForwarder } from '../../src/forward/forwarder.js';
import { upstreamFields } from '../../src/forward/headers.js';
import { headerOf, headersOf } from '../support/raw.js';
import { TestUpstream, type UpstreamEntry } from '../support/upstream.js';
import { Relay, type RelayOptions } from './relay.js';

async function start(t: Test, options: RelayOptions = {}): Promise<{ upstream: TestUpstream; relay: Relay }> {
  const upstream = await TestUpstream.start();
  t.teardown(() => upstream.close());
  return { upstream, relay: await Relay.start(t, upstream.url, options) };
}

/** What reaches the upstream of a request with these header lines. */
async function sent(t: Test, lines: string[], options: RelayOptions = {}, body = ''): Promise<UpstreamEntry> {
  const { upstream, relay } = await start(t, options);
  const [first = '', ...fields] = lines;
  const client = await relay.connect(t);
  await client.write([first, 'Host: gateway.test', ...fields, '', body].join('\r\n')).answer();
  const [entry] = upstream.log;
  if (entry === undefined) throw new Error('nothing reached the upstream');
  return entry;
}

/** What an upstream that sends these bytes looks like to the client. */
async function served(t: Test, bytes: string, options: RelayOptions = {}, method = 'GET') {
  const server = createServer((socket) => {
    socket.once('data', () => socket.end(Buffer.from(bytes, 'latin1')));
    socket.on('error', () => {});
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const address = server.address();
  const port = address !== null && typeof address === 'object' ? address.port : 0;
  const relay = await Relay.start(t, `http://127.0.0.1:${port}`, options);
  const client = await relay.connect(t);
  return client.write(`${method} / HTTP/1.1\r\nHost: gateway.test\r\n\r\n`).answer(method);
}

const names = (rawHeaders: readonly string[]): string[] =>
  rawHeaders.filter((_, at) => at % 2 === 0).map((name) => name.toLowerCase());

t.test('the upstream gets the request, not the connection', async (t) => {
  const entry = await sent(t, [
    'GET /v3/maps/1?a=b HTTP/1.1',
    'Connection: X-Private, keep-alive',
    'X-Private: 1',
    'Keep-Alive: timeout=5',
    'TE: trailers',
    'Proxy-Authorization: Basic eDp5',
    'Proxy-Connection: keep-alive',
    'Proxy: http://attacker.test',
    'X-Kept: a',
    'x-kept: b',
    'traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    'tracestate: x=y',
  ]);
  t.equal(entry.target, '/v3/maps/1?a=b');
  const kept = ['x-kept', 'x-kept', 'traceparent', 'tracestate'];
  const written = ['host', 'connection'];
  const forwarded = ['x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'via'];
  t.same(names(entry.rawHeaders).sort(), [...kept, ...written, ...forwarded].sort());
  t.same(headersOf(entry.rawHeaders, 'x-kept'), ['a', 'b']);
  t.equal(headerOf(entry.rawHeaders, 'connection'), 'keep-alive');
});

t.test('an upgrade is not passed on', async (t) => {
  const { upstream, relay } = await start(t);
  const client = await relay.connect(t);
  // Without a listener for it, Node hands an upgrade over as a plain request.
  client.write('GET / HTTP/1.1\r\nHost: gateway.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
  t.equal((await client.answer()).status, 200);
  t.equal(headerOf(upstream.log[0]?.rawHeaders ?? [], 'upgrade'), undefined);
  t.equal(headerOf(upstream.log[0]?.rawHeaders ?? [], 'connection'), 'keep-alive');
});

t.test('a Connection cannot take away what says where the body ends', async (t) => {
  const lines = ['POST / HTTP/1.1', 'Connection: content-length, host, x-forwarded-for', 'Content-Length: 2'];
  const entry = await sent(t, [...lines, 'X-Forwarded-For: 1.1.1.1'], {}, 'hi');
  t.equal(entry.body, 'hi');
  t.equal(headerOf(entry.rawHeaders, 'content-length'), '2');
  t.equal(headerOf(entry.rawHeaders, 'x-forwarded-for'), '192.0.2.7');
  t.equal(headerOf(entry.rawHeaders, 'x-forwarded-host'), 'gateway.test');
});

t.test('the upstream is called by its own name, and gets the caller’s address', async (t) => {
  const entry = await sent(t, ['GET / HTTP/1.1']);
  t.match(headerOf(entry.rawHeaders, 'host'), /^127\.0\.0\.1:\d+$/);
  t.equal(headerOf(entry.rawHeaders, 'x-forwarded-for'), '192.0.2.7');
  t.equal(headerOf(entry.rawHeaders, 'x-forwarded-host'), 'gateway.test');
  t.equal(headerOf(entry.rawHeaders, 'x-forwarded-proto'), 'http');
});

t.test('behind another proxy the chain grows, and its host and scheme are kept', async (t) => {
  const entry = await sent(t, [
    'GET / HTTP/1.1',
    'X-Forwarded-For: 198.51.100.1',
    'X-Forwarded-For: 198.51.100.2',
    'X-Forwarded-Proto: https',
    'X-Forwarded-Host: api.example.com',
  ]);
  t.same(headersOf(entry.rawHeaders, 'x-forwarded-for'), ['198.51.100.1, 198.51.100.2, 192.0.2.7']);
  t.same(headersOf(entry.rawHeaders, 'x-forwarded-proto'), ['https']);
  t.same(headersOf(entry.rawHeaders, 'x-forwarded-host'), ['api.example.com']);
});

t.test('stripped fields never travel, in any case', async (t) => {
  const options = { job: () => ({ stripHeaders: new Set(['x-quota-user', 'authorization']) }) };
  const entry = await sent(
    t,
    ['GET / HTTP/1.1', 'X-Quota-User: ann', 'AUTHORIZATION: Bearer x', 'X-Other: 1'],
    options,
  );
  t.notMatch(names(entry.rawHeaders), ['x-quota-user']);
  t.notOk(names(entry.rawHeaders).some((name) => name === 'x-quota-user' || name === 'authorization'));
  t.equal(headerOf(entry.rawHeaders, 'x-other'), '1');
});

t.test("the upstream's own fields replace the client's", async (t) => {
  const setHeaders = ['Authorization', 'Bearer of-the-upstream', 'Host', 'virtual.test'];
  const entry = await sent(t, ['GET / HTTP/1.1', 'authorization: Bearer of-the-client'], { setHeaders });
  t.same(headersOf(entry.rawHeaders, 'authorization'), ['Bearer of-the-upstream']);
  t.same(headersOf(entry.rawHeaders, 'host'), ['virtual.test']);
  t.equal(headerOf(entry.rawHeaders, 'x-forwarded-host'), 'gateway.test');
});

t.test('an Expect is answered here: the body follows', async (t) => {
  const { upstream, relay } = await start(t);
  const client = await relay.connect(t);
  client.write('POST / HTTP/1.1\r\nHost: gateway.test\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n');
  await client.until((received) => received.includes('HTTP/1.1 100 Continue\r\n\r\n'));
  t.equal((await client.write('hi').answer()).status, 200);
  t.equal(upstream.log[0]?.body, 'hi');
  t.equal(headerOf(upstream.log[0]?.rawHeaders ?? [], 'expect'), undefined);
});

t.test('a body keeps its framing, and a request without one has none', async (t) => {
  const framing = ({ rawHeaders }: UpstreamEntry): (string | undefined)[] => [
    headerOf(rawHeaders, 'content-length'),
    headerOf(rawHeaders, 'transfer-encoding'),
  ];
  const post = 'POST / HTTP/1.1';
  t.same(framing(await sent(t, [post, 'Content-Length: 2'], {}, 'hi')), ['2', undefined]);
  t.same(framing(await sent(t, [post, 'Content-Length: 0'])), ['0', undefined]);
  const chunked = await sent(
    t,
    [post, 'Transfer-Encoding: chunked'],
    {},
    '2\r\nhi\r\n0\r\nX-Trailer: 1\r\n\r\n',
  );
  t.equal(chunked.body, 'hi');
  t.same(framing(chunked), [undefined, 'chunked']);
  const empty = await sent(t, [post, 'Transfer-Encoding: chunked'], {}, '0\r\n\r\n');
  t.same(framing(empty), ['0', undefined]);
  t.same(framing(await sent(t, ['GET / HTTP/1.1'])), [undefined, undefined]);
  t.same(framing(await sent(t, ['DELETE / HTTP/1.1'])), [undefined, undefined]);
  const get = await sent(t, ['GET / HTTP/1.1', 'Content-Length: 2'], {}, 'hi');
  t.equal(get.body, 'hi');
});

t.test('a body that was read already is sent from memory, with its length', async (t) => {
  const job = async (request: AsyncIterable<Buffer>) => {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece);
    return { body: Buffer.concat(pieces) };
  };
  const lines = ['POST / HTTP/1.1', 'Transfer-Encoding: chunked'];
  const entry = await sent(t, lines, { job }, '2\r\nhi\r\n0\r\n\r\n');
  t.equal(entry.body, 'hi');
  t.equal(headerOf(entry.rawHeaders, 'content-length'), '2');
  const empty = await sent(t, ['POST / HTTP/1.1', 'Content-Length: 0'], { job });
  t.equal(headerOf(empty.rawHeaders, 'content-length'), '0');
});

t.test('a base path goes before every path', async (t) => {
  const upstream = await TestUpstream.start();
  t.teardown(() => upstream.close());
  const relay = await Relay.start(t, `${upstream.url}/base/`);
  await (await relay.connect(t)).write('GET /v3?x=1 HTTP/1.1\r\nHost: a\r\n\r\n').answer();
  t.equal(upstream.log[0]?.target, '/base/v3?x=1');
});

t.test('the client gets the answer, not the connection', async (t) => {
  const answer = await served(
    t,
    [
      'HTTP/1.1 200 OK',
      'Connection: X-Private, close',
      'X-Private: 1',
      'Keep-Alive: timeout=77',
      'Proxy-Authenticate: Basic',
      'Trailer: X-Sum',
      'Transfer-Encoding: chunked',
      'Set-Cookie: a=1',
      'Set-Cookie: b=2',
      'X-Latin: \xe9t\xe9',
      'Date: Thu, 01 Jan 2026 00:00:00 GMT',
      '',
      '2\r\nhi\r\n0\r\nX-Sum: 1\r\n\r\n',
    ].join('\r\n'),
  );
  t.equal(String(answer.body), 'hi');
  t.ok(answer.complete);
  for (const name of ['x-private', 'proxy-authenticate', 'trailer', 'x-sum'])
    t.equal(headerOf(answer.rawHeaders, name), undefined, name);
  t.same(headersOf(answer.rawHeaders, 'set-cookie'), ['a=1', 'b=2']);
  t.same(headersOf(answer.rawHeaders, 'date'), ['Thu, 01 Jan 2026 00:00:00 GMT']);
  t.same(headersOf(answer.rawHeaders, 'connection'), ['keep-alive']);
  t.not(headerOf(answer.rawHeaders, 'keep-alive'), 'timeout=77');
  t.equal(headerOf(answer.rawHeaders, 'x-latin'), '\xe9t\xe9');
});

t.test("what the gateway says of the budget replaces the upstream's word", async (t) => {
  const answer = await served(
    t,
    [
      'HTTP/1.1 200 OK',
      'RateLimit: "their";r=1',
      'ratelimit-policy: "their";q=9',
      'X-RateLimit-Limit: 5',
      'Content-Length: 0',
      '\r\n',
    ].join('\r\n'),
    { job: () => ({ extraHeaders: ['RateLimit', '"ours";r=2', 'RateLimit-Policy', '"ours";q=8'] }) },
  );
  t.same(headersOf(answer.rawHeaders, 'ratelimit'), ['"ours";r=2']);
  t.same(headersOf(answer.rawHeaders, 'ratelimit-policy'), ['"ours";q=8']);
  t.equal(headerOf(answer.rawHeaders, 'x-ratelimit-limit'), '5');
});

t.test('HEAD, 204 and 304 have no body, and leave the connection usable', async (t) => {
  const { relay } = await start(t);
  const client = await relay.connect(t);
  const lines = (method: string, status: number): string =>
    `${method} / HTTP/1.1\r\nHost: gateway.test\r\nx-test-bytes: 77\r\nx-test-status: ${status}\r\n\r\n`;
  const head = await client.write(lines('HEAD', 200)).answer('HEAD');
  t.same([head.status, headerOf(head.rawHeaders, 'content-length')], [200, '77']);
  t.equal((await client.write(lines('GET', 204)).answer()).status, 204);
  t.equal((await client.write(lines('GET', 304)).answer()).status, 304);
  t.equal((await client.write(lines('GET', 200)).answer()).body.length, 77);
  t.match(
    await relay.outcomes(4),
    [200, 204, 304, 200].map((status) => ({ kind: 'answered', status, complete: true })),
  );
});

for (const [status, fields, method] of [
  [304, ['Content-Length: 500', 'ETag: "a"'], 'GET'],
  [304, ['Content-Length: 500'], 'HEAD'],
  [304, ['Transfer-Encoding: chunked'], 'GET'],
  [204, ['Content-Length: 5'], 'GET'],
  [204, ['Content-Length: 5'], 'DELETE'],
  [204, ['Content-Length: 0'], 'HEAD'],
  [200, ['Content-Length: 500'], 'HEAD'],
] as const) {
  t.test(`${status} to ${method} with ${fields[0]}: the client has its answer, and goes on`, async (t) => {
    const server = createServer((socket) => {
      socket.on('data', () => socket.write([`HTTP/1.1 ${status} X`, ...fields, '\r\n'].join('\r\n')));
      socket.on('error', () => {});
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.teardown(() => server.close());
    const relay = await Relay.start(t, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const client = await relay.connect(t);
    for (let count = 0; count < 3; count++) {
      client.write(`${method} / HTTP/1.1\r\nHost: a\r\n\r\n`);
      const { status: received, rawHeaders } = await client.answer(method);
      const length = status === 204 ? undefined : /Content-Length: (\d+)/.exec(fields[0])?.[1];
      t.same([received, headerOf(rawHeaders, 'content-length')], [status, length]);
    }
    t.match(await relay.outcomes(3), Array(3).fill({ kind: 'answered', status, complete: true }));
  });
}

for (const coding of ['gzip, chunked', 'gzip', 'chunked, chunked', 'x-a;b=c, chunked']) {
  t.test(`an answer whose body is coded (${coding}) is not passed on without its label`, async (t) => {
    const bytes = `HTTP/1.1 200 OK\r\nTransfer-Encoding: ${coding}\r\n\r\n2\r\nhi\r\n0\r\n\r\n`;
    const answer = await served(t, bytes);
    t.same([answer.status, String(answer.body)], [502, 'upstream-broken']);
  });
}

t.test('Via grows both ways', async (t) => {
  const entry = await sent(t, ['GET / HTTP/1.1', 'Via: 1.1 first', 'Via: 1.0 second']);
  t.same(headersOf(entry.rawHeaders, 'via'), ['1.1 first', '1.0 second', '1.1 quotagate']);
  const { rawHeaders } = await served(t, 'HTTP/1.1 200 OK\r\nVia: 1.1 cache\r\nContent-Length: 0\r\n\r\n');
  t.same(headersOf(rawHeaders, 'via'), ['1.1 cache', '1.1 quotagate']);
});

t.test('no host is made up where the request has none', async (t) => {
  const { upstream, relay } = await start(t);
  await (await relay.connect(t)).write('GET / HTTP/1.0\r\n\r\n').answer();
  t.equal(headerOf(upstream.log[0]?.rawHeaders ?? [], 'x-forwarded-host'), undefined);
  t.equal(headerOf(upstream.log[0]?.rawHeaders ?? [], 'via'), '1.0 quotagate');
});

t.test('Content-Length is passed on unchanged', async (t) => {
  const { upstream, relay } = await start(t);
  const client = await relay.connect(t);
  client.write(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${Number.MAX_SAFE_INTEGER}\r\n\r\nhi`);
  await upstream.until(({ log }) => log.length === 1);
  t.equal(headerOf(upstream.log[0]?.rawHeaders ?? [], 'content-length'), '9007199254740991');
  client.destroy();
});

t.test('the head of an answer may have 64 KiB', async (t) => {
  const large = 'x'.repeat(32_000);
  const head = ['HTTP/1.1 200 OK', `X-A: ${large}`, `X-B: ${large}`, 'Content-Length: 2', '', 'hi'];
  const answer = await served(t, head.join('\r\n'));
  t.same([answer.status, String(answer.body)], [200, 'hi']);
  t.equal(headerOf(answer.rawHeaders, 'x-b')?.length, 32_000);
});

t.test('interim answers stay between the upstream and the gateway', async (t) => {
  const hints = 'HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n';
  const answer = await served(t, `${hints}HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nhi`);
  t.same([answer.status, String(answer.body), headerOf(answer.rawHeaders, 'link')], [201, 'hi', undefined]);
});

t.test('a reason phrase passes, and a broken one does no harm', async (t) => {
  t.equal((await served(t, 'HTTP/1.1 200 Fine\r\nContent-Length: 0\r\n\r\n')).reason, 'Fine');
  t.equal((await served(t, 'HTTP/1.1 200 \xc3\xa9\r\nContent-Length: 0\r\n\r\n')).reason, 'OK');
  t.equal((await served(t, 'HTTP/1.1 299\r\nContent-Length: 0\r\n\r\n')).status, 299);
});

t.test('a body that ends with its connection is whole', async (t) => {
  const answer = await served(t, 'HTTP/1.0 200 OK\r\n\r\nuntil the end');
  t.same([String(answer.body), answer.complete], ['until the end', true]);
});

t.test('what cannot be an upstream is refused at once', async (t) => {
  const options = { connectTimeoutMs: 1, headersTimeoutMs: 1, bodyTimeoutMs: 1, connections: 1 };
  for (const url of ['ftp://a', 'http://user@a', 'http://a/?b', 'http://a/#b', 'a'])
    t.throws(() => createForwarder({ url, ...options }), url);
  const setHeaders = ['Content-Length', '3'];
  t.throws(() => createForwarder({ url: 'http://a', ...options, setHeaders }), /content-length/);
});

t.test('names that servers fold, and fields that move a request, are dropped and counted', async (t) => {
  const lines = ['GET / HTTP/1.1', 'X_Own: 1', 'x.other: 1', 'Script-Name: /', 'Connection: x-a, close'];
  const reasons: string[] = [];
  const entry = await sent(t, lines, { onDropped: (reason) => reasons.push(reason) });
  t.notOk(names(entry.rawHeaders).some((name) => /own|other|script/.test(name)));
  t.same(reasons, ['name', 'name', 'moves']);
});

t.test('an upstream gets those that its config passes, and no twin of what is ours', async (t) => {
  const passHeaders = ['x_own', 'script-name', 'x.api.key', 'x.quota.user'];
  const options = {
    passHeaders,
    setHeaders: ['x-api-key', 'ours'],
    job: () => ({ stripHeaders: new Set(['x-quota-user']) }),
  };
  const lines = ['GET / HTTP/1.1', 'X_Own: 1', 'Script-Name: /a', 'x.api.key: mine', 'x.quota.user: ben'];
  const entry = await sent(t, [...lines, 'x_other: 1'], options);
  t.equal(headerOf(entry.rawHeaders, 'x_own'), '1');
  t.equal(headerOf(entry.rawHeaders, 'script-name'), '/a');
  for (const name of ['x.api.key', 'x.quota.user', 'x_other'])
    t.equal(headerOf(entry.rawHeaders, name), undefined, name);
  t.equal(headerOf(entry.rawHeaders, 'x-api-key'), 'ours');
  for (const name of ['x-a', 'content_length', 'proxy_a', 'content-length'])
    t.throws(() => upstreamFields([], [name]), name);
});

t.test(
  'misspelled twins of what is not passed as it is are dropped, and of what is set for the upstream',
  async (t) => {
    const entry = await sent(
      t,
      [
        'GET / HTTP/1.1',
        'X_Forwarded_For: 10.0.0.1',
        'X-Forwarded_Host: elsewhere',
        'Content_Length: 5',
        'Transfer_Encoding: chunked',
        'Proxy_Connection: close',
        'RateLimit_Policy: x',
        'X_Api_Key: mine',
        'X.Api!Key: mine',
        'X-Own: kept',
      ],
      { setHeaders: ['x-api-key', 'ours'] },
    );
    const written = [
      'host',
      'connection',
      'x-forwarded-for',
      'x-forwarded-host',
      'x-forwarded-proto',
      'x-api-key',
      'via',
    ];
    t.same(names(entry.rawHeaders).sort(), [...written, 'x-own'].sort());
    t.equal(entry.headers['x-forwarded-host'], 'gateway.test');
    t.equal(entry.headers['x-api-key'], 'ours');
  },
);

t.test('by no field a client has another path or method served than it asked for', async (t) => {
  const entry = await sent(t, [
    'GET /cheap HTTP/1.1',
    'X-Original-URL: /dear',
    'x-rewrite-url: /dear',
    'X-HTTP-Method-Override: DELETE',
    'X-HTTP-Method: DELETE',
    'X-Method-Override: DELETE',
    'X_HTTP_METHOD_OVERRIDE: DELETE',
  ]);
  t.same(
    names(entry.rawHeaders).filter((name) => /method|url/.test(name)),
    [],
  );
});

const TRAILED = [
  'HTTP/1.1 200 OK',
  'Transfer-Encoding: chunked',
  'Trailer: x-checksum',
  '',
  '5',
  'hello',
  '0',
  'x-checksum: \xe9',
  'QuotaGate-Error: internal',
  'Content-Type: text/html',
  'Set-Cookie: a=b',
  '\r\n',
].join('\r\n');

for (const [title, te, trailers] of [
  ['an answer’s trailers reach a client that takes them', 'TE: gzip, trailers\r\n', 'x-checksum: \xe9\r\n'],
  ['and no other', 'TE: xtrailers\r\n', ''],
  ['nor one that says nothing of it', '', ''],
] as const) {
  t.test(title, async (t) => {
    const server = createServer((socket) => {
      socket.once('data', () => socket.end(Buffer.from(TRAILED, 'latin1')));
      socket.on('error', () => {});
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.teardown(() => server.close());
    const relay = await Relay.start(t, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const client = await relay.connect(t);
    client.write(`GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${te}\r\n`);
    const all = (await client.untilClosed()).toString('latin1');
    t.equal(all.slice(all.indexOf('\r\n\r\n') + 4), `5\r\nhello\r\n0\r\n${trailers}\r\n`);
    t.same(await relay.outcomes(1), [{ kind: 'answered', status: 200, complete: true, clientGone: false }]);
  });
}
