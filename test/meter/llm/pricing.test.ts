// Units are exact for any weights, multipliers and divisors: the sum of weight × tokens, rounded up once.
import fc from 'fast-check';
import t from 'tap';
import { compileLlm } from '../../../src/meter/llm/index.js';
import { modelTable } from '../../../src/meter/llm/models.js';
import { Price } from '../../../src/meter/llm/price.js';
import { UNITS_MAX } from '../../../src/quota/charge.js';
import type { Usage } from '../../../src/quota/tokens.js';
import { meterOf, PATHS, pass, priced, terms } from './drive.js';

const decimal = fc.tuple(fc.bigInt(0n, 10n ** 9n), fc.integer({ min: 0, max: 9 })).map(([digits, places]) => {
  const text = digits.toString().padStart(places + 1, '0');
  return places === 0 ? text : `${text.slice(0, -places)}.${text.slice(-places)}`;
});

/** Over 10^9. */
const scaled = (text: string): bigint => {
  const [whole = '0', part = ''] = text.split('.');
  return BigInt(whole + part.padEnd(9, '0'));
};

const tokens = fc.oneof(fc.integer({ min: 0, max: 100_000 }), fc.integer({ min: 0, max: 10 ** 12 }));
const usage: fc.Arbitrary<Usage> = fc
  .tuple(tokens, tokens, tokens, tokens, tokens)
  .map(([plain, cachedInput, cacheWrite, output, reasoning]) => ({
    input: plain + cachedInput + cacheWrite,
    cachedInput,
    cacheWrite,
    output: output + reasoning,
    reasoning,
  }));

t.test('against rational arithmetic', (t) => {
  const weights = fc.record({
    input: decimal,
    cachedInput: decimal,
    cacheWrite: decimal,
    output: decimal,
    reasoning: decimal,
  });
  fc.assert(
    fc.property(
      weights,
      decimal,
      fc.integer({ min: 1, max: 10 ** 6 }),
      fc.integer({ min: 0, max: 6 }),
      usage,
      (weights, multiplier, per, decimals, used) => {
        const price = new Price(
          { quota: 'ai', llm: terms('openai-chat', { weights, per }) },
          decimals,
          multiplier,
        );
        const sum =
          scaled(weights.input) * BigInt(used.input - used.cachedInput - used.cacheWrite) +
          scaled(weights.cachedInput) * BigInt(used.cachedInput) +
          scaled(weights.cacheWrite) * BigInt(used.cacheWrite) +
          scaled(weights.output) * BigInt(used.output - used.reasoning) +
          scaled(weights.reasoning) * BigInt(used.reasoning);
        const over = 10n ** 18n * BigInt(per);
        const exact = (sum * scaled(multiplier) * 10n ** BigInt(decimals) + over - 1n) / over;
        const units = price.units(used);
        const held = price.hold(used.input, used.output);
        return (exact > UNITS_MAX ? units === Infinity : BigInt(units) === exact) && held >= units;
      },
    ),
    { numRuns: 2_000 },
  );
  t.end();
});

t.test('the most output for a rest is the most', (t) => {
  fc.assert(
    fc.property(
      decimal,
      decimal,
      fc.integer({ min: 1, max: 1000 }),
      fc.integer({ min: 0, max: 10 ** 9 }),
      fc.integer({ min: 0, max: 10 ** 6 }),
      (input, output, per, left, inputTokens) => {
        const weights = { input, cachedInput: '0', cacheWrite: '0', output, reasoning: '0' };
        const price = new Price({ quota: 'ai', llm: terms('openai-chat', { weights, per }) }, 0, 1);
        const most = price.outputFor(inputTokens, left);
        if (most < 0) return price.hold(inputTokens, 0) > left;
        if (most === Number.MAX_SAFE_INTEGER) return price.hold(inputTokens, most) <= left;
        return price.hold(inputTokens, most) <= left && price.hold(inputTokens, most + 1) > left;
      },
    ),
    { numRuns: 2_000 },
  );
  t.end();
});

t.test('each class has its weight; credits per 1,000 tokens', async (t) => {
  const weights = { input: '0.15', cachedInput: 0.075, cacheWrite: '0.1875', output: 0.6, reasoning: '0.7' };
  const meter = compileLlm(
    [
      { quota: 'tokens', llm: terms('openai-chat') },
      { quota: 'credits', llm: terms('openai-chat', { weights, per: 1000 }) },
    ],
    { tokens: { decimals: 0 }, credits: { decimals: 3 } },
    [{ match: 'gpt-*', multiplier: '1.5', maxOutputTokens: 10 }],
  );
  const one = await meter.price(
    PATHS['openai-chat'],
    '',
    [],
    Buffer.from('{"model":"gpt-x"}'),
    [{ quota: 'usage', units: 1, kind: 'fixed' }],
    'chat',
  );
  t.strictSame(
    one.charges.items.map(({ quota, kind }) => [quota, kind]),
    [
      ['usage', 'fixed'],
      ['tokens', 'held'],
      ['credits', 'held'],
    ],
  );
  const usage = {
    prompt_tokens: 10_000,
    completion_tokens: 3_000,
    prompt_tokens_details: { cached_tokens: 4_000, cache_write_tokens: 1_000 },
    completion_tokens_details: { reasoning_tokens: 1_000 },
  };
  const { costs } = await pass(one, Buffer.from(JSON.stringify({ choices: [], usage })), {});
  // (5,000 × 0.15 + 4,000 × 0.075 + 1,000 × 0.1875 + 2,000 × 0.6 + 1,000 × 0.7) × 1.5 / 1,000 = 4.70625, of 3 decimals
  t.strictSame(costs, [
    { units: 19_500, estimated: false },
    { units: 4_707, estimated: false },
  ]);
  await meter.close();
});

t.test('the first pattern that matches prices the model', (t) => {
  const row = modelTable(
    ['gpt-4o-mini*', 'gpt-*-2024', '*', ''].map((match) => ({ match, multiplier: 1, maxOutputTokens: 1 })),
  );
  t.equal(row('gpt-4o-mini-2024'), 0);
  t.equal(row('gpt-4.1-2024'), 1);
  t.equal(row('gpt-2024'), 2, 'stars do not share characters');
  t.equal(row(''), 2);
  t.equal(row('GPT-4o-Mini-2024'), 0, 'case is no way to a cheaper row');
  t.equal(row('a.*b(c'), 2, 'names are no patterns');
  const literal = modelTable([{ match: 'a.c*d*e', multiplier: 1, maxOutputTokens: 1 }]);
  t.throws(() => literal('abcde'), { code: 'model-unknown' });
  t.equal(literal('a.cde'), 0);
  t.throws(() => literal('a.ced'), { code: 'model-unknown' });
  t.end();
});

t.test('costs above what can be counted', async (t) => {
  const meter = meterOf('openai-chat', {
    weights: { input: 1, cachedInput: 1, cacheWrite: 1, output: 1e9, reasoning: 1 },
  });
  await t.rejects(priced(meter, { model: 'm', max_tokens: 10 ** 9 }, PATHS['openai-chat']), {
    code: 'cost-invalid',
  });
  const one = await priced(meter, { model: 'm', max_tokens: 10 }, PATHS['openai-chat']);
  const usage = { prompt_tokens: 1, completion_tokens: 10 ** 12 };
  const { costs } = await pass(one, Buffer.from(JSON.stringify({ choices: [], usage })), {});
  t.strictSame(costs, [{ units: UNITS_MAX, estimated: false }], 'an answer is charged as much as can be');
  await meter.close();
});
