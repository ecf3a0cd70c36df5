// A target has one spelling: what is matched is what is forwarded, and every other spelling is refused.
import fc from 'fast-check';
import t from 'tap';
import { canonicalPath } from '../../src/gateway/path.js';

const CANONICAL = [
  '/',
  '/v3/maps/1',
  '/v3/maps/',
  '/a.b/..c/.../-_~',
  "/!$&'()*+,=:@",
  '/v1beta/models/gemini-pro:generateContent',
  '/caf%C3%A9/%20%40',
  '/a/%20/b%20./..c%20',
  '/caf%c3%a9',
  '/100%25',
  '/100%25zz',
  '/a?',
  '/a?b=c&d=//../%2e%61;%',
  '/a?filter[x]={"y":1}|\\^`<>',
  '/?/..//',
];

const REFUSED: Readonly<Record<string, readonly string[]>> = {
  'no path': ['', 'v3/maps', '?a=b', '*', 'http://upstream/v3/maps', 'https://a', 'upstream:443', '//'],
  'an empty segment': ['//v3/maps', '/v3//maps', '/v3/maps//', '///'],
  'a dot segment': ['/.', '/..', '/./a', '/a/./b', '/a/../b', '/a/..', '/a/.', '/../a', '/a/..?b'],
  'an escaped dot': ['/%2e', '/%2e%2e/a', '/.%2E/a', '/a/%2e./b', '/a%2eb'],
  'dots between spaces': ['/a/..%20', '/a/%20../b', '/.%20/a', '/a/.%20./b', '/%20.', '/..%20.%20/a'],
  'an escaped separator': ['/a%2fb', '/a%2Fb', '/a%5cb', '/a%5Cb', '/a%3bb', '/a%3Bb'],
  'a parameter': ['/v3;x/maps', '/v3/maps;jsessionid=1', '/;', '/..;/a'],
  'a backslash': ['/a\\b', '\\a', '/\\..\\a'],
  'an escaped letter': ['/%61', '/%7Eann', '/v3/m%41ps', '/a%2db', '/a%5fb', '/%30'],
  'an escape within an escape': ['/%252e%252e/a', '/%2525', '/a%252Fb'],
  'a broken escape': ['/%', '/%2', '/%zz', '/a%2', '/%u0041', '/a%%20', '/%-1', '/% 20'],
  'an escaped control character': ['/a%00', '/a%0a', '/a%0D', '/a%1f', '/a%7f'],
  'what is not UTF-8': ['/%c0%af', '/%c0%ae%c0%ae/a', '/%e0%80%af', '/%ff', '/%C3', '/%ed%a0%80'],
  'what a target cannot hold': [
    '/a b',
    '/a\tb',
    '/a\x00',
    '/a\x7f',
    '/caf\xe9',
    '/\u2215',
    '/a#b',
    '/a?b#c',
    '/a?\x80',
  ],
  'what a path must escape': ['/a"b', '/a<b', '/a>b', '/a^b', '/a`b', '/a{b}', '/a|b', '/[a]'],
};

t.test('canonical targets pass as they are', async (t) => {
  for (const target of CANONICAL) {
    const found = canonicalPath(target);
    t.equal(found && found.path + found.query, target, target);
    t.notOk(found?.path.includes('?'), target);
    t.ok(found?.query === '' || found?.query.startsWith('?'), target);
  }
});

for (const [reason, targets] of Object.entries(REFUSED)) {
  t.test(`refused: ${reason}`, async (t) => {
    for (const target of targets) t.equal(canonicalPath(target), undefined, JSON.stringify(target));
  });
}

t.test('whatever passes is what a URL parser sees too', async () => {
  const piece = fc.constantFrom(
    '/',
    '.',
    '..',
    'a',
    'Z',
    '%2e',
    '%20',
    '%C3%A9',
    '%2F',
    ';',
    '?',
    '\\',
    ':',
    '@',
    '~',
  );
  const target = fc.array(piece, { maxLength: 8 }).map((pieces) => `/${pieces.join('')}`);
  fc.assert(
    fc.property(target, (text) => {
      const found = canonicalPath(text);
      if (found === undefined) return;
      const { host, pathname, search } = new URL(`http://a${text}`);
      if (host !== 'a' || pathname !== found.path) throw new Error(`${text}: ${pathname}`);
      if (search !== (found.query === '?' ? '' : found.query)) throw new Error(`${text}: ${search}`);
    }),
    { numRuns: 5000 },
  );
});

t.test('no two spellings of one path pass', async () => {
  const path = fc.string({
    unit: fc.constantFrom('a', 'B', '0', '-', '.', '/', '~'),
    minLength: 1,
    maxLength: 6,
  });
  fc.assert(
    fc.property(path, fc.nat(), (text, at) => {
      const position = at % text.length;
      const escaped = `%${text.charCodeAt(position).toString(16)}`;
      const other = `/${text.slice(0, position)}${escaped}${text.slice(position + 1)}`;
      if (canonicalPath(other) !== undefined) throw new Error(other);
    }),
    { numRuns: 2000 },
  );
});
