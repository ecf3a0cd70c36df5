// Mistakes in the settings of AI routes are reported with their place.
import t from 'tap';
import { linesOf, mistakesOf } from './support.js';

const BEFORE = `identity: { trusted: { peers: [127.0.0.1/32] } }
quotas: { usage: { decimals: 1 }, ai: {} }
upstreams: { up: { url: http://up } }
routes:
`;
const CHAT = '{ quota: ai, llm: { api: openai-chat } }';

const CASES: readonly [title: string, charges: string, line: RegExp | undefined][] = [
  ['nothing but the API', CHAT, undefined],
  [
    'tokens and credits',
    `${CHAT}, { quota: usage, llm: { api: openai-chat, per: 1000, weights: { output: 4 } } }`,
    undefined,
  ],
  [
    'an API that is not known',
    '{ quota: ai, llm: { api: openai } }',
    /^5:\d+ \/routes\/0\/charges\/0\/llm\/api: "openai" is none of /,
  ],
  ['no tokens a unit', '{ quota: ai, llm: { api: gemini, per: 0 } }', /llm\/per: 0 is out of bounds/],
  [
    'a weight below 0',
    '{ quota: ai, llm: { api: gemini, weights: { input: -1 } } }',
    /llm\/weights\/input: -1 is not an amount/,
  ],
  [
    'two ways to read one request',
    `${CHAT}, { quota: usage, llm: { api: gemini } }`,
    /charges\/1\/llm\/api: the AI charges of one route must agree on this setting – write openai-chat, as in the first charge/,
  ],
  ['another cost in the answer', `${CHAT}, { quota: usage, units: { bytes: out }, hold: 1 }`, undefined],
  [
    'another charge on the quota',
    `${CHAT}, { quota: ai, units: 1 }`,
    /charges\/0\/quota: a charge that depends on the response must be the only one/,
  ],
];

for (const [title, charges, line] of CASES) {
  t.test(title, async (t) => {
    const lines = linesOf(
      mistakesOf(`${BEFORE}  - { match: POST /a, action: a, upstream: up, charges: [${charges}] }\n`),
    );
    if (line === undefined) t.same(lines, []);
    else {
      t.equal(lines.length, 1);
      t.match(lines[0], line);
    }
  });
}

t.test('models', async (t) => {
  t.same(linesOf(mistakesOf('models: [{ match: "gpt-*", multiplier: -1 }, {}]\n')), [
    '1:40 /models/0/multiplier: -1 is not an amount of units – write a decimal number ≥ 0',
    '1:46 /models/1/match: `match` is missing – add `match`: 1 to 200 characters',
  ]);
  t.same(
    mistakesOf('models: [{ match: "gpt-*", multiplier: 0.15, maxOutputTokens: 16384 }, { match: "*" }]\n'),
    [],
  );
});
