// The metered places of a body have one reading: what JSON.parse and every other parser would see, or none at
// all.
import fc from 'fast-check';
import t from 'tap';
import { ProblemError } from '../../src/errors/catalogue.js';
import { DEPTH_MAX } from '../../src/meter/json-cursor.js';
import { folded, type JsonQuery } from '../../src/meter/json-paths.js';
import { jsonReader, NO_NUMBER } from '../../src/meter/json-reader.js';

type Found = string | number | undefined;

function read(queries: readonly JsonQuery[], body: string | Buffer): Found[] | string {
  try {
    return jsonReader(queries)(typeof body === 'string' ? Buffer.from(body) : body);
  } catch (error) {
    if (error instanceof ProblemError) return error.code;
    throw error;
  }
}

const number = (pointer: string): JsonQuery => ({ pointer, want: 'number' });
const length = (pointer: string): JsonQuery => ({ pointer, want: 'length' });

t.test('places are found by RFC 6901', async (t) => {
  const body = `{"foo": ["bar", 7], "": 0, "a/b": 1, "c%d": 2, "e^f": 3, "g|h": 4, "i\\\\j": 5, "k\\"l": 6, " ": 7, "m~n": 8, "o~1": 9,
    "deep": {"er": [[], [1, [2, {"est": 9.50}]]]}, "größe": 10, "0": 11}`;
  const CASES: [query: JsonQuery, found: Found][] = [
    [number('/'), '0'],
    [number('/a~1b'), '1'],
    [number('/c%d'), '2'],
    [number('/e^f'), '3'],
    [number('/g|h'), '4'],
    [number('/i\\j'), '5'],
    [number('/k"l'), '6'],
    [number('/ '), '7'],
    [number('/m~0n'), '8'],
    [number('/o~01'), '9'],
    [number('/größe'), '10'],
    [number('/0'), '11'],
    [number('/foo/1'), '7'],
    [number('/foo/01'), undefined],
    [number('/foo/-'), undefined],
    [number('/foo/2'), undefined],
    [number('/foo/0'), NO_NUMBER],
    [number('/foo'), NO_NUMBER],
    [length('/foo'), 2],
    [length('/deep/er/0'), 0],
    [length('/deep/er/1/1'), 2],
    [number('/deep/er/1/1/1/est'), '9.50'],
    [length('/deep'), undefined],
    [length('/none'), undefined],
    [number('/none/at/all'), undefined],
    [number(''), NO_NUMBER],
  ];
  for (const [query, found] of CASES)
    t.same(read([query], body), [found], `${query.want} at ${query.pointer}`);
  t.same(
    read(
      CASES.map(([query]) => query),
      body,
    ),
    CASES.map(([, found]) => found),
    'all in one pass',
  );
  t.same(read([number('')], ' 12 '), ['12'], 'the whole body a number');
  t.same(read([length('')], '[1,2,3]'), [3], 'the whole body an array');
  t.same(read([length('/a'), number('/a/1')], '{"a":[5,6]}'), [2, '6'], 'an array and a place in it');
});

t.test('a duplicate key on the metered path has no price', async (t) => {
  const REFUSED: [queries: JsonQuery[], body: string][] = [
    [[number('/n')], '{"n":1,"n":1000}'],
    [[number('/n')], '{"n":1,"n":1}'],
    [[number('/n')], '{"n":1,"x":2,"\\u006e":1000}'],
    [[number('/n')], '{"\\u006E":1,"\\u006e":1000}'],
    [[number('/a/n')], '{"a":{"n":1},"a":{"n":1000}}'],
    [[number('/a/n')], '{"a":{"n":1},"a":null}'],
    [[number('/a/n')], '{"a":{"n":1,"n":1000}}'],
    [[length('/list')], '{"list":[1],"list":[1,2,3]}'],
    [[number('/0/n')], '[{"n":1,"n":2}]'],
    [[number('/n'), number('/m')], '{"n":1,"m":1,"m":2}'],
    [[number('/größe')], '{"größe":1,"gr\\u00f6\\u00dfe":2}'],
    [[number('/')], '{"":1,"":2}'],
  ];
  for (const [queries, body] of REFUSED) t.equal(read(queries, body), 'body-malformed', body);
  const PRICED: [queries: JsonQuery[], body: string, found: Found[]][] = [
    [[number('/n')], '{"n":1,"x":{"n":2,"n":3}}', ['1']],
    [[number('/n')], '{"x":1,"x":2,"n":1}', ['1']],
    [[number('/n')], '{"\\u006e":1}', ['1']],
    [[length('/list')], '{"list":[{"a":1,"a":2}]}', [1]],
    [[number('/1/n')], '[{"n":1,"n":2},{"n":3}]', ['3']],
  ];
  for (const [queries, body, found] of PRICED) t.same(read(queries, body), found, body);
});

