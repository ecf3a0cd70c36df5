// One scanner of JSON values: what stands outside a value is refused or skipped, and an outermost array is a value or has values.
import t from 'tap';
import { JsonValues, type JsonValuesOptions } from '../../src/meter/json-values.js';

type Options = Pick<JsonValuesOptions, 'outside' | 'elements'>;

function scanned(body: string, options: Options, chunkBytes = body.length, bytesMax = 40) {
  const found = { values: [] as string[], unread: 0, cutOff: -1 };
  const values = new JsonValues({
    ...options,
    bytesMax,
    value: (value) => found.values.push(value.toString()),
    unread: (bytes) => {
      found.unread += bytes;
    },
    cutOff: (bytes) => {
      found.cutOff = bytes;
    },
  });
  const bytes = Buffer.from(body);
  for (let at = 0; at < bytes.length; at += chunkBytes) values.push(bytes.subarray(at, at + chunkBytes));
  values.end();
  return found;
}

const OBJECT = '{"a":"}]\\"{","b":[{}]}';
const CASES: readonly [body: string, outside: 'refuse' | 'skip', elements: boolean, found: unknown][] = [
  [`${OBJECT}\n\x1e[1]`, 'refuse', false, { values: [OBJECT, '[1]'], unread: 0, cutOff: -1 }],
  [`${OBJECT} no, ${OBJECT}]`, 'refuse', false, { values: [OBJECT, OBJECT], unread: 4, cutOff: -1 }],
  [`${OBJECT} no, ${OBJECT}]`, 'skip', false, { values: [OBJECT, OBJECT], unread: 0, cutOff: -1 }],
  [`[{},{"a":1}]`, 'refuse', false, { values: ['[{},{"a":1}]'], unread: 0, cutOff: -1 }],
  [`[ ${OBJECT} ,{}]`, 'refuse', true, { values: [OBJECT, '{}'], unread: 0, cutOff: -1 }],
  [`[${OBJECT},7,{}]`, 'refuse', true, { values: [OBJECT, '{}'], unread: 1, cutOff: -1 }],
  [`[${OBJECT},7,{}]`, 'skip', true, { values: [OBJECT, '{}'], unread: 0, cutOff: -1 }],
  ['[{},', 'refuse', true, { values: ['{}'], unread: 0, cutOff: 0 }],
  ['[{},{"a":', 'skip', true, { values: ['{}'], unread: 0, cutOff: 5 }],
  ['{"a":', 'refuse', false, { values: [], unread: 0, cutOff: 5 }],
  [`{"a":"${'x'.repeat(40)}"}{}`, 'refuse', false, { values: ['{}'], unread: 48, cutOff: -1 }],
  [`{"a":"${'x'.repeat(40)}`, 'skip', true, { values: [], unread: 46, cutOff: -1 }],
  ['', 'refuse', false, { values: [], unread: 0, cutOff: -1 }],
];

for (const [body, outside, elements, found] of CASES)
  t.test(`${JSON.stringify(body)}, ${outside}, ${elements ? 'elements' : 'whole'}`, async (t) => {
    for (const chunkBytes of [1, 3, 1_000])
      t.strictSame(scanned(body, { outside, elements }, chunkBytes), found, `${chunkBytes} at a time`);
  });
