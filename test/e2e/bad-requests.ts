/** Requests that must be refused, as bytes (latin1: one character, one byte), each with its error code. */
import type { ErrorCode } from '../../src/errors/catalogue.js';

/** Which gateway gets the request: it registers unknown users, denies them, or does not trust this machine as a peer. */
export type GatewayKind = 'register' | 'deny' | 'elsewhere';

export interface BadRequest {
  readonly title: string;
  readonly bytes: string;
  readonly code: ErrorCode;
  readonly kind?: GatewayKind;
}

const ANA = 'x-quota-org: acme\r\nx-quota-user: ana';

/** A request line and headers, each with its line end. */
function head(line: string, ...fields: readonly string[]): string {
  return [`${line} HTTP/1.1`, 'host: gateway', ...fields, '', ''].join('\r\n');
}

function post(path: string, body: string, ...fields: readonly string[]): string {
  return head(`POST ${path}`, ANA, `content-length: ${body.length}`, ...fields) + body;
}

const named = (code: ErrorCode, requests: Readonly<Record<string, string>>): BadRequest[] =>
  Object.entries(requests).map(([title, bytes]) => ({ title, bytes, code }));

const unit = (...fields: readonly string[]): string => head('GET /v3/unit', ...fields);
const target = (path: string): string => head(`GET ${path}`, ANA);

export const ROUTING: readonly BadRequest[] = [
  ...['/', '/nowhere', '/V3/unit', '/v3/unit/', '/v3/maps', '/v3/unit/more', '/v3/Maps/1'].map((path) => ({
    title: `no route: ${path}`,
    bytes: target(path),
    code: 'route-unknown' as const,
  })),
  ...['POST', 'DELETE', 'PROPFIND', 'HEAD'].map((method) => ({
    title: `no route: ${method}`,
    bytes: head(`${method} /v3/unit`, ANA),
    code: 'route-unknown' as const,
  })),
  ...[
    '//v3/unit',
    '/v3//unit',
    '/v3/./unit',
    '/v3/x/../unit',
    '/v3/%2e%2e/v3/unit',
    '/v3/%2E/unit',
    '/v3/%75nit',
    '/v3/maps/a%2Fb',
    '/v3/maps/a%2fb',
    '/v3/maps/a%5Cb',
    '/v3/maps/a\\b',
    '/v3/maps/1;x=2',
    '/v3/maps/1%3Bx',
    '/v3/maps/%',
    '/v3/maps/%zz',
    '/v3/maps/%00',
    '/v3/maps/%ff',
    '/v3/maps/%c0%af',
    '/v3/maps/%252e',
    '/v3/maps/..',
    '/v3/unit#part',
    '/v3/unit?x#part',
    'ftp://gateway/v3/unit',
    'http://gateway//v3/unit',
    '*',
  ].map((path) => ({ title: `path ${path}`, bytes: target(path), code: 'path-refused' as const })),
];

const ORG = 'x-quota-org: acme';
const LONG = 'u'.repeat(257);
const GROUPS_65 = Array.from({ length: 65 }, (_, index) => `g${index}`).join(',');

