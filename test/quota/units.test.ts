// Amounts are exact: a decimal becomes the one integer that it names, or is refused.
import t from 'tap';
import { formatUnits, parseUnits } from '../../src/quota/units.js';

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
