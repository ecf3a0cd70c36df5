/** Request targets: each is the path that is priced, or it is refused. */
import { ANA, anonymous, type Case, ended, get, HOST, lines, refused, served } from './case.js';

const each = (targets: readonly string[], bytes: (target: string) => string): Record<string, string> =>
  Object.fromEntries(targets.map((target) => [shown(target), bytes(target)]));

function shown(target: string): string {
  return target.length > 60 ? `${target.slice(0, 40)}… (${target.length})` : target;
}

/** Other spellings of `/v3/report/full`, which costs 10, where `/v3/*` is free. */
const SPELLINGS = [
  '//v3/report/full',
  '/v3//report/full',
  '/v3/report//full',
  '/v3/report/full//',
  '/v3/./report/full',
  '/./v3/report/full',
  '/v3/report/./full',
  '/v3/report/full/.',
  '/v3/x/../report/full',
  '/v3/report/x/../full',
  '/free/../v3/report/full',
  '/../v3/report/full',
  '/v3/report/full/..',
  '/v3/report/full/x/..',
  '/v3/%2e/report/full',
  '/v3/x/%2e%2e/report/full',
  '/v3/x/%2E%2E/report/full',
  '/v3/x/.%2e/report/full',
  '/v3/x/%2e./report/full',
  '/v3%2freport/full',
  '/v3%2Freport%2Ffull',
  '/v3/report%2ffull',
  '/v3/x%2f..%2freport/full',
  '/v3\\report\\full',
  '/v3/report\\full',
  '/v3/x\\..\\report\\full',
  '/v3%5creport%5Cfull',
  '/v3/x/..%5creport/full',
  '/v3/report/full;',
  '/v3/report/full;v=1',
  '/v3/report;v=1/full',
  '/v3/;/report/full',
  '/v3/x/..;/report/full',
  '/v3/report/full%3b',
  '/v3/report/full%3Bv=1',
  '/v3/report/ful%6c',
  '/v3/r%65port/full',
  '/%76%33/report/full',
  '/v3/report/full%00',
  '/v3/report/full%00.css',
  '/v3/report/full%0a',
  '/v3/report/full%0d%0ax',
  '/v3/report/full%09',
  '/v3/report/full%7f',
  '/v3/report/full%1f',
  '/v3/report%c0%affull',
  '/v3/x/%c0%ae%c0%ae/report/full',
  '/v3/report%e0%80%affull',
  '/v3/report%f0%80%80%affull',
  '/v3/report/full%ff',
  '/v3/report/full%c3',
  '/v3/%252e%252e/report/full',
  '/v3/report%252ffull',
  '/v3/report/ful%256c',
  '/v3/report/full%25%36c',
  '/v3/report/full%',
  '/v3/report/full%2',
  '/v3/report/full%zz',
  '/v3/report/full%u002f',
  '/v3/report/full#',
  '/v3/report/full#x',
  '/v3/x#/../report/full',
  '/v3/report/full?a#b',
  '/v3/x/..%20/report/full',
  '/v3/x/..%20./report/full',
  '/v3/x/%20../report/full',
  '/v3/report/full"',
  '/v3/report/<full>',
  '/v3/report/{full}',
  '/v3/report/full|',
  '/v3/report/full^',
  '/v3/report/full`',
];

/** These match the free route, but a server that ignores case or a trailing slash, dot or space would serve the report. */
const SPELLED_PLAINLY = [
  '/V3/report/full',
  '/v3/Report/full',
  '/v3/report/FULL',
  '/v3/report/full/',
  '/v3/REPORT/full/',
  '/v3/report/full.',
  '/v3/report/full...',
  '/v3/report./full',
  '/v3/report/full%20',
  '/v3/report/full%20%20',
  '/v3/report%20/full',
  '/v3/report/full.%20',
  '/v3/report/full./',
];

/** Absolute-form targets of the report (RFC 9112, 3.2.2); their host replaces Host. */
const ABSOLUTE: Readonly<Record<string, string>> = {
  'http://gateway/v3/report/full': 'gateway',
  'HTTP://gateway/v3/report/full': 'gateway',
  'https://gateway/v3/report/full': 'gateway',
  'http://upstream/v3/report/full': 'upstream',
  'http://gateway:80/v3/report/full': 'gateway:80',
  'http://[::1]:/v3/report/full': '[::1]:',
};

