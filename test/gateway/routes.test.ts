// The first matching route in the config wins, and no spelling of a path can skip it and select a later one.
import fc from 'fast-check';
import t from 'tap';
import { compileRoutes } from '../../src/gateway/routes.js';

/** Each route's value is its own text. */
function compile(...matches: string[]): (request: string) => string | undefined {
  const find = compileRoutes(matches.map((match) => ({ match, value: match })));
  return (request) => {
    const [method = '', path = ''] = request.split(' ');
    return find(method, path);
  };
}

t.test('exact paths', async (t) => {
  const find = compile('GET /v3/sql', 'POST /v3/sql', '* /any', 'GET /');
  t.equal(find('GET /v3/sql'), 'GET /v3/sql');
  t.equal(find('POST /v3/sql'), 'POST /v3/sql');
  t.equal(find('DELETE /any'), '* /any');
  t.equal(find('GET /any'), '* /any');
  t.equal(find('GET /'), 'GET /');
  for (const request of [
    'PUT /v3/sql',
    'GET /v3/SQL',
    'GET /v3',
    'GET /v3/sql/',
    'GET /v3/sqlx',
    'get /v3/sql',
    'POST /',
  ])
    t.equal(find(request), undefined, request);
});

t.test('GET does not imply HEAD', async (t) => {
  const find = compile('GET /v3/maps/*', 'GET /v3/sql');
  t.equal(find('HEAD /v3/maps/1'), undefined);
  t.equal(find('HEAD /v3/sql'), undefined);
});

t.test('a parameter is one segment that is not empty', async (t) => {
  const find = compile('GET /users/:user/keys', 'GET /users/:user');
  t.equal(find('GET /users/ann/keys'), 'GET /users/:user/keys');
  t.equal(find('GET /users/ann'), 'GET /users/:user');
  t.equal(find('GET /users/a%20b'), 'GET /users/:user');
  for (const request of [
    'GET /users',
    'GET /users/',
    'GET /users/ann/',
    'GET /users/ann/keys/1',
    'GET /users/a/b',
  ])
    t.equal(find(request), undefined, request);
});

t.test('a rest is anything after its slash, but not the bare prefix', async (t) => {
  const find = compile('GET /v3/maps/*', 'GET /:org/tiles/*', 'OPTIONS /*');
  t.equal(find('GET /v3/maps/1'), 'GET /v3/maps/*');
  t.equal(find('GET /v3/maps/1/2/3'), 'GET /v3/maps/*');
  t.equal(find('GET /v3/maps/'), 'GET /v3/maps/*');
  t.equal(find('GET /acme/tiles/1/2'), 'GET /:org/tiles/*');
  t.equal(find('OPTIONS /'), 'OPTIONS /*');
  t.equal(find('OPTIONS /v3/maps'), 'OPTIONS /*');
  for (const request of ['GET /v3/maps', 'GET /v3/mapsx/1', 'GET /v3/map/1', 'GET /acme/tiles'])
    t.equal(find(request), undefined, request);
});

t.test('a last parameter can name the verb that its segment ends in', async (t) => {
  const find = compile('POST /v1beta/models/:model:generateContent', 'POST /v1beta/models/:model', 'GET /*');
  const generate = 'POST /v1beta/models/:model:generateContent';
  t.equal(find('POST /v1beta/models/gemini-pro:generateContent'), generate);
  t.equal(find('POST /v1beta/models/tuned:one:generateContent'), generate);
  t.equal(find('POST /v1beta/models/gemini-pro:countTokens'), 'POST /v1beta/models/:model');
  t.equal(find('POST /v1beta/models/:generateContent'), 'POST /v1beta/models/:model', 'a model has a name');
  t.equal(find('POST /v1beta/models/generateContent'), 'POST /v1beta/models/:model');
  t.equal(find('GET /v1beta/models/gemini-pro:generateContent'), 'GET /*');
  for (const request of [
    'POST /v1beta/models/a/b:generateContent',
    'POST /v1beta/models/a:generateContent/',
    'POST /v1beta/models/a:GENERATECONTENT',
    'POST /v1beta/models/a:generateContent.',
    'POST /v1beta/models/a%3AgenerateContent',
  ])
    t.equal(find(request), undefined, request);
});

