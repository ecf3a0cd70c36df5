/** Converts tokens into units exactly: there is one division at the end, rounded up. */
import { UNITS_MAX } from '../../quota/charge.js';
import type { Usage } from '../../quota/tokens.js';
import type { LlmSpec, Weights } from './spec.js';

const PLAIN_DECIMAL = /^(\d{1,20})(?:\.(\d{1,20}))?$/;

/** Converts a decimal into a fraction. Throws an Error for anything except a plain decimal ≥ 0. */
function fraction(amount: number | string): readonly [bigint, bigint] {
  const text = String(amount);
  // Numbers below 10^-6 print with an exponent; `toFixed` avoids that.
  const match = PLAIN_DECIMAL.exec(text.includes('e-') ? Number(text).toFixed(20) : text);
  if (match === null) throw new Error(`${text} is not a decimal number ≥ 0`);
  const [, whole = '', decimals = ''] = match;
  return [BigInt(whole + decimals), 10n ** BigInt(decimals.length)];
}

function greatestCommonDivisor(a: bigint, b: bigint): bigint {
  return b === 0n ? a : greatestCommonDivisor(b, a % b);
}

/** More tokens than any request can use. */
const TOKENS_MAX = BigInt(Number.MAX_SAFE_INTEGER);

/** The weight of each token class; a class without its own weight uses that of the class it belongs to. */
const INPUT_CLASSES = {
  plainInput: (weights: Weights) => weights.input,
  cachedInput: (weights: Weights) => weights.cachedInput,
  cacheWrite: (weights: Weights) => weights.cacheWrite,
  cacheWrite1h: (weights: Weights) => weights.cacheWrite1h ?? weights.cacheWrite,
  audioInput: (weights: Weights) => weights.audioInput ?? weights.input,
  imageInput: (weights: Weights) => weights.imageInput ?? weights.input,
};
const OUTPUT_CLASSES = {
  plainOutput: (weights: Weights) => weights.output,
  reasoning: (weights: Weights) => weights.reasoning,
  audioOutput: (weights: Weights) => weights.audioOutput ?? weights.output,
  imageOutput: (weights: Weights) => weights.imageOutput ?? weights.output,
};

type Class = keyof typeof INPUT_CLASSES | keyof typeof OUTPUT_CLASSES;
const INPUTS = Object.keys(INPUT_CLASSES) as (keyof typeof INPUT_CLASSES)[];
const OUTPUTS = Object.keys(OUTPUT_CLASSES) as (keyof typeof OUTPUT_CLASSES)[];
const CLASSES: readonly Class[] = [...INPUTS, ...OUTPUTS];

/** Token counts of separately priced kinds within a usage, and tool calls that are priced by the call. */
export interface Extras {
  readonly cacheWrite1h: number;
  readonly audioInput: number;
  readonly imageInput: number;
  readonly audioOutput: number;
  readonly imageOutput: number;
  readonly calls: ReadonlyMap<string, number>;
}

/** Price modifiers of a class of requests. */
export interface PriceClass {
  /** Multiply all weights. */
  readonly times?: readonly (number | string)[];
  /** Multiply the input weights and the output weights. */
  readonly inputTimes?: number | string;
  readonly outputTimes?: number | string;
  /** Weighted tokens per tool call. No multiplier applies to them. */
  readonly calls?: Readonly<Record<string, number | string>>;
}

/** Separately priced extras that a request could use. */
export interface PossibleExtras {
  readonly media: boolean;
  readonly cache1h: boolean;
  readonly calls: ReadonlyMap<string, number>;
}

const NO_CALLS: ReadonlyMap<string, number> = new Map();
export const NO_EXTRAS: Extras = {
  cacheWrite1h: 0,
  audioInput: 0,
  imageInput: 0,
  audioOutput: 0,
  imageOutput: 0,
  calls: NO_CALLS,
};
const ALL_EXTRAS: PossibleExtras = { media: true, cache1h: true, calls: NO_CALLS };

