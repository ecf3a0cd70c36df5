/** Tokens into units, exactly: one division at the very end, rounded up. */
import { UNITS_MAX } from '../../quota/charge.js';
import type { Usage } from '../../quota/tokens.js';
import type { LlmSpec, Weights } from './spec.js';

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

/** Per class of tokens: the weight that is set for it, else that of the class it is a part of. */
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

/** Tokens of dearer kinds among those of a usage, and calls of tools that cost by themselves. */
export interface Extras {
  readonly cacheWrite1h: number;
  readonly audioInput: number;
  readonly imageInput: number;
  readonly audioOutput: number;
  readonly imageOutput: number;
  readonly calls: ReadonlyMap<string, number>;
}

/** By which classes a model's price is another than usual. */
export interface PriceClass {
  /** All weights times each of these. */
  readonly times?: readonly (number | string)[];
  /** Those of input, those of output. */
  readonly inputTimes?: number | string;
  readonly outputTimes?: number | string;
  /** Weighted tokens of one call of a tool, which no multiplier changes. */
  readonly calls?: Readonly<Record<string, number | string>>;
}

/** What a request can reach of the classes that few requests do. */
export interface Reach {
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
const ALL_REACH: Reach = { media: true, cache1h: true, calls: NO_CALLS };

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

type Fraction = readonly [bigint, bigint];

const product = (parts: readonly Fraction[]): Fraction =>
  parts.reduce<Fraction>(([a, b], [c, d]) => [a * c, b * d], [1n, 1n]);

/** Units of one quota for the tokens of one model: the sum of factor × tokens, over one divisor. */
export class Price implements Pricing {
  readonly quota: string;
  private readonly factors: Readonly<Record<Class, bigint>>;
  private readonly callFactors: ReadonlyMap<string, bigint>;
  private readonly over: bigint;
  private readonly outputMost: bigint;
  /** The factors as numbers, while sums of so many tokens stay exact. */
  private readonly quick: Readonly<Record<Class, number>>;
  private readonly quickOver: number;
  private readonly quickInputMost: number;
  private readonly quickOutputMost: number;
  private readonly quickTokensMost: number;

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
    const common = parts.reduce((under, [, one]) => (under / divisor(under, one)) * one, 1n);
    const raw = parts.map(([digits, under]) => digits * (common / under));
    const shared = raw.reduce(divisor, common);
    const factors = raw.map((factor) => factor / shared);
    this.quota = quota;
    this.over = common / shared;
    this.factors = recordOf(factors);
    this.callFactors = new Map(names.map((name, index) => [name, factors[CLASSES.length + index] ?? 0n]));
    this.outputMost = most(OUTPUTS.map((name) => this.factors[name]));
    this.quick = recordOf(factors.map(Number));
    this.quickOver = Number(this.over);
    this.quickInputMost = Number(this.inputMost(ALL_REACH));
    this.quickOutputMost = Number(this.outputMost);
    this.quickTokensMost = Number(
      BigInt(Number.MAX_SAFE_INTEGER) / most([...Object.values(this.factors), this.over, 1n]),
    );
  }

  units(usage: Usage, extras?: Extras): number {
    const { input, cachedInput, cacheWrite, output, reasoning } = usage;
    const plainInput = input - cachedInput - cacheWrite;
    const plainOutput = output - reasoning;
    if (extras !== undefined) return this.unitsWith(usage, extras);
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

  /** Kinds that would be more than the usage has of them are cut to it. */
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
    return this.divided(sum + this.callsCost(extras.calls));
  }

  hold(input: number, output: number, reach: Reach = ALL_REACH): number {
    const sum = input + output;
    if (reach === ALL_REACH && sum <= this.quickTokensMost)
      return this.quickly(this.quickInputMost * input + this.quickOutputMost * output);
    return this.divided(
      this.inputMost(reach) * BigInt(input) + this.outputMost * BigInt(output) + this.callsCost(reach.calls),
    );
  }

  outputFor(input: number, left: number, reach: Reach = ALL_REACH): number {
    const remaining =
      BigInt(left) * this.over - this.inputMost(reach) * BigInt(input) - this.callsCost(reach.calls);
    if (remaining < 0n) return -1;
    const tokens = this.outputMost === 0n ? remaining + BOUNDLESS : remaining / this.outputMost;
    return Number(tokens > BOUNDLESS ? BOUNDLESS : tokens);
  }

  private inputMost({ media, cache1h }: Reach): bigint {
    const { factors } = this;
    const reached = [factors.plainInput, factors.cachedInput, factors.cacheWrite];
    if (cache1h) reached.push(factors.cacheWrite1h);
    if (media) reached.push(factors.audioInput, factors.imageInput);
    return most(reached);
  }

  private callsCost(calls: ReadonlyMap<string, number>): bigint {
    let sum = 0n;
    for (const [name, times] of calls) sum += (this.callFactors.get(name) ?? 0n) * BigInt(times);
    return sum;
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