t.test('the first in the file wins, whatever its kind', async (t) => {
  const wide = compile('GET /v3/*', 'GET /v3/sql', 'GET /v3/:x');
  t.equal(wide('GET /v3/sql'), 'GET /v3/*');
  const narrow = compile('GET /v3/sql', 'GET /v3/:x', '* /v3/*', 'GET /v3/other');
  t.equal(narrow('GET /v3/sql'), 'GET /v3/sql');
  t.equal(narrow('GET /v3/other'), 'GET /v3/:x');
  t.equal(narrow('GET /v3/a/b'), '* /v3/*');
  t.equal(narrow('POST /v3/sql'), '* /v3/*');
  t.equal(compile('* /a', 'GET /a')('GET /a'), '* /a');
  t.equal(compile('GET /a', '* /a')('GET /a'), 'GET /a');
});

t.test('an odd spelling does not get past a route to a cheaper one', async (t) => {
  const find = compile('POST /v3/sql', 'POST /v3/:table/rows', '* /*');
  t.equal(find('POST /v3/sql'), 'POST /v3/sql');
  for (const request of [
    'POST /v3/SQL',
    'POST /V3/sql',
    'POST /v3/sql/',
    'POST /v3/a/Rows',
    'POST /v3/A/rows/',
    'POST /v3/sql.',
    'POST /v3./sql',
    'POST /v3/sql%20',
    'POST /v3/sql%20./',
    'POST /v3/a/rows..',
  ])
    t.equal(find(request), undefined, request);
  // Where the plain spelling takes the same route, case and a last slash are a path's own affair.
  t.equal(find('POST /v3/Abc/rows'), 'POST /v3/:table/rows');
  t.equal(find('POST /Other/'), '* /*');
  t.equal(find('POST /v3/a.b./rows'), 'POST /v3/:table/rows');
  t.equal(find('POST /v3/sql.x'), '* /*');
  t.equal(find('GET /v3/SQL'), '* /*');
  t.equal(compile('GET /a@b', 'GET /*')('GET /a%40b'), undefined);
  // The file may tell spellings apart, by naming them.
  t.equal(compile('GET /a', 'GET /A', 'GET /a/')('GET /A'), 'GET /A');
  t.equal(compile('GET /a', 'GET /A', 'GET /a/')('GET /a/'), 'GET /a/');
});

t.test('a match that no request could have is refused', async (t) => {
  const wrong = [
    '',
    'GET',
    '/v3',
    'GET v3',
    'GET  /v3',
    'GET /v3 ',
    'get /v3',
    'G*T /v3',
    'GET /v3//maps',
    'GET //*',
    'GET /v3/*/maps',
    'GET /v3*',
    'GET /v3/a*',
    'GET /:',
    'GET /:a-b:',
    'GET /:a:b:c',
    'GET /:a:b/c',
    'GET /:a:b/*',
    'GET /*:b',
    'GET /a/*:b',
    'GET /../a',
    'GET /a;b',
    'GET /%61',
    'GET /a?b=c',
    'GET /a#b',
  ];
  for (const match of wrong) t.throws(() => compile(match), match);
});

t.test('it agrees with the plainest reading of the rules', async () => {
  const segment = fc.constantFrom('a', 'b', ':x');
  const last = fc.constantFrom([], ['*'], [':x:v'], ['a:v'], [':x:w']);
  const match = fc
    .tuple(fc.constantFrom('GET', 'POST', '*'), fc.array(segment, { maxLength: 3 }), last)
    .map(([method, segments, end]) => `${method} /${[...segments, ...end].join('/')}`);
  const request = fc
    .tuple(
      fc.constantFrom('GET', 'POST', 'PUT'),
      fc.array(fc.constantFrom('a', 'b', 'c', 'a:v', 'b:v:v', ':v', 'c:w', 'av'), { maxLength: 4 }),
    )
    .map(([method, segments]) => `${method} /${segments.join('/')}`);
  fc.assert(
    fc.property(fc.array(match, { maxLength: 6 }), request, (matches, text) => {
      const found = compile(...matches)(text);
      const expected = matches.find((candidate) => expressionOf(candidate).test(text));
      if (found !== expected) throw new Error(`${text} took ${found}, not ${expected}`);
    }),
    { numRuns: 5000 },
  );
});

function expressionOf(match: string): RegExp {
  const source = match.replace(/^\*/, '[A-Z]+').replace(/\/\*$/, '/.*').replaceAll(/:x/g, '[^/]+');
  return new RegExp(`^${source}$`);
}