/** Prices tokens in units of one quota. */
export interface Pricing {
  readonly quota: string;
  /** Returns the cost of these tokens. */
  units(usage: Usage): number;
  /** Returns the maximum cost of this many tokens, whatever their class. */
  hold(input: number, output: number): number;
  /** Returns how much output `left` pays for after the input; below 0 if it does not cover the input. */
  outputFor(input: number, left: number): number;
}

/** Uses the highest of several prices for the same quota. */
class HighestPrice implements Pricing {
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

export function highestPrice(prices: readonly Pricing[]): Pricing {
  const [only] = prices;
  return only !== undefined && prices.length === 1 ? only : new HighestPrice(prices);
}

type Fraction = readonly [bigint, bigint];

const product = (parts: readonly Fraction[]): Fraction =>
  parts.reduce<Fraction>(([a, b], [c, d]) => [a * c, b * d], [1n, 1n]);

/** Prices the tokens of one model in units of one quota: the sum of factor × tokens, over one divisor. */
export class Price implements Pricing {
  readonly quota: string;
  private readonly factors: Readonly<Record<Class, bigint>>;
  private readonly callFactors: ReadonlyMap<string, bigint>;
  private readonly divisor: bigint;
  private readonly maxOutputFactor: bigint;
  /** The factors as numbers. They are used while sums stay exact in doubles. */
  private readonly fastFactors: Readonly<Record<Class, number>>;
  private readonly fastDivisor: number;
  private readonly fastMaxInputFactor: number;
  private readonly fastMaxOutputFactor: number;
  private readonly fastTokensMax: number;

  constructor(
    { quota, llm }: LlmSpec,
    decimals: number,
    multiplier: number | string,
    { times = [], inputTimes = 1, outputTimes = 1, calls = {} }: PriceClass = {},
  ) {
    const [per, perOver] = fraction(llm.per);
    if (per === 0n) throw new Error(`${quota}: per must be above 0`);
    const unit: Fraction = [perOver * 10n ** BigInt(decimals), per];
    const all = [unit, fraction(multiplier), ...times.map(fraction)];
    const input = product([...all, fraction(inputTimes)]);
    const output = product([...all, fraction(outputTimes)]);
    const names = Object.keys(calls);
    const parts: Fraction[] = [
      ...INPUTS.map((name) => product([fraction(INPUT_CLASSES[name](llm.weights)), input])),
      ...OUTPUTS.map((name) => product([fraction(OUTPUT_CLASSES[name](llm.weights)), output])),
      ...names.map((name) => product([fraction(calls[name] ?? 0), unit])),
    ];
    const common = parts.reduce((under, [, one]) => (under / greatestCommonDivisor(under, one)) * one, 1n);
    const raw = parts.map(([digits, under]) => digits * (common / under));
    const shared = raw.reduce(greatestCommonDivisor, common);
    const factors = raw.map((factor) => factor / shared);
    this.quota = quota;
    this.divisor = common / shared;
    this.factors = recordOf(factors);
    this.callFactors = new Map(names.map((name, index) => [name, factors[CLASSES.length + index] ?? 0n]));
    this.maxOutputFactor = largest(OUTPUTS.map((name) => this.factors[name]));
    this.fastFactors = recordOf(factors.map(Number));
    this.fastDivisor = Number(this.divisor);
    this.fastMaxInputFactor = Number(this.maxInputFactor(ALL_EXTRAS));
    this.fastMaxOutputFactor = Number(this.maxOutputFactor);
    this.fastTokensMax = Number(
      BigInt(Number.MAX_SAFE_INTEGER) / largest([...Object.values(this.factors), this.divisor, 1n]),
    );
  }

  units(usage: Usage, extras?: Extras): number {
    const { input, cachedInput, cacheWrite, output, reasoning } = usage;
    const plainInput = input - cachedInput - cacheWrite;
    const plainOutput = output - reasoning;
    if (extras !== undefined) return this.unitsWith(usage, extras);
    if (input + output > this.fastTokensMax) {
      const { factors } = this;
      return this.unitsOf(
        factors.plainInput * BigInt(plainInput) +
          factors.cachedInput * BigInt(cachedInput) +
          factors.cacheWrite * BigInt(cacheWrite) +
          factors.plainOutput * BigInt(plainOutput) +
          factors.reasoning * BigInt(reasoning),
      );
    }
    const { fastFactors } = this;
    const sum =
      fastFactors.plainInput * plainInput +
      fastFactors.cachedInput * cachedInput +
      fastFactors.cacheWrite * cacheWrite +
      fastFactors.plainOutput * plainOutput +
      fastFactors.reasoning * reasoning;
    return this.fastUnits(sum);
  }

