/** Parses amounts that a caller states, without rounding errors. */
import { UNITS_MAX } from '../quota/charge.js';
import { parseUnits } from '../quota/units.js';

/** The limits on length bound the work for one number. */
const NUMBER = /^(\d{1,40})(?:\.(\d{1,40}))?(?:[eE]([+-]?\d{1,3}))?$/;
const LEADING_ZEROS = /^0+(?=\d)/;

/**
 * Returns the units for the text of a JSON number. Returns undefined if the number is negative (−0 too), too large, or
 * has more decimals than the quota and `roundUp` is false. The text is never converted to a double: 0.1 stays 0.1, and
 * 1e309 is not infinity.
 */
export function unitsOfNumber(text: string, decimals: number, roundUp = false): number | undefined {
  const match = NUMBER.exec(text);
  if (match === null) return undefined;
  const [, whole = '', fraction = '', exponent = '0'] = match;
  const point = whole.length + Number(exponent);
  const digits = whole + fraction;
  const padded = point <= 0 ? `${'0'.repeat(1 - point)}${digits}` : digits.padEnd(point, '0');
  const at = Math.max(point, 1);
  const left = padded.slice(0, at).replace(LEADING_ZEROS, '');
  const right = padded.slice(at);
  return parseUnits(right === '' ? left : `${left}.${right}`, decimals, roundUp);
}

/** An exact sum of amounts. It is rounded up once, at the end. */
export class DecimalSum {
  private digits = 0n;
  /** The number of decimal digits. */
  private places = 0;

  /** Returns false if the text is not a number ≥ 0. */
  add(text: string): boolean {
    const match = NUMBER.exec(text);
    if (match === null) return false;
    const [, whole = '', fraction = '', exponent = '0'] = match;
    const places = fraction.length - Number(exponent);
    const digits = BigInt(whole + fraction);
    const common = Math.max(this.places, places);
    this.digits = this.digits * 10n ** BigInt(common - this.places) + digits * 10n ** BigInt(common - places);
    this.places = common;
    return true;
  }

  /** Returns undefined if the sum is too large. */
  units(decimals: number): number | undefined {
    const shift = this.places - decimals;
    const scaled =
      shift <= 0
        ? this.digits * 10n ** BigInt(-shift)
        : (this.digits + 10n ** BigInt(shift) - 1n) / 10n ** BigInt(shift);
    return scaled <= BigInt(UNITS_MAX) ? Number(scaled) : undefined;
  }
}
