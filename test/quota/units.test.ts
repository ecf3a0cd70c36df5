// Amounts are exact: a decimal becomes the one integer that it names, or is refused.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import {
  configUnits,
  decimalsOf,
  definitionIn,
  formatUnits,
  parseUnits,
  type QuotaDecimals,
} from '../../src/quota/units.js';

t.test('decimals become scaled integers', async (t) => {
  t.equal(parseUnits(0.1, 1), 1);
  t.equal(parseUnits('12.50', 2), 1250);
  t.equal(parseUnits(10, 1), 100);
  t.equal(parseUnits('0.000001', 6), 1);
  t.equal(parseUnits(1e-7, 6, true), 1);
  t.equal(formatUnits(1, 1), 0.1);
});

t.test('what is not an exact amount is refused, never taken as 0', async (t) => {
  for (const amount of [
    -1,
    -0,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    '',
    ' 1',
    '1e3',
    '0x10',
    '-0',
    '01',
    '1.',
    2 ** 53,
  ])
    t.equal(parseUnits(amount, 0), undefined, String(amount));
  t.equal(parseUnits('0.11', 1), undefined);
  t.equal(parseUnits('0.11', 1, true), 2);
  t.equal(parseUnits('9000000000000001', 0), undefined);
});

t.test('a quota that the config does not have is an error, never a guess', async (t) => {
  const quotas = { usage: { unit: 'units', decimals: 1 } };
  t.equal(decimalsOf(quotas, 'usage'), 1);
  t.equal(configUnits('0.1', quotas, 'usage'), 1);
  for (const quota of ['lds', 'toString', '__proto__', ''])
    for (const call of [definitionIn, decimalsOf, (all: QuotaDecimals) => configUnits(1, all, quota)])
      t.throws(() => call(quotas, quota), { message: `quota "${quota}" not found` });
  for (const amount of ['0.25', '-1', '', '1e3', 1e16])
    t.throws(() => configUnits(amount, quotas, 'usage'), /is not an amount of usage, which has 1 decimals/);
});

t.test('no place in the code takes 0 for an amount or decimals that it cannot read', async (t) => {
  const root = join(import.meta.dirname, '../../../src');
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.ts'),
  );
  t.ok(files.length > 100);
  for (const name of files) {
    const text = readFileSync(join(root, name), 'utf8');
    t.notMatch(text, /parseUnits\([^;]*?\)\)? \?\? |decimals \?\? |decimals = \d|decimals: 0, unit/, name);
  }
});
