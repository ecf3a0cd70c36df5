/**
 * Converts units between outer form (decimal text or number) and inner form (integers scaled by the quota's decimals).
 */
import { UNITS_MAX } from './charge.js';

/** How a quota's amounts are written. */
export interface QuotaDefinition {
  /** The label of a unit: calls, tokens … */
  readonly unit: string;
  readonly decimals: number;
}

export type Quotas = ReadonlyMap<string, QuotaDefinition>;

/** The decimals of each quota, by its id. */
export type QuotaDecimals = Readonly<Record<string, { readonly decimals: number } | undefined>>;

/** Returns the definition of a quota. Throws if the config does not have it: a guess would be another price. */
export function definitionIn<Definition>(
  quotas: Readonly<Record<string, Definition | undefined>>,
  quota: string,
): Definition {
  const definition = Object.hasOwn(quotas, quota) ? quotas[quota] : undefined;
  if (definition === undefined) throw new Error(`quota "${quota}" not found`);
  return definition;
}

/** Throws like `definitionIn`. */
export function decimalsOf(quotas: QuotaDecimals, quota: string): number {
  return definitionIn(quotas, quota).decimals;
}

/** Converts an amount of the config to its integer. Throws if it is invalid. */
export function configUnits(amount: string | number, quotas: QuotaDecimals, quota: string): number {
  const decimals = decimalsOf(quotas, quota);
  const units = parseUnits(amount, decimals);
  if (units === undefined)
    throw new Error(`${amount} is not an amount of ${quota}, which has ${decimals} decimals`);
  return units;
}

/** Exact powers of ten for 0 to 6 decimals. */
const SCALE = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000] as const;

export const DECIMALS_MAX = 6;

const DECIMAL = /^(0|[1-9]\d{0,15})(?:\.(\d{1,20}))?$/;

/**
 * Returns the integer for a decimal amount such as 0.1 or "12.50". Returns undefined for anything that is not a plain
 * decimal number ≥ 0, is too large, or has more decimals than the quota; with `roundUp`, extra decimals are rounded up
 * instead.
 */
export function parseUnits(amount: string | number, decimals: number, roundUp = false): number | undefined {
  const scale = SCALE[decimals];
  if (scale === undefined) return undefined;
  if (typeof amount === 'number' && Number.isSafeInteger(amount)) {
    if (amount < 0 || Object.is(amount, -0) || amount > UNITS_MAX / scale) return undefined;
    return amount * scale;
  }
  const match = DECIMAL.exec(typeof amount === 'number' ? plainText(amount) : amount);
  if (match === null) return undefined;
  const [, whole = '0', fraction = ''] = match;
  const kept = fraction.slice(0, decimals).padEnd(decimals, '0');
  const cut = /[1-9]/.test(fraction.slice(decimals));
  if (cut && !roundUp) return undefined;
  const units = Number(whole) * scale + Number(kept === '' ? '0' : kept) + (cut ? 1 : 0);
  return units <= UNITS_MAX ? units : undefined;
}

/** JSON numbers below 10^-6 print with an exponent; `toFixed` does not. */
function plainText(amount: number): string {
  const text = String(amount);
  return text.includes('e-') ? amount.toFixed(20) : text;
}

/** The amount as a JSON number. `parseUnits` reads it back exactly, within the precision of a double. */
export function formatUnits(units: number, decimals: number): number {
  const scale = SCALE[decimals] ?? 1;
  return units / scale;
}