t.test('keys that some parsers take for a metered one are refused', async (t) => {
  for (const body of [
    '{"n":1,"N":1000}',
    '{"N":1}',
    '{"n":1,"\\u004e":1000}',
    '{"n":1,"n\\u0000":1000}',
    '{"n":1,"n\\ud800":1000}',
    '{"n":1,"n\\ud800x":1000}',
  ])
    t.equal(read([number('/n')], body), 'body-malformed', body);
  t.equal(read([number('/kids')], '{"kids":1,"\u212aids":2}'), 'body-malformed', 'the Kelvin sign');
  t.equal(read([number('/kids')], '{"kids":1,"kid\u017f":2}'), 'body-malformed', 'the long s');
  t.equal(read([number('/größe')], '{"größe":1,"GRÖSSE":2}'), 'body-malformed', 'beyond ASCII');
  t.same(read([number('/a'), number('/A')], '{"A":2,"a":1}'), ['1', '2'], 'unless both are metered');
  t.same(read([number('/größe')], '{"":2,"grosse":3,"größe":1}'), ['1'], 'others are none of ours');
});

t.test('only JSON is read', async (t) => {
  const VALID = [
    '0',
    '-0',
    '1E5',
    '1e-5',
    '0.5e+10',
    '""',
    '"\\u00e9\\n\\/"',
    ' [ ] ',
    '{ }',
    'true',
    '\r\n\tnull',
    '[{}]',
    '"\u007f"',
  ];
  for (const body of VALID) t.same(read([number('/x')], body), [undefined], body);
  const BROKEN = [
    '',
    ' ',
    '{',
    '[',
    '"',
    '{"a"',
    '{"a":',
    '{"a":1',
    '[1',
    '[1,',
    '{"a":1,}',
    '[1,]',
    '[,1]',
    '{,}',
    '{1:2}',
    "{'a':1}",
    '{a:1}',
    '01',
    '+1',
    '.5',
    '1.',
    '1.e5',
    '1e',
    '1e+',
    '-',
    '--1',
    '0x10',
    'NaN',
    'Infinity',
    '-Infinity',
    'nul',
    'nulL',
    'TRUE',
    'truex',
    'undefined',
    '1 2',
    '{}{}',
    '[1 2]',
    '{"a" 1}',
    '{"a":1 "b":2}',
    '// x\n1',
    '/* x */1',
    '[1]//',
    '"\\x41"',
    '"\\u12"',
    '"\\u12g4"',
    '"\\',
    '"\\"',
    '"a\nb"',
    '"a\tb"',
    '"a\u0000b"',
    '\ufeff1',
    '\u00a01',
    '\v1',
    '[1}',
    '{"a":1]',
    ']',
    '}',
    ':',
    ',',
  ];
  for (const body of BROKEN) t.equal(read([number('/a')], body), 'body-malformed', JSON.stringify(body));
  t.equal(read([number('/a')], Buffer.from('{"a":1,"b":"\xff"}', 'latin1')), 'body-malformed', 'not UTF-8');
  t.equal(
    read([number('/a')], Buffer.from('{"a":1,"b":"\xed\xa0\x80"}', 'latin1')),
    'body-malformed',
    'a surrogate',
  );
  t.equal(read([number('/a')], Buffer.from('{"a":1}', 'utf16le')), 'body-malformed', 'UTF-16');
});

t.test('depth is bounded, size is not punished', async (t) => {
  const nested = (depth: number) => `{"a":1,"x":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`;
  t.same(read([number('/a')], nested(DEPTH_MAX)), ['1']);
  t.equal(read([number('/a')], nested(DEPTH_MAX + 1)), 'body-malformed');
  t.same(read([length('/x')], `{"x":[${'[{}],'.repeat(1_000)}0]}`), [1_001], 'neighbours are not nested');
  t.equal(read([number('/a')], '['.repeat(4_000_000)), 'body-malformed', 'never a stack overflow');
  t.equal(read([number('/a')], '{"x":'.repeat(800_000)), 'body-malformed');
  t.same(read([length('/a')], `{"a":[${'1,'.repeat(999_999)}1]}`), [1_000_000]);
  t.same(read([number('/a')], `{"x":"${'y'.repeat(4_000_000)}","a":1}`), ['1']);
  t.same(read([number('/a')], `{"a":${'1'.repeat(1_000_000)}}`), ['1'.repeat(1_000_000)]);
  const escaped = (count: number) => `{"a":1${',"\\u0062":1'.repeat(count)}}`;
  t.same(read([number('/a')], escaped(1_000)), ['1']);
  t.equal(read([number('/a')], escaped(1_001)), 'body-malformed', 'keys that cost more than their bytes');
});

