// Bad input to every endpoint: a 4xx that names the field, and nothing changes.
import t from 'tap';
import { ENDPOINTS } from '../../src/admin/endpoints.js';
import { type EndpointRequest, REQUESTS, seedAll, tracesOf } from './requests.js';
import { type Bench, type Json, problem, startAcme, startAdmin } from './support.js';

const declared = ({ name }: EndpointRequest) =>
  ENDPOINTS.find(({ method, path }) => `${method} /v1${path}` === name);
const methodOf = ({ name }: EndpointRequest): string => name.split(' ')[0] ?? '';

interface Odd {
  readonly what: string;
  readonly query?: string;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
  readonly refused: readonly [number, string, ...string[]];
}

/** What is odd for this endpoint, whatever it does. */
function oddities(request: EndpointRequest, body: unknown): Odd[] {
  const endpoint = declared(request);
  const isRead = methodOf(request) === 'GET';
  const stated = body === undefined ? {} : { body };
  const unreadBody: Odd[] =
    endpoint?.body !== undefined || isRead
      ? []
      : [
          {
            what: 'a body that nobody reads',
            body: { reason: 'x' },
            refused: [422, 'input-invalid', 'body'],
          },
        ];
  const badBodies: Odd[] =
    endpoint?.body === undefined
      ? []
      : [
          { what: 'no body', refused: [422, 'input-invalid', 'body'] },
          { what: 'a list', body: [], refused: [422, 'input-invalid', 'body'] },
          { what: '1 MB', body: { reason: 'x'.repeat(1_048_576) }, refused: [413, 'body-too-large'] },
          {
            what: 'an unknown member',
            body: { ...(body as object), nmae: 1 },
            refused: [422, 'input-invalid', 'nmae'],
          },
          ...['\u0000', '\u202e', '\u200f'].map(
            (sign): Odd => ({
              what: `a reason with ${JSON.stringify(sign)}`,
              body: { ...(body as object), reason: `a${sign}b` },
              refused: [422, 'input-invalid', 'reason'],
            }),
          ),
        ];
  const matches: Odd[] = isRead
    ? []
    : ['stale', '"', '"a" "b"', ''].map((tag) => ({
        what: `If-Match: ${tag}`,
        ...stated,
        headers: { 'if-match': tag },
        refused: [422, 'input-invalid', 'if-match'] as const,
      }));
  return [
    {
      what: 'an unknown query parameter',
      query: 'nonsense=1',
      ...stated,
      refused: [422, 'input-invalid', 'nonsense'],
    },
    ...unreadBody,
    ...badBodies,
    ...matches,
  ];
}

t.test('every endpoint refuses what it does not know, and changes nothing', async (t) => {
  const bench: Bench = await startAdmin(t);
  const there = await seedAll(bench);
  const before = await tracesOf(bench.ledger, there.org);
  // SCIM and streamed bodies have rules and tests of their own.
  for (const request of REQUESTS.filter((one) => declared(one)?.media === undefined)) {
    for (const { what, query, body, headers, refused } of oddities(request, request.body?.(there))) {
      const path = request.path(there);
      const url = query === undefined ? path : `${path}${path.includes('?') ? '&' : '?'}${query}`;
      const answer = await bench.send(methodOf(request), url, body, headers);
      t.same(problem(answer), refused, `${request.name}: ${what}`);
      if (query !== undefined) t.match(answer.body.detail, /known fields: |no fields are allowed/);
    }
  }
  t.same(await tracesOf(bench.ledger, there.org), before);
});

