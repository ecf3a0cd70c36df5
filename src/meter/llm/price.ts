/** Tokens into units, exactly: one division at the very end, rounded up. */
import { UNITS_MAX } from '../../quota/charge.js';
import type { Usage } from '../../quota/tokens.js';
import type { LlmSpec } from './spec.js';

const PLAIN_DECIMAL = /^(\d{1,20})(?:\.(\d{1,20}))?$/;

/** A decimal as a fraction. Throws an Error for anything but a plain decimal ≥ 0. */
function fraction(amount: number | string): readonly [bigint, bigint] {
  const text = String(amount);
  // Numbers below 10^-6 print with an exponent; `toFixed` does not.
  const match = PLAIN_DECIMAL.exec(text.includes('e-') ? Number(text).toFixed(20) : text);
  if (match === null) throw new Error(`${text} is not a decimal number ≥ 0`);
  const [, whole = '', decimals = ''] = match;
  return [BigInt(whole + decimals), 10n ** BigInt(decimals.length)];
}

function divisor(a: bigint, b: bigint): bigint {
  return b === 0n ? a : divisor(b, a % b);
}

/** Of tokens: more than any request can ask for. */
const BOUNDLESS = BigInt(Number.MAX_SAFE_INTEGER);

type Class = 'plainInput' | 'cachedInput' | 'cacheWrite' | 'plainOutput' | 'reasoning';
const CLASSES: readonly Class[] = ['plainInput', 'cachedInput', 'cacheWrite', 'plainOutput', 'reasoning'];

/** What tokens cost in units of one quota. */
export interface Pricing {
  readonly quota: string;
  /** What these tokens cost. */
  units(usage: Usage): number;
  /** The most that so many tokens can cost, of whatever class they turn out to be. */
  hold(input: number, output: number): number;
  /** How much output fits into `left` beside the input; below 0 where not even the input does. */
  outputFor(input: number, left: number): number;
}

/** Of several prices, whichever is the dearest for what is asked. All are of one quota. */
class Dearest implements Pricing {
  readonly quota: string;

  constructor(private readonly prices: readonly Pricing[]) {
    this.quota = prices[0]?.quota ?? '';
  }

  units(usage: Usage): number {
    return Math.max(...this.prices.map((price) => price.units(usage)));
  }

  hold(input: number, output: number): number {
    return Math.max(...this.prices.map((price) => price.hold(input, output)));
  }

  outputFor(input: number, left: number): number {
    return Math.min(...this.prices.map((price) => price.outputFor(input, left)));
  }
}

export function dearest(prices: readonly Pricing[]): Pricing {
  const [only] = prices;
  return only !== undefined && prices.length === 1 ? only : new Dearest(prices);
}

/** Units of one quota for the tokens of one model: the sum of factor × tokens, over one divisor. */
export class Price implements Pricing {
  readonly quota: string;
  private readonly factors: Readonly<Record<Class, bigint>>;
  private readonly over: bigint;
  private readonly inputMost: bigint;
  private readonly outputMost: bigint;
  /** The factors as numbers, while sums of so many tokens stay exact. */
  private readonly quick: Readonly<Record<Class, number>>;
  private readonly quickOver: number;
  private readonly quickInputMost: number;
  private readonly quickOutputMost: number;
  private readonly quickTokensMost: number;

  constructor({ quota, llm }: LlmSpec, decimals: number, multiplier: number | string) {
    const { weights } = llm;
    const [times, timesOver] = fraction(multiplier);
    const [per, perOver] = fraction(llm.per);
    if (per === 0n) throw new Error(`${quota}: per must be above 0`);
    const order = [weights.input, weights.cachedInput, weights.cacheWrite, weights.output, weights.reasoning];
    const parts = order.map(fraction);
    const common = parts.reduce((most, [, under]) => (under > most ? under : most), 1n);
    const up = times * perOver * 10n ** BigInt(decimals);
    const raw = parts.map(([digits, under]) => digits * (common / under) * up);
    const rawOver = common * timesOver * per;
    const shared = raw.reduce(divisor, rawOver);
    const factors = raw.map((factor) => factor / shared);
    this.quota = quota;
    this.over = rawOver / shared;
    this.factors = recordOf(factors);
    this.inputMost = most(factors.slice(0, 3));
    this.outputMost = most(factors.slice(3));
    this.quick = recordOf(factors.map(Number));
    this.quickOver = Number(this.over);
    this.quickInputMost = Number(this.inputMost);
    this.quickOutputMost = Number(this.outputMost);
    this.quickTokensMost = Number(BigInt(Number.MAX_SAFE_INTEGER) / most([...factors, this.over, 1n]));
  }

  units(usage: Usage): number {
    const { input, cachedInput, cacheWrite, output, reasoning } = usage;
    const plainInput = input - cachedInput - cacheWrite;
    const plainOutput = output - reasoning;
    if (input + output > this.quickTokensMost) {
      const { factors } = this;
      return this.divided(
        factors.plainInput * BigInt(plainInput) +
          factors.cachedInput * BigInt(cachedInput) +
          factors.cacheWrite * BigInt(cacheWrite) +
          factors.plainOutput * BigInt(plainOutput) +
          factors.reasoning * BigInt(reasoning),
      );
    }
    const { quick } = this;
    const sum =
      quick.plainInput * plainInput +
      quick.cachedInput * cachedInput +
      quick.cacheWrite * cacheWrite +
      quick.plainOutput * plainOutput +
      quick.reasoning * reasoning;
    return this.quickly(sum);
  }

  hold(input: number, output: number): number {
    if (input + output <= this.quickTokensMost)
      return this.quickly(this.quickInputMost * input + this.quickOutputMost * output);
    return this.divided(this.inputMost * BigInt(input) + this.outputMost * BigInt(output));
  }

  outputFor(input: number, left: number): number {
    const room = BigInt(left) * this.over - this.inputMost * BigInt(input);
    if (room < 0n) return -1;
    const tokens = this.outputMost === 0n ? room + BOUNDLESS : room / this.outputMost;
    return Number(tokens > BOUNDLESS ? BOUNDLESS : tokens);
  }

  private quickly(sum: number): number {
    const rest = sum % this.quickOver;
    const units = (sum - rest) / this.quickOver + (rest > 0 ? 1 : 0);
    return units > UNITS_MAX ? Number.POSITIVE_INFINITY : units;
  }

  private divided(sum: bigint): number {
    const units = (sum + this.over - 1n) / this.over;
    return units > UNITS_MAX ? Number.POSITIVE_INFINITY : Number(units);
  }
}

function recordOf<Value>(values: readonly Value[]): Readonly<Record<Class, Value>> {
  return Object.fromEntries(CLASSES.map((name, index) => [name, values[index]])) as Record<Class, Value>;
}

function most(values: readonly bigint[]): bigint {
  return values.reduce((best, value) => (value > best ? value : best), 0n);
}