export const IDENTITY: readonly BadRequest[] = [
  ...named('identity-missing', { 'no identity': unit(), 'only what looks like one': unit('x-user: ana') }),
  ...named('identity-invalid', {
    'only the org': unit(ORG),
    'only the user': unit('x-quota-user: ana'),
    'only groups': unit('x-quota-groups: g1'),
    'an empty org': unit('x-quota-org:', 'x-quota-user: ana'),
    'an empty user': unit(ORG, 'x-quota-user: \t '),
    'two orgs': unit(ANA, ORG),
    'two users': unit(ANA, 'X-Quota-User: ben'),
    'the same user twice': unit(ANA, 'x-quota-user: ana'),
    'groups twice': unit(ANA, 'x-quota-groups: g1', 'x-quota-groups: g2'),
    'an underscore twin of the user': unit(ANA, 'x_quota_user: ben'),
    'an underscore twin of the org': unit(ANA, 'x-quota_org: acme'),
    'an underscore twin alone': unit(ORG, 'x_quota_user: ana'),
    'an underscore twin of the groups': unit(ANA, 'x_quota_groups: g1'),
    'Connection names the user': unit(ANA, 'connection: x-quota-user'),
    'Connection names the groups among others': unit(
      ANA,
      'x-quota-groups: g1',
      'connection: keep-alive, X-Quota-Groups',
    ),
    'Connection names a twin': unit(ANA, 'connection: x_quota_org'),
    'an org with a space': unit('x-quota-org: ac me', 'x-quota-user: ana'),
    'an org with braces': unit('x-quota-org: {acme}', 'x-quota-user: ana'),
    'an org that ends a tag': unit('x-quota-org: acme}:org', 'x-quota-user: ana'),
    'an org with a bar': unit('x-quota-org: acme|x', 'x-quota-user: ana'),
    'an org with a colon': unit('x-quota-org: acme:x', 'x-quota-user: ana'),
    'an org with a slash': unit('x-quota-org: acme/x', 'x-quota-user: ana'),
    'an org that is too long': unit(`x-quota-org: ${'a'.repeat(65)}`, 'x-quota-user: ana'),
    'a user that is too long': unit(ORG, `x-quota-user: ${LONG}`),
    'a user that is too long in bytes': unit(ORG, `x-quota-user: ${'\xc3\xa9'.repeat(129)}`),
    'a user that is no UTF-8': unit(ORG, 'x-quota-user: an\xff'),
    'a user with a lone surrogate': unit(ORG, 'x-quota-user: an\xed\xa0\x80'),
    'a user in an overlong form': unit(ORG, 'x-quota-user: an\xc1\xa1'),
    'an empty group': unit(ANA, 'x-quota-groups: g1,,g2'),
    'a group with braces': unit(ANA, 'x-quota-groups: {g1}'),
    'a group with a separator': unit(ANA, 'x-quota-groups: g1;g2'),
    'a group with a generation': unit(ANA, 'x-quota-groups: g1#2'),
  }),
  ...named('too-many-groups', {
    '65 claimed groups': unit(ANA, `x-quota-groups: ${GROUPS_65}`),
    '64 groups and a claimed one': unit(ORG, 'x-quota-user: busy', 'x-quota-groups: g64'),
  }),
  ...named('unknown-org', { 'an unknown org': unit('x-quota-org: acne', 'x-quota-user: ana') }),
  ...named('org-archived', { 'an archived org': unit('x-quota-org: past', 'x-quota-user: ana') }),
  ...named('no-plan', {
    'no plan': unit('x-quota-org: bare', 'x-quota-user: ana'),
    'no plan for a gate': head('GET /v3/gate', 'x-quota-org: bare', 'x-quota-user: ana'),
  }),
  ...named('no-seat', { 'no seat': unit('x-quota-org: full', 'x-quota-user: new') }),
  ...named('inactive-user', {
    'an inactive user': unit(ORG, 'x-quota-user: asleep'),
    'a removed user': unit(ORG, 'x-quota-user: gone'),
  }),
  { title: 'an unknown user', bytes: unit(ORG, 'x-quota-user: new'), code: 'unknown-user', kind: 'deny' },
  { title: 'a peer that is not listed', bytes: unit(ANA), code: 'identity-untrusted', kind: 'elsewhere' },
  {
    title: 'a peer that is not listed, with one field',
    bytes: unit('x_quota_groups: g1'),
    code: 'identity-untrusted',
    kind: 'elsewhere',
  },
];

const stated = (...fields: readonly string[]): string => head('POST /v3/stated', ANA, ...fields);

const COSTS = [
  '',
  '-1',
  '-0',
  '+1',
  '0.01',
  '1.',
  '.5',
  '01',
  '1e3',
  '0x10',
  '1,5',
  '1 2',
  'NaN',
  'Infinity',
  'one',
  '\xd9\xa1',
  '900000000000000.1',
  '9007199254740993',
  '1'.repeat(40),
  `1.${'0'.repeat(30)}`,
];

export const COST_HEADERS: readonly BadRequest[] = named('cost-invalid', {
  'no cost': stated(),
  ...Object.fromEntries(COSTS.map((cost) => [`a cost of '${cost}'`, stated(`x-cost: ${cost}`)])),
  'two costs': stated('x-cost: 1', 'X-Cost: 1'),
  'an underscore twin of the cost': stated('x-cost: 1', 'x_cost: 0'),
  'Connection names the cost': stated('x-cost: 1', 'connection: x-cost'),
});

const number = (body: string, ...fields: readonly string[]): string =>
  post('/v3/number', body, 'content-type: application/json', ...fields);
const rows = (body: string): string => post('/v3/lds/geocoding', body, 'content-type: application/json');

const NUMBERS = [
  'null',
  'true',
  '"5"',
  '[5]',
  '{}',
  '-1',
  '-0',
  '0.01',
  '1e309',
  '1e-2',
  '9.1e14',
  '9007199254740993',
];
const MALFORMED = [
  '',
  ' ',
  '{',
  '{"cost":1',
  '{"cost":1}}',
  '{"cost":1} x',
  '{"cost":1}{"cost":1}',
  '{"cost":1,}',
  '{"cost" 1}',
  "{'cost':1}",
  '{cost:1}',
  '{"cost":01}',
  '{"cost":+1}',
  '{"cost":.5}',
  '{"cost":1.}',
  '{"cost":0x1}',
  '{"cost":NaN}',
  '{"cost":Infinity}',
  '{"cost":-Infinity}',
  '{"cost":1/**/}',
  '{"cost":1}\0',
  '\xef\xbb\xbf{"cost":1}',
  '{"x":"\xff","cost":1}',
  '{"x":"\xed\xa0\x80","cost":1}',
  '{"x":"\n","cost":1}',
  '{"x":"\\q","cost":1}',
  '{"cost":1,"cost":1}',
  '{"cost":1,"cost":100}',
  '{"cost":100,"c\\u006fst":1}',
  '{"cost":1,"COST":100}',
  `{"x":${'['.repeat(5_000)}${']'.repeat(5_000)},"cost":1}`,
];

