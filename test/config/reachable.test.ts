// A route is reported as unreachable if and only if the gateway never selects it, and the gateway accepts every valid
// config.
import fc from 'fast-check';
import t from 'tap';
import { hides, parseMatch } from '../../src/config/match.js';
import { canonicalPath } from '../../src/gateway/path.js';
import { compileRoutes } from '../../src/gateway/routes.js';

const SEGMENTS = ['a', 'A', 'a.', 'b', 'q', '', 'a:v', 'q:v', 'q:V', ':v'];

/** Every path of up to four segments. */
const PATHS = (function paths(depth: number): string[] {
  if (depth === 0) return [''];
  return paths(depth - 1).flatMap((head) => [head, ...SEGMENTS.map((segment) => `${head}/${segment}`)]);
})(4).filter((path) => canonicalPath(path)?.query === '');

const pattern = fc
  .tuple(
    fc.constantFrom('GET', 'POST', '*'),
    fc.array(fc.constantFrom('a', 'A', 'a.', 'b', ':x'), { maxLength: 2 }),
    fc.constantFrom('', '/', '/*', '/:x:v', '/:x:V', '/a:v'),
  )
  .map(([method, segments, end]) => {
    const path = segments.map((segment) => `/${segment}`).join('') + end;
    return `${method} ${path === '' ? '/' : path}`;
  });

t.test('hidden routes are those that no path reaches', async () => {
  fc.assert(
    fc.property(pattern, pattern, (earlier, later) => {
      const [one, two] = [parseMatch(earlier), parseMatch(later)];
      if (one === undefined || two === undefined) throw new Error(`${earlier} or ${later} is refused`);
      const find = compileRoutes([
        { match: earlier, value: 'earlier' },
        { match: later, value: 'later' },
      ]);
      const reached = ['GET', 'POST', 'PUT'].some((method) =>
        PATHS.some((path) => find(method, path) === 'later'),
      );
      return hides(one, two) === !reached;
    }),
    { numRuns: 2_000 },
  );
});

t.test('what the config takes as a match, the gateway can compile', async () => {
  const letters = [
    'a',
    'Z',
    '0',
    '.',
    '..',
    ':',
    ':x',
    ':x-y',
    ':x:v',
    '*',
    '/',
    '/*',
    ';',
    '%',
    '%2e',
    '%C3%A9',
    '%FF',
    '~',
    ' ',
  ];
  const path = fc.array(fc.constantFrom(...letters), { maxLength: 6 }).map((parts) => `/${parts.join('')}`);
  fc.assert(
    fc.property(path, (text) => {
      if (parseMatch(`GET ${text}`) !== undefined) compileRoutes([{ match: `GET ${text}`, value: 1 }]);
    }),
    { numRuns: 5_000 },
  );
});

t.test('matches of every form are taken', async (t) => {
  for (const match of [
    'GET /',
    '* /*',
    'M-SEARCH /a/',
    'POST /v1beta/models/gemini:generateContent',
    'GET /caf%C3%A9/:id',
    'POST /v1beta/models/:model:generateContent',
  ])
    t.ok(parseMatch(match), match);
});