const OTHER_FORMS = [
  'http://gateway/v3/x/../report/full',
  'http://gateway//v3/report/full',
  'http://gateway/v3/report/%66ull',
  'ftp://gateway/v3/report/full',
  '*',
];

const NO_AUTHORITY = [
  'http://ana@gateway/v3/report/full',
  'http://gateway:99999/v3/report/full',
  'http://gateway:80:80/v3/report/full',
  'http:///v3/report/full',
];

const NOWHERE = [
  '/',
  '/v3',
  '/v2/report/full',
  '/cheap',
  '/cheapest/1',
  '/Cheap/1',
  '/free',
  '/quota/me/',
  '/quota/Me',
];

/** Unusual but unambiguous targets are served. */
const AS_IT_IS = [
  '/cheap/a.b/..c/...d/-_~',
  '/cheap/a%20b/%C3%A9',
  '/cheap/%c3%a9',
  "/cheap/!$&'()*+,=:@",
  '/cheap/x?',
  '/cheap/x?a=//../%2e%2f;b&c=%00\\',
  '/cheap/x??/v3/report/full',
  '/cheap/x?http://gateway/v3/report/full',
  '/cheap/x%3F/v3/report/full',
  '/cheap/x%23y',
  '/cheap/',
  `/cheap/${'x'.repeat(10_000)}`,
  `/cheap/${'x/'.repeat(4_000)}x`,
];

export const PATHS: readonly Case[] = [
  ...refused(
    'path-refused',
    each(SPELLINGS, (target) => get(target)),
  ),
  ...refused(
    'path-refused',
    each(OTHER_FORMS, (target) => get(target)),
  ),
  ...ended(
    'request-malformed',
    each(NO_AUTHORITY, (target) => get(target)),
  ),
  ...refused(
    'route-unknown',
    each(['http://gateway', 'http://gateway/', 'http://gateway?/v3/x'], (target) => get(target)),
  ),
  ...Object.entries(ABSOLUTE).map(([target, host]) =>
    served(`absolute: ${target}`, {
      bytes: get(target),
      received: ['GET /v3/report/full'],
      units: 10,
      fields: { 'x-forwarded-host': host },
    }),
  ),
  ...refused('path-refused', {
    'another spelling, without identity': anonymous('/v3/x/%2e%2e/report/full'),
  }),
  ...refused(
    'route-unknown',
    each(SPELLED_PLAINLY, (target) => get(target)),
  ),
  ...refused(
    'route-unknown',
    each(SPELLED_PLAINLY.slice(0, 4), (target) => anonymous(target)),
  ),
  ...refused(
    'route-unknown',
    each(NOWHERE, (target) => get(target)),
  ),
  ...refused('identity-missing', { 'the report, without identity': anonymous('/v3/report/full') }),
  ...ended('request-malformed', {
    'a zero byte in the target': get('/cheap/\0x'),
    'a space in the target': get('/cheap/a b'),
    'a tab in the target': get('/cheap/a\tb'),
    'a line feed in the target': get('/cheap/a\nb'),
    'a byte beyond ASCII in the target': get('/v3/report/full\x80'),
    'an overlong slash in the target': get('/v3/report\xc0\xaffull'),
    'no target': lines('GET  HTTP/1.1', HOST, ANA),
  }),
  ...ended('request-malformed', {
    'a query in place of a path': get('?x'),
    'no slash': get('v3/report/full'),
    'an authority': get('gateway:80'),
  }),
  ...ended('headers-too-large', { 'a target beyond the bound': get(`/cheap/${'x'.repeat(40_000)}`) }),
  ...AS_IT_IS.map((target) =>
    served(`as it is: ${shown(target)}`, { bytes: get(target), received: [`GET ${target}`], units: 1 }),
  ),
  served('the report', { bytes: get('/v3/report/full'), received: ['GET /v3/report/full'], units: 10 }),
  served('the report, with a query', {
    bytes: get('/v3/report/full?free=1'),
    received: ['GET /v3/report/full?free=1'],
    units: 10,
  }),
  served('what is free', { bytes: anonymous('/v3/x'), received: ['GET /v3/x'], units: 0 }),
  served('what is free, with an identity', { bytes: get('/v3/x'), received: ['GET /v3/x'], units: 0 }),
];