  /** Counts of a kind that exceed the usage are capped at it. */
  private unitsWith(usage: Usage, extras: Extras): number {
    const { factors } = this;
    const cacheWrite1h = Math.min(extras.cacheWrite1h, usage.cacheWrite);
    let plainInput = usage.input - usage.cachedInput - usage.cacheWrite;
    const audioInput = Math.min(extras.audioInput, plainInput);
    plainInput -= audioInput;
    const imageInput = Math.min(extras.imageInput, plainInput);
    let plainOutput = usage.output - usage.reasoning;
    const audioOutput = Math.min(extras.audioOutput, plainOutput);
    plainOutput -= audioOutput;
    const imageOutput = Math.min(extras.imageOutput, plainOutput);
    const tokens: Readonly<Record<Class, number>> = {
      plainInput: plainInput - imageInput,
      cachedInput: usage.cachedInput,
      cacheWrite: usage.cacheWrite - cacheWrite1h,
      cacheWrite1h,
      audioInput,
      imageInput,
      plainOutput: plainOutput - imageOutput,
      reasoning: usage.reasoning,
      audioOutput,
      imageOutput,
    };
    const sum = CLASSES.reduce((all, name) => all + factors[name] * BigInt(tokens[name]), 0n);
    return this.unitsOf(sum + this.callsCost(extras.calls));
  }

  hold(input: number, output: number, possible: PossibleExtras = ALL_EXTRAS): number {
    const sum = input + output;
    if (possible === ALL_EXTRAS && sum <= this.fastTokensMax)
      return this.fastUnits(this.fastMaxInputFactor * input + this.fastMaxOutputFactor * output);
    return this.unitsOf(
      this.maxInputFactor(possible) * BigInt(input) +
        this.maxOutputFactor * BigInt(output) +
        this.callsCost(possible.calls),
    );
  }

  outputFor(input: number, left: number, possible: PossibleExtras = ALL_EXTRAS): number {
    const remaining =
      BigInt(left) * this.divisor -
      this.maxInputFactor(possible) * BigInt(input) -
      this.callsCost(possible.calls);
    if (remaining < 0n) return -1;
    const tokens = this.maxOutputFactor === 0n ? remaining + TOKENS_MAX : remaining / this.maxOutputFactor;
    return Number(tokens > TOKENS_MAX ? TOKENS_MAX : tokens);
  }

  private maxInputFactor({ media, cache1h }: PossibleExtras): bigint {
    const { factors } = this;
    const factorsInUse = [factors.plainInput, factors.cachedInput, factors.cacheWrite];
    if (cache1h) factorsInUse.push(factors.cacheWrite1h);
    if (media) factorsInUse.push(factors.audioInput, factors.imageInput);
    return largest(factorsInUse);
  }

  private callsCost(calls: ReadonlyMap<string, number>): bigint {
    let sum = 0n;
    for (const [name, times] of calls) sum += (this.callFactors.get(name) ?? 0n) * BigInt(times);
    return sum;
  }

  private fastUnits(sum: number): number {
    const rest = sum % this.fastDivisor;
    const units = (sum - rest) / this.fastDivisor + (rest > 0 ? 1 : 0);
    return units > UNITS_MAX ? Number.POSITIVE_INFINITY : units;
  }

  private unitsOf(sum: bigint): number {
    const units = (sum + this.divisor - 1n) / this.divisor;
    return units > UNITS_MAX ? Number.POSITIVE_INFINITY : Number(units);
  }
}

function recordOf<Value>(values: readonly Value[]): Readonly<Record<Class, Value>> {
  return Object.fromEntries(CLASSES.map((name, index) => [name, values[index]])) as Record<Class, Value>;
}

function largest(values: readonly bigint[]): bigint {
  return values.reduce((best, value) => (value > best ? value : best), 0n);
}