t.test('pointers that cannot be read are refused at start', async (t) => {
  t.throws(() => jsonReader([number('n')]), /not a JSON pointer/);
  t.throws(() => jsonReader([number('/~2')]), /not a JSON pointer/);
  t.throws(() => jsonReader([number('/n'), number('/n')]), /used twice/);
  t.throws(
    () => jsonReader(Array.from({ length: 31 }, (_, index) => number(`/n${index}`))),
    /too many pointers/,
  );
});

// Keys that differ only by case, escape or ill-formedness are refused on the metered path by design: they
// stay out.
const documents = fc.jsonValue({ maxDepth: 6, stringUnit: 'binary' }).filter((value) => {
  const plain = (one: unknown): boolean => {
    if (one === null || typeof one !== 'object') return true;
    const keys = Array.isArray(one) ? [] : Object.keys(one).map(folded);
    const unique = new Set(keys).size === keys.length && !keys.some((key) => key.includes('\0'));
    return unique && Object.values(one).every(plain);
  };
  return plain(value);
});

/** Every place of a document, with what is there. */
function places(value: unknown, pointer = ''): [pointer: string, value: unknown][] {
  const below =
    value === null || typeof value !== 'object'
      ? []
      : Object.entries(value).flatMap(([key, one]) =>
          places(one, `${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`),
        );
  return [[pointer, value], ...below];
}

/** The same document with every character of its strings and keys escaped. */
function escapedText(value: unknown): string {
  return JSON.stringify(value).replace(/"(?:[^"\\]|\\.)*"/g, (text) => {
    const units = Array.from({ length: JSON.parse(text).length }, (_, at) =>
      (JSON.parse(text) as string).charCodeAt(at),
    );
    return `"${units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('')}"`;
  });
}

t.test('fuzz: what JSON.parse finds at a place is what is read there', async () => {
  const spacing = fc.constantFrom(0, 1, '\t', '\r\n ');
  fc.assert(
    fc.property(documents, spacing, fc.boolean(), (document, space, escaped) => {
      const text = escaped
        ? escapedText(document)
        : JSON.stringify(document, undefined, space as string | number);
      const parsed: unknown = JSON.parse(text);
      for (const [pointer, value] of places(parsed)) {
        const [counted] = read([length(pointer)], text) as Found[];
        if (counted !== (Array.isArray(value) ? value.length : undefined)) return false;
        const [found] = read([number(pointer)], text) as Found[];
        const absent = value === undefined || value === null ? undefined : NO_NUMBER;
        const same = typeof value === 'number' ? Object.is(Number(found), value) : found === absent;
        if (!same) return false;
      }
      return true;
    }),
    { numRuns: 500 },
  );
});

t.test('fuzz: a body is read if and only if JSON.parse takes it', async () => {
  const pieces = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"',
    '"a"',
    '"b"',
    '\\',
    '\\u0041',
    '\\ud83d\\ude00',
    '0',
    '1',
    '-',
    '.',
    'e',
    'E',
    '+',
    'true',
    'false',
    'null',
    ' ',
    '\n',
    '\t',
    '\u0001',
    'é',
    '😀',
    '{"a":1}',
    '[1,2]',
    '-1.5e3',
    '"x":',
  );
  const soup = fc.array(pieces, { maxLength: 12 }).map((parts) => parts.join(''));
  const mutated = fc
    .tuple(fc.json({ maxDepth: 4 }), fc.nat(), fc.nat(3), pieces)
    .map(([text, at, cut, piece]) => {
      const start = at % (text.length + 1);
      return (text.slice(0, start) + piece + text.slice(start + cut)).toWellFormed();
    });
  fc.assert(
    fc.property(fc.oneof(soup, mutated), (text) => {
      let valid = true;
      try {
        JSON.parse(text);
      } catch {
        valid = false;
      }
      // Nothing below the root is metered, so nothing but the syntax can refuse it.
      return Array.isArray(read([number('')], text)) === valid;
    }),
    { numRuns: 5_000 },
  );
});

t.test('fuzz: a key repeated anywhere on the metered path is never priced', async () => {
  const key = fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 5 })
    .filter((one) => !one.includes('\0'));
  const path = fc.array(key, { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(path, fc.nat(), fc.boolean(), fc.json({ maxDepth: 1 }), (keys, pick, before, other) => {
      const at = pick % keys.length;
      const pointer = keys.map((one) => `/${one.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
      let text = '1';
      for (let level = keys.length - 1; level >= 0; level -= 1) {
        const name = JSON.stringify(keys[level]);
        const twin = level === at ? `${name}:${other}` : '';
        const member = `${name}:${text}`;
        text = `{${(before ? [twin, member] : [member, twin]).filter((one) => one !== '').join(',')}}`;
      }
      return read([number(pointer)], text) === 'body-malformed';
    }),
    { numRuns: 1_000 },
  );
});