const LARGE = 5 * 1_048_576;

export const BODIES: readonly BadRequest[] = [
  ...named('cost-invalid', {
    ...Object.fromEntries(NUMBERS.map((text) => [`"cost": ${text}`, number(`{"cost":${text}}`)])),
    'no "cost"': number('{"price":1}'),
    'a lone surrogate for a cost': number('{"cost":"\\ud800"}'),
    'an array for an object': number('[{"cost":1}]'),
    'a number for an object': number('1'),
    'no rows': rows('{"rows":[1]}'),
    ...Object.fromEntries(
      ['null', '3', '"abc"', '{"0":1,"length":1}'].map((text) => [
        `"addresses": ${text}`,
        rows(`{"addresses":${text}}`),
      ]),
    ),
  }),
  ...named('body-malformed', {
    ...Object.fromEntries(MALFORMED.map((body) => [`body ${body.slice(0, 40)}`, number(body)])),
    'no body at all': head('POST /v3/number', ANA),
    'rows that break off': rows('{"addresses":[1,2'),
    'rows twice': rows('{"addresses":[1],"addresses":[1,2,3]}'),
  }),
  ...named('body-too-large', {
    'a length beyond the bound': head('POST /v3/number', ANA, `content-length: ${LARGE}`),
    'chunks beyond the bound': `${head('POST /v3/number', ANA, 'transfer-encoding: chunked')}${LARGE.toString(16)}\r\n${' '.repeat(LARGE)}`,
  }),
  ...named('body-encoded', {
    'a content coding': number('{"cost":1}', 'content-encoding: gzip'),
    'another charset': post('/v3/number', '{"cost":1}', 'content-type: application/json; charset=utf-16'),
    'a form': post('/v3/number', '{"cost":1}', 'content-type: application/x-www-form-urlencoded'),
  }),
];

const line = (first: string, ...fields: readonly string[]): string =>
  [first, ...fields, ANA, '', ''].join('\r\n');

/** Each is followed by a valid request on the same connection, which must not be served either. */
export const WIRE: readonly BadRequest[] = [
  ...named('request-malformed', {
    'two hosts': line('GET /v3/unit HTTP/1.1', 'host: a', 'Host: b'),
    'the same host twice': line('GET /v3/unit HTTP/1.1', 'host: a', 'host: a'),
    'no host': line('GET /v3/unit HTTP/1.1'),
    'no version': line('GET /v3/unit', 'host: a'),
    'HTTP/1.0 in chunks': `${line('POST /v3/number HTTP/1.0', 'host: a', 'connection: keep-alive', 'transfer-encoding: chunked')}a\r\n{"cost":1}\r\n0\r\n\r\n`,
    'another version': line('GET /v3/unit HTTP/3.7', 'host: a'),
    'a length and chunks': `${line('POST /v3/number HTTP/1.1', 'host: a', 'content-length: 4', 'transfer-encoding: chunked')}a\r\n{"cost":1}\r\n0\r\n\r\n`,
    'two lengths': `${line('POST /v3/number HTTP/1.1', 'host: a', 'content-length: 10', 'content-length: 11')}{"cost":1}`,
    'a negative length': line('POST /v3/number HTTP/1.1', 'host: a', 'content-length: -1'),
    'a space before the colon': line('GET /v3/unit HTTP/1.1', 'host: a', 'x-quota-user : ben'),
    'a folded field': line('GET /v3/unit HTTP/1.1', 'host: a', 'x-a: 1', ' x-quota-user: ben'),
    'a bare line feed': line('GET /v3/unit HTTP/1.1', 'host: a', 'x-a: 1\nx-quota-user: ben'),
    'a zero byte in a field': line('GET /v3/unit HTTP/1.1', 'host: a', 'x-a: 1\0'),
    'no HTTP at all': 'hello, gateway\r\n\r\n',
    'the beginning of TLS': '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
  }),
  ...named('headers-too-large', {
    'a field beyond the bound': line('GET /v3/unit HTTP/1.1', 'host: a', `x-a: ${'a'.repeat(40_000)}`),
  }),
];

export const SOUND = unit(ANA);