t.test('every path answers the other methods with 405, and Allow names those it has', async (t) => {
  const bench = await startAdmin(t);
  const there = await seedAll(bench);
  const partsOf = (path: string): string[] => path.split('/');
  const takes = (path: string, url: string): boolean => {
    const parts = partsOf(url);
    return (
      parts.length === partsOf(path).length &&
      partsOf(path).every((part, at) => part.startsWith(':') || part === parts[at])
    );
  };
  for (const path of new Set(ENDPOINTS.map((endpoint) => endpoint.path))) {
    const url = path.replace(':org', there.org).replace(/:\w+/g, 'x');
    // `/limits/distribute` is taken by `/limits/:limit`, too.
    const methods = new Set(
      ENDPOINTS.filter((one) => takes(one.path, url)).map(({ method }) => String(method)),
    );
    if (methods.has('GET')) methods.add('HEAD');
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
      if (methods.has(method)) continue;
      const answer = await bench.send(method, url);
      t.same([answer.status, answer.body.code], [405, 'method-not-allowed'], `${method} ${path}`);
      t.equal(answer.headers.get('allow'), [...methods].sort().join(', '), `${method} ${path}`);
    }
  }
});

t.test('amounts', async (t) => {
  const { send } = await startAcme(t);
  const limit = (units: unknown, quota = 'ai') => ({ user: 'ann', quota, units });
  const cases: [what: string, body: Json, field: string][] = [
    ['2^53', limit(2 ** 53), 'units'],
    ['1e308', limit(1e308), 'units'],
    ['0.1 of an integer quota', limit(0.1), 'units'],
    ['two decimals where one is allowed', limit(0.25, 'usage'), 'units'],
    ['negative', limit(-1), 'units'],
    ['nothing', limit(0), 'units'],
    ['text', limit('5'), 'units'],
    ['null', limit(null), 'units'],
    ['a percent with six decimals', { user: 'ann', quota: 'ai', percent: 0.000001 }, 'percent'],
    ['more than the whole', { user: 'ann', quota: 'ai', percent: 100.00001 }, 'percent'],
  ];
  for (const [what, body, field] of cases)
    t.same(problem(await send('POST', '/orgs/acme/limits', body)), [422, 'input-invalid', field], what);
  t.same(problem(await send('POST', '/orgs/acme/limits', '{"user":"ann","quota":"ai","units":1e999}')), [
    422,
    'input-invalid',
    'units',
  ]);
  for (const dryRun of ['1', '0', 'TRUE', 'yes', ''])
    t.same(
      problem(await send('POST', `/orgs/acme/limits?dryRun=${dryRun}`, limit(5))),
      [422, 'input-invalid', 'dryRun'],
      dryRun,
    );
  const sizes = ['9007199254740992', '-1', '1e99', '0x10', 'NaN', ''];
  for (const size of sizes)
    t.same(
      problem(await send('GET', `/orgs/acme/users?pageSize=${size}`)),
      [422, 'input-invalid', 'pageSize'],
      size,
    );
});

t.test('ids and names with characters that nobody sees', async (t) => {
  const { send } = await startAcme(t);
  for (const sign of ['\u0000', '\n', '\u001b', '\u007f', '\u0085', '\u200e', '\u200f', '\u202e', '\u2066']) {
    const what = JSON.stringify(sign);
    t.same(
      problem(await send('POST', '/orgs/acme/users', { id: `a${sign}b` })),
      [422, 'input-invalid', 'id'],
      what,
    );
    t.same(
      problem(await send('POST', '/orgs/acme/users', { id: 'eve', name: `a${sign}b` })),
      [422, 'input-invalid', 'name'],
      what,
    );
    t.same(
      problem(await send('GET', `/orgs/acme/users/${encodeURIComponent(`a${sign}`)}`)),
      [404, 'not-found'],
      what,
    );
    t.same(problem(await send('GET', `/orgs/${encodeURIComponent(`a${sign}`)}`)), [404, 'not-found'], what);
  }
  for (const name of ['عربي', 'שלום', '日本語', 'Zoë', '👩‍👩‍👧'])
    t.equal((await send('PATCH', '/orgs/acme/users/ann', { name })).status, 200, name);
});

t.test('a request line of 1 MB', async (t) => {
  const { send } = await startAcme(t);
  const answer = await send('GET', `/orgs/acme/users?q=${'x'.repeat(1_048_576)}`);
  t.same([answer.status, answer.body.code], [431, 'headers-too-large']);
});
