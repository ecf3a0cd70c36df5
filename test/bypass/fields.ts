/** Headers: identity and cost are stated exactly once, by a trusted source, and no other header can change or remove them. */
import { ANA, anonymous, type Case, cut, ended, get, HOST, lines, post, refused, served } from './case.js';

const ORG = 'x-quota-org: acme';
const of = (...fields: readonly string[]): string => lines('GET /cheap/1 HTTP/1.1', HOST, ...fields);
const stated = (...fields: readonly string[]): string => post('/stated', '', ...fields);
const rows = (body: string, ...fields: readonly string[]): string => post('/rows', body, ...fields);
const many = (count: number): string[] => Array.from({ length: count }, (_, at) => `x-${at}: 1`);
const ONE = { received: ['GET /cheap/1'], units: 1 } as const;
const asked = (...fields: readonly string[]): string => `x-test-fields: ${JSON.stringify(fields)}`;

export const FIELDS: readonly Case[] = [
  ...refused('identity-invalid', {
    'two users': of(ANA, 'x-quota-user: ben'),
    'the same user twice': of(ANA, 'X-QUOTA-USER: ana'),
    'two orgs': of(ANA, 'x-quota-org: other'),
    'a user header with underscores beside one with dashes': of(ANA, 'x_quota_user: ben'),
    'a user header with one underscore': of(ANA, 'x-quota_user: ben'),
    'only a user header with underscores': of(ORG, 'x_quota_user: ana'),
    ...Object.fromEntries(
      [...".!#$%&'*+^`|~"].map((sign) => [
        `a user header with ${sign} for each dash`,
        of(ANA, `x${sign}Quota${sign}User: ben`),
      ]),
    ),
    'an org header with a dot': of(ANA, 'x-quota.org: other'),
    'Connection names a variant of the user header': of(ANA, 'connection: x.quota_user'),
    'Connection names the user header': of(ANA, 'connection: x-quota-user'),
    'Connection names the org header': of(ANA, 'connection: keep-alive, X-Quota-Org'),
    'Connection names the groups header': of(ANA, 'x-quota-groups: team', 'connection: x-quota-groups'),
    'a second Connection names the user header': of(
      ANA,
      'connection: keep-alive',
      'connection: x-quota-user',
    ),
    'an empty user': of(ORG, 'x-quota-user:'),
    'no user': of(ORG),
    'a list of two orgs': of('x-quota-org: acme, other', 'x-quota-user: ana'),
    'an org with path segments': of('x-quota-org: ../acme', 'x-quota-user: ana'),
  }),
  ...refused('identity-missing', {
    'no identity': of(),
    'identity in the query': anonymous('/cheap/1?x-quota-org=acme&x-quota-user=ana'),
    'identity in a cookie': of('cookie: x-quota-org=acme; x-quota-user=ana'),
    'identity under another name': of('x-quotaorg: acme', 'x-quota-username: ana'),
  }),
  ...refused('unknown-org', {
    'org ids are case-sensitive': of('x-quota-org: ACME', 'x-quota-user: ana'),
  }),
  ...refused('cost-invalid', {
    'no cost': stated(),
    'a negative cost': stated('x-cost: -1'),
    'two costs': stated('x-cost: 9', 'X-Cost: 1'),
    'a cost header with an underscore beside it': stated('x-cost: 9', 'x_cost: 1'),
    'only a cost header with an underscore': stated('x_cost: 1'),
    'a cost header with a dot beside it': stated('x-cost: 9', 'x.cost: 1'),
    'Connection names a variant of the cost header': stated('x-cost: 9', 'connection: x!cost'),
    'Connection names the cost header': stated('x-cost: 9', 'connection: x-cost'),
    'Connection names the cost header among others': stated('x-cost: 9', 'connection: keep-alive , X-COST'),
    'a cost in exponent form': stated('x-cost: 1e-9'),
    'a list of costs': stated('x-cost: 1, 9'),
  }),
  ...refused('body-malformed', {
    'a duplicate key': rows('{"rows":[1],"rows":[1,2,3]}'),
    'a duplicate key, once escaped': rows('{"rows":[1],"\\u0072ows":[1,2,3]}'),
    'a second JSON value after the first': rows('{"rows":[1]}{"rows":[1,2,3]}'),
  }),
  ...refused('body-encoded', {
    'a compressed body': rows('{"rows":[1]}', 'content-encoding: gzip'),
    'a form': rows('{"rows":[1]}', 'content-type: application/x-www-form-urlencoded'),
    'another charset': rows('{"rows":[1]}', 'content-type: application/json; charset=utf-16'),
  }),
  ...ended('request-malformed', {
    'no host': lines('GET /cheap/1 HTTP/1.1', ANA),
    'two hosts': lines('GET /cheap/1 HTTP/1.1', HOST, 'Host: other', ANA),
    'the same host twice': lines('GET /cheap/1 HTTP/1.1', HOST, HOST, ANA),
    'an empty host': lines('GET /cheap/1 HTTP/1.1', 'host:', ANA),
    'a host with a user': lines('GET /cheap/1 HTTP/1.1', 'host: ana@gateway', ANA),
    'a host with a path': lines('GET /cheap/1 HTTP/1.1', 'host: gateway/v3/report/full', ANA),
    'a host with a scheme': lines('GET /cheap/1 HTTP/1.1', 'host: http://gateway', ANA),
    'a host with a query': lines('GET /cheap/1 HTTP/1.1', 'host: gateway?x', ANA),
    'a host with a space': lines('GET /cheap/1 HTTP/1.1', 'host: gateway other', ANA),
    'a list of hosts': lines('GET /cheap/1 HTTP/1.1', 'host: gateway, other', ANA),
    'a host with a port beyond 65535': lines('GET /cheap/1 HTTP/1.1', 'host: gateway:99999', ANA),
    'a host with two ports': lines('GET /cheap/1 HTTP/1.1', 'host: gateway:80:81', ANA),
    'two hosts on a free route': lines('GET /v3/x HTTP/1.1', HOST, 'host: other'),
  }),
  ...ended('headers-too-large', {
    'more headers than the gateway accepts': get('/cheap/1', ...many(300)),
    'more headers than Node keeps, followed by an identity': lines(
      'GET /cheap/1 HTTP/1.1',
      HOST,
      ...many(2_100),
      ANA,
      'x-quota-user: ben',
    ),
    'more headers than Node keeps, followed by a transfer coding': `${lines(
      'POST /cheap/1 HTTP/1.1',
      HOST,
      ANA,
      ...many(2_100),
      'transfer-encoding: chunked',
    )}0\r\n\r\n`,
  }),
  ...cut('headers-too-large', {
    'a hundred long headers': get(
      '/cheap/1',
      ...Array.from({ length: 100 }, (_, at) => `x-${at}: ${'x'.repeat(1_000)}`),
    ),
    'a long header name': get('/cheap/1', `${'x'.repeat(40_000)}: 1`),
  }),
  served('a host with an empty port', {
    bytes: lines('GET /cheap/1 HTTP/1.1', 'host: gateway:', ANA),
    ...ONE,
    fields: { 'x-forwarded-host': 'gateway:' },
  }),
  served('as many headers as the gateway accepts', { bytes: get('/cheap/1', ...many(250)), ...ONE }),
  served('identity headers are not forwarded', {
    bytes: get('/cheap/1', 'x-quota-groups: nobody', 'x-kept: 1'),
    ...ONE,
    fields: {
      'x-quota-org': undefined,
      'x-quota-user': undefined,
      'x-quota-groups': undefined,
      'x-kept': '1',
    },
  }),
  served('identity headers are not forwarded on a route without identity', {
    bytes: get(
      '/v3/x',
      'x-quota-user: ben',
      'x_quota_user: ben',
      'X-Quota_Org: acme',
      'connection: x-quota-user',
    ),
    received: ['GET /v3/x'],
    units: 0,
    fields: { 'x-quota-user': undefined, x_quota_user: undefined, 'x-quota_org': undefined },
  }),
  served('Connection removes headers of the client', {
    bytes: get('/cheap/1', 'x-a: 1', 'x-b: 2', 'connection: X-A, close', 'keep-alive: 5'),
    ...ONE,
    fields: { 'x-a': undefined, 'x-b': '2', 'keep-alive': undefined },
    behind: 'dropped',
  }),
  served('Connection removes neither Content-Length nor Host', {
    bytes: post('/cheap/1', 'hello', 'connection: content-length, host, transfer-encoding'),
    received: ['POST /cheap/1 hello'],
    units: 1,
    fields: { 'content-length': '5' },
  }),
  served('X-Forwarded-For ends with the peer of the connection', {
    bytes: get(
      '/cheap/1',
      'x-forwarded-for: 10.0.0.1',
      'X-Forwarded-For: 10.0.0.2',
      'x_forwarded_for: 10.0.0.3',
    ),
    ...ONE,
    fields: { 'x-forwarded-for': '10.0.0.1, 10.0.0.2, 127.0.0.1', x_forwarded_for: undefined },
  }),
  served('Connection does not remove the X-Forwarded headers of the gateway', {
    bytes: get('/cheap/1', 'x-forwarded-for: 10.0.0.1', 'connection: x-forwarded-for, x-forwarded-host'),
    ...ONE,
    fields: { 'x-forwarded-for': '127.0.0.1', 'x-forwarded-host': 'gateway', 'x-forwarded-proto': 'http' },
  }),
  served('proxy credentials are not forwarded', {
    bytes: get(
      '/cheap/1',
      'proxy-authorization: Basic eDp5',
      'Proxy_Authorization: Basic eDp5',
      'proxy: http://x',
    ),
    ...ONE,
    fields: { 'proxy-authorization': undefined, proxy_authorization: undefined, proxy: undefined },
  }),
  served('a client cannot set a header that the gateway sets', {
    bytes: get('/cheap/1', 'x-api-key: mine', 'X_Api_Key: mine', 'x.api!key: mine', 'connection: x-api-key'),
    ...ONE,
    fields: { 'x-api-key': "the upstream's own", x_api_key: undefined, 'x.api!key': undefined },
  }),
  served('header names that servers normalize are not forwarded', {
    bytes: get(
      '/cheap/1',
      'x_a: 1',
      'x.b: 1',
      'proxy.authorization: Basic eDp5',
      'content!length: 9',
      'transfer~encoding: chunked',
      'x.forwarded.for: 10.0.0.3',
      'x-kept: 1',
    ),
    ...ONE,
    fields: {
      x_a: undefined,
      'x.b': undefined,
      'proxy.authorization': undefined,
      'content!length': undefined,
      'transfer~encoding': undefined,
      'x.forwarded.for': undefined,
      'x-kept': '1',
    },
  }),
  served('a client cannot send RateLimit and error headers to the upstream', {
    bytes: get(
      '/cheap/1',
      'RateLimit: "x";r=9',
      'ratelimit-policy: "x";q=9',
      'QuotaGate-Error: x',
      'quotagate_error: x',
    ),
    ...ONE,
    fields: {
      ratelimit: undefined,
      'ratelimit-policy': undefined,
      'quotagate-error': undefined,
      quotagate_error: undefined,
    },
  }),
  served('an upstream cannot set the RateLimit and error headers', {
    bytes: get(
      '/cheap/1',
      asked('RateLimit', '"x";r=9', 'RateLimit-Policy', 'x', 'QuotaGate-Error', 'quota-exceeded'),
    ),
    ...ONE,
    answerFields: { 'quotagate-error': undefined },
  }),
  served('an upstream cannot set them on a free route', {
    bytes: anonymous(
      '/v3/x',
      asked('RateLimit', '"x";r=9', 'QuotaGate-Error', 'quota-exceeded', 'x-kept', '1'),
    ),
    received: ['GET /v3/x'],
    units: 0,
    answerFields: { ratelimit: undefined, 'quotagate-error': undefined, 'x-kept': '1' },
  }),
  served('a stated cost', {
    bytes: stated('x-cost: 7'),
    received: ['POST /stated'],
    units: 7,
    fields: { 'x-cost': '7' },
  }),
  served('three rows', {
    bytes: rows('{"rows":[1,2,3]}', 'content-type: application/json'),
    received: ['POST /rows {"rows":[1,2,3]}'],
    units: 3,
  }),
  served('three rows, where Connection names Content-Type', {
    bytes: rows('{"rows":[1,2,3]}', 'content-type: application/json', 'connection: content-type'),
    received: ['POST /rows {"rows":[1,2,3]}'],
    units: 3,
  }),
  served('a status that does not count', {
    bytes: get('/cheap/1', 'x-test-status: 404'),
    answers: [404],
    received: ['GET /cheap/1'],
    units: 0,
  }),
  served('a cost in the response', {
    bytes: get('/measured/1', asked('x-units', '4')),
    received: ['GET /measured/1'],
    units: 4,
  }),
  served('two costs in the response: the estimate', {
    bytes: get('/measured/1', asked('x-units', '0', 'X-Units', '4')),
    received: ['GET /measured/1'],
    units: 6,
  }),
  served('a cost header from the client is ignored', {
    bytes: get('/measured/1', 'x-units: 0'),
    received: ['GET /measured/1'],
    units: 6,
  }),
  served('a negative cost in the response: the estimate', {
    bytes: get('/measured/1', asked('x-units', '-9')),
    received: ['GET /measured/1'],
    units: 6,
  }),
];
