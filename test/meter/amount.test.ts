// A JSON number is charged exactly as it is written: never rounded, never through a double.
import fc from 'fast-check';
import t from 'tap';
import { unitsOfNumber } from '../../src/meter/amount.js';

t.test('the text of a number becomes units', async (t) => {
  const CASES: [text: string, decimals: number, units: number | undefined][] = [
    ['0.1', 1, 1],
    ['0.1', 6, 100_000],
    ['0.10', 1, 1],
    ['12.50', 2, 1_250],
    ['10000', 0, 10_000],
    ['1.0', 0, 1],
    ['1e2', 0, 100],
    ['1.5E+3', 0, 1_500],
    ['25e-1', 1, 25],
    ['1e-5', 6, 10],
    ['0.00001e5', 0, 1],
    ['100e-2', 0, 1],
    ['0', 0, 0],
    ['0.0', 0, 0],
    ['0e5', 0, 0],
    ['0e999', 0, 0],
    ['9000000000000000', 0, 9_000_000_000_000_000],
    ['9000000000000001', 0, undefined],
    ['9007199254740993', 0, undefined],
    ['9000000000.000001', 6, undefined],
    ['8999999999.999999', 6, 8_999_999_999_999_999],
    ['0.11', 1, undefined],
    ['1e-7', 6, undefined],
    ['1e-400', 6, undefined],
    ['0.1000000000000000000000000000000000001', 1, undefined],
    ['-0', 0, undefined],
    ['-0.0', 0, undefined],
    ['-1', 0, undefined],
    ['-1e-400', 0, undefined],
    ['1e16', 0, undefined],
    ['1e309', 0, undefined],
    ['1e99999999', 0, undefined],
    ['1'.repeat(100_000), 0, undefined],
  ];
  for (const [text, decimals, units] of CASES) {
    t.equal(unitsOfNumber(text, decimals), units, `${text.slice(0, 50)} at ${decimals}`);
  }
});

t.test('fuzz: every way to write an amount means the same units', async () => {
  const units = fc.integer({ min: 0, max: 9_000_000_000_000_000 });
  fc.assert(
    fc.property(
      units,
      fc.integer({ min: 0, max: 6 }),
      fc.integer({ min: -15, max: 15 }),
      (amount, decimals, shift) => {
        return (
          unitsOfNumber(`${amount}e${-decimals}`, decimals) === amount &&
          unitsOfNumber(`${shifted(amount, decimals + shift)}e${shift}`, decimals) === amount
        );
      },
    ),
    { numRuns: 2_000 },
  );
});

/** amount × 10^-places as plain decimal text. */
function shifted(amount: number, places: number): string {
  if (places <= 0) return `${amount === 0 ? '0' : amount + '0'.repeat(-places)}`;
  const digits = String(amount).padStart(places + 1, '0');
  return `${digits.slice(0, -places)}.${digits.slice(-places)}`;
}
