/** Methods and versions: the request line alone decides, and what is ambiguous is refused. */
import { ANA, type Case, CHUNKS, cut, ended, get, HOST, lines, post, refused, served } from './case.js';

const by = (method: string, ...fields: readonly string[]): string =>
  lines(`${method} /cheap/1 HTTP/1.1`, HOST, ANA, ...fields);
const line = (first: string, ...fields: readonly string[]): string => lines(first, HOST, ANA, ...fields);

const OVERRIDES = ['X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override'];
/** With these headers some servers serve another path or caller than the request line states. */
const MOVERS = [
  'script-name',
  'path-info',
  'remote-user',
  'daphne-root-path',
  'x-script-name',
  'x-forwarded-prefix',
  'x-original-uri',
  'x-envoy-original-path',
  'x-ms-original-url',
  'x-invoke-query',
  'x-now-route-matches',
  'azureml-model-deployment',
  'x-middleware-subrequest',
  'x-sendfile-type',
];

export const METHODS: readonly Case[] = [
  ...refused(
    'route-unknown',
    Object.fromEntries(
      ['HEAD', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'PROPFIND', 'PURGE', 'SEARCH', 'M-SEARCH'].map(
        (method) => [`${method}, where GET has a price`, by(method, 'content-length: 0')],
      ),
    ),
  ),
  ...ended('request-malformed', {
    'a method in lower case': by('get'),
    'a method in mixed case': by('Get'),
    'an unknown method': by('FETCH'),
    'a method with a punctuation mark': by('GE!T'),
    'no method': line('/cheap/1 HTTP/1.1'),
    'a space before the method': line(' GET /cheap/1 HTTP/1.1'),
    'two methods': line('GET POST /cheap/1 HTTP/1.1'),
    'HTTP/2 by prior knowledge': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    'HTTP/0.9': 'GET /cheap/1\r\n\r\n',
    'HTTP/0.9 with fields': line('GET /cheap/1'),
    'HTTP/0.9 by name': line('GET /cheap/1 HTTP/0.9'),
    'HTTP/2.0': line('GET /cheap/1 HTTP/2.0'),
    'HTTP/1.2': line('GET /cheap/1 HTTP/1.2'),
    'HTTP/1.10': line('GET /cheap/1 HTTP/1.10'),
    'HTTP/1': line('GET /cheap/1 HTTP/1'),
    'a version in lower case': line('GET /cheap/1 http/1.1'),
    'another protocol': line('GET /cheap/1 ICY/1.1'),
    'more text after the version': line('GET /cheap/1 HTTP/1.1 HTTP/1.1'),
    'a request line that ends in a bare line feed': `GET /cheap/1 HTTP/1.1\n${lines(HOST, ANA)}`,
  }),
  ...ended('method-refused', {
    TRACE: by('TRACE'),
    'TRACE on a route for any method': lines('TRACE /any/1 HTTP/1.1', HOST, ANA),
    'a tunnel': lines('CONNECT upstream:80 HTTP/1.1', 'host: upstream:80', ANA),
    'a tunnel to a path': lines('CONNECT /cheap/1 HTTP/1.1', HOST, ANA),
    'a tunnel, with a body': `${lines('CONNECT upstream:80 HTTP/1.1', HOST, ANA, 'content-length: 5')}hello`,
  }),
  ...ended('upgrade-refused', {
    WebSocket: get(
      '/cheap/1',
      'connection: Upgrade',
      'upgrade: websocket',
      'sec-websocket-version: 13',
      'sec-websocket-key: x',
    ),
    'WebSocket on a free route': get('/v3/x', 'connection: upgrade', 'upgrade: websocket'),
    'an upgrade that Connection does not name': get('/cheap/1', 'upgrade: websocket'),
    'h2c and WebSocket': get('/cheap/1', 'connection: upgrade', 'upgrade: h2c, websocket'),
    'h2c and then WebSocket': get('/cheap/1', 'connection: upgrade', 'upgrade: h2c', 'upgrade: websocket'),
    'an upgrade with a body': post('/cheap/1', 'hello', 'connection: upgrade', 'upgrade: foo/2'),
    'an upgrade in HTTP/1.0': line('GET /cheap/1 HTTP/1.0', 'connection: upgrade', 'upgrade: websocket'),
  }),
  ...ended('expectation-refused', {
    'an unknown expectation': post('/cheap/1', 'hello', 'expect: 200-ok'),
    'two expectations': post('/cheap/1', 'hello', 'expect: 100-continue', 'expect: x'),
    'a list of expectations': post('/cheap/1', 'hello', 'expect: x, 100-continue'),
    'an expectation with a parameter': post('/cheap/1', 'hello', 'expect: 100-continue;x=1'),
  }),
  ...cut('route-unknown', {
    'an upload with an expectation to an unknown route': lines(
      'POST /nowhere HTTP/1.1',
      HOST,
      ANA,
      'content-length: 1000000',
      'expect: 100-continue',
    ),
  }),
  ...cut('identity-missing', {
    'an upload with an expectation, without identity': lines(
      'POST /cheap/1 HTTP/1.1',
      HOST,
      'content-length: 1000000',
      'expect: 100-continue',
    ),
  }),
  served('an h2c upgrade is ignored', {
    bytes: get('/cheap/1', 'connection: Upgrade, HTTP2-Settings', 'upgrade: h2c', 'http2-settings: AAMAAABk'),
    received: ['GET /cheap/1'],
    units: 1,
    fields: { upgrade: undefined, 'http2-settings': undefined },
    behind: 'dropped',
  }),
  served('h2c with a body', {
    bytes: post(
      '/cheap/1',
      'hello',
      'connection: Upgrade, HTTP2-Settings',
      'upgrade: h2c',
      'http2-settings: AAMAAABk',
    ),
    received: ['POST /cheap/1 hello'],
    units: 1,
    behind: 'dropped',
  }),
  served('an expectation with the body sent at once', {
    bytes: post('/cheap/1', 'hello', 'expect: 100-continue'),
    received: ['POST /cheap/1 hello'],
    units: 1,
    fields: { expect: undefined },
  }),
  served('an expectation in capitals', {
    bytes: post('/cheap/1', 'hello', 'Expect: 100-Continue'),
    received: ['POST /cheap/1 hello'],
    units: 1,
  }),
  served('an expectation in HTTP/1.0 is ignored', {
    bytes: `${line('POST /cheap/1 HTTP/1.0', 'content-length: 5', 'expect: 100-continue', 'connection: keep-alive')}hello`,
    received: ['POST /cheap/1 hello'],
    units: 1,
    fields: { expect: undefined },
  }),
  ...OVERRIDES.map((name) =>
    served(`${name} does not travel`, {
      bytes: post('/cheap/1', 'hello', `${name}: DELETE`),
      received: ['POST /cheap/1 hello'],
      units: 1,
      fields: { [name.toLowerCase()]: undefined },
    }),
  ),
  served('override headers with underscores are not forwarded', {
    bytes: get('/cheap/1', 'X_HTTP_Method_Override: DELETE', 'x-http_method: DELETE'),
    received: ['GET /cheap/1'],
    units: 1,
    fields: { x_http_method_override: undefined, 'x-http_method': undefined },
  }),
  ...MOVERS.map((name) =>
    served(`${name} does not travel`, {
      bytes: get('/cheap/1', `${name}: /v3`, `${name.replaceAll('-', '_')}: /v3`, 'x-kept: 1'),
      received: ['GET /cheap/1'],
      units: 1,
      fields: { [name]: undefined, [name.replaceAll('-', '_')]: undefined, 'x-kept': '1' },
    }),
  ),
  served('URL override headers are not forwarded', {
    bytes: get(
      '/cheap/1',
      'X-Original-URL: /v3/report/full',
      'x-rewrite-url: /v3/report/full',
      'x_original_url: /v3',
    ),
    received: ['GET /cheap/1'],
    units: 1,
    fields: { 'x-original-url': undefined, 'x-rewrite-url': undefined, x_original_url: undefined },
  }),
  served('an unusual method on a route for any method', {
    bytes: lines('PROPFIND /any/1 HTTP/1.1', HOST, ANA),
    received: ['PROPFIND /any/1'],
    units: 1,
  }),
  served('HEAD on a route for any method', {
    bytes: lines('HEAD /any/1 HTTP/1.1', HOST, ANA),
    received: ['HEAD /any/1'],
    units: 1,
  }),
  served('a GET with a body', {
    bytes: `${lines('GET /cheap/1 HTTP/1.1', HOST, ANA, 'content-length: 5')}hello`,
    received: ['GET /cheap/1 hello'],
    units: 1,
  }),
  served('a GET with a body in chunks', {
    bytes: lines('GET /cheap/1 HTTP/1.1', HOST, ANA, 'transfer-encoding: chunked') + CHUNKS,
    received: ['GET /cheap/1 hello'],
    units: 1,
  }),
  served('a DELETE with a body', {
    bytes: `${lines('DELETE /any/1 HTTP/1.1', HOST, ANA, 'content-length: 5')}hello`,
    received: ['DELETE /any/1 hello'],
    units: 1,
  }),
  served('HTTP/1.0', {
    bytes: line('GET /cheap/1 HTTP/1.0'),
    received: ['GET /cheap/1'],
    units: 1,
    behind: 'dropped',
  }),
  served('HTTP/1.0 without a host', {
    bytes: lines('GET /cheap/1 HTTP/1.0', ANA),
    received: ['GET /cheap/1'],
    units: 1,
    fields: { 'x-forwarded-host': undefined, via: '1.0 quotagate' },
    behind: 'dropped',
  }),
  served('HTTP/1.0 with keep-alive', {
    bytes: line('GET /cheap/1 HTTP/1.0', 'connection: keep-alive'),
    received: ['GET /cheap/1'],
    units: 1,
  }),
];
