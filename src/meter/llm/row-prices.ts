/**
 * Prices one row of the config's models for each charge: the default price, and the prices by requested and reported
 * class.
 */
import type { Usage } from '../../quota/tokens.js';
import { decimalsOf, type QuotaDecimals } from '../../quota/units.js';
import { type Extras, highestPrice, type PossibleExtras, Price, type Pricing } from './price.js';
import type { LlmSpec, Model } from './spec.js';

/** The parts of a request that can have a price of their own. */
export interface RequestedClasses {
  readonly tier: string | undefined;
  readonly speed: string | undefined;
  readonly possible: PossibleExtras;
}

/** The class that the answer reports, and the requested one for when it reports none. */
export interface Reported {
  readonly tier: string | undefined;
  readonly speed: string | undefined;
  readonly requested: RequestedClasses | undefined;
}

type Multipliers = Readonly<Record<string, number | string>>;

/** Names that providers use for the default class. */
const DEFAULT_CLASSES = new Set(['default', 'standard', 'standard_only', 'on_demand', 'off']);

interface Selection {
  /** '' for the default. */
  readonly tier: string;
  readonly speed: string;
  readonly long: boolean;
}

export function hasClasses(specs: readonly LlmSpec[], rows: readonly Model[]): boolean {
  const byKind = specs.some(({ llm: { weights } }) =>
    [
      weights.cacheWrite1h,
      weights.audioInput,
      weights.imageInput,
      weights.audioOutput,
      weights.imageOutput,
    ].some((weight) => weight !== undefined),
  );
  return (
    byKind || rows.some(({ tiers, speeds, longContext, calls }) => tiers ?? speeds ?? longContext ?? calls)
  );
}

export class RowPrices {
  /** One entry per charge. */
  readonly plain: readonly Price[];
  private readonly bySelection = new Map<string, readonly Price[]>();

  constructor(
    private readonly specs: readonly LlmSpec[],
    private readonly quotas: QuotaDecimals,
    readonly model: Model,
  ) {
    this.plain = this.pricesFor({ tier: '', speed: '', long: false });
  }

  units(usage: Usage, reported: Reported, extras: Extras | undefined): readonly number[] {
    const { tiers, speeds, longContext } = this.model;
    if (tiers === undefined && speeds === undefined && longContext === undefined)
      return this.plain.map((price) => price.units(usage, extras));
    const long = longContext !== undefined && usage.input > longContext.above;
    const all = selections(
      reportedClasses(tiers, reported.tier, reported.requested?.tier, true),
      reportedClasses(speeds, reported.speed, reported.requested?.speed, false),
      [long],
    ).map((one) => this.pricesFor(one).map((price) => price.units(usage, extras)));
    const [first = []] = all;
    return first.map((_, charge) => Math.max(...all.map((units) => units[charge] ?? 0)));
  }

  /** Returns the highest price per charge among all classes that the request can get. */
  highestHold({ tier, speed, possible }: RequestedClasses, bytesPerToken: number): readonly Pricing[] {
    const { tiers, speeds, longContext } = this.model;
    const above = longContext?.above ?? Number.POSITIVE_INFINITY;
    const [tierWords, speedWords] = [
      possibleClasses(tiers, tier, true),
      possibleClasses(speeds, speed, false),
    ];
    const usual = selections(tierWords, speedWords, [false]).map((one) => this.pricesFor(one));
    const long =
      longContext === undefined
        ? usual
        : selections(tierWords, speedWords, [false, true]).map((one) => this.pricesFor(one));
    return this.plain.map(({ quota }, charge) => {
      const of = (all: readonly (readonly Price[])[]) =>
        highestPrice(all.map((prices) => new PriceWithExtras(prices[charge] as Price, possible)));
      return longContext === undefined
        ? of(usual)
        : new LongContextPricing(quota, of(usual), of(long), above / bytesPerToken);
    });
  }

  private pricesFor({ tier, speed, long }: Selection): readonly Price[] {
    const key = JSON.stringify([tier, speed, long]);
    const known = this.bySelection.get(key);
    if (known !== undefined) return known;
    const { tiers, speeds, longContext, calls = {}, multiplier } = this.model;
    const times = [tiers?.[tier] ?? 1, speeds?.[speed] ?? 1];
    const scale =
      long && longContext !== undefined
        ? { inputTimes: longContext.input, outputTimes: longContext.output }
        : {};
    const prices = this.specs.map(
      (spec) => new Price(spec, decimalsOf(this.quotas, spec.quota), multiplier, { times, calls, ...scale }),
    );
    this.bySelection.set(key, prices);
    return prices;
  }
}

function selections(
  tiers: readonly string[],
  speeds: readonly string[],
  lengths: readonly boolean[],
): Selection[] {
  return tiers.flatMap((tier) => speeds.flatMap((speed) => lengths.map((long) => ({ tier, speed, long }))));
}

/**
 * Returns the classes that a request for `word` can get.
 * @param byDefault the provider may choose a class without being asked
 */
function possibleClasses(
  listed: Multipliers | undefined,
  word: string | undefined,
  byDefault: boolean,
): readonly string[] {
  if (listed === undefined) return [''];
  if (word === undefined && !byDefault) return [''];
  if (word !== undefined && Object.hasOwn(listed, word)) return ['', word];
  return word !== undefined && DEFAULT_CLASSES.has(word) ? [''] : ['', ...Object.keys(listed)];
}

/** Returns the reported class; if it is unknown or missing, all classes that the request can get. */
function reportedClasses(
  listed: Multipliers | undefined,
  reported: string | undefined,
  requested: string | undefined,
  byDefault: boolean,
): readonly string[] {
  if (listed === undefined) return [''];
  if (reported !== undefined && Object.hasOwn(listed, reported)) return [reported];
  return reported !== undefined && DEFAULT_CLASSES.has(reported)
    ? ['']
    : possibleClasses(listed, requested, byDefault);
}

/** A price together with the extras that one request could use. */
class PriceWithExtras implements Pricing {
  readonly quota: string;

  constructor(
    private readonly price: Price,
    private readonly possible: PossibleExtras,
  ) {
    this.quota = price.quota;
  }

  units(usage: Usage): number {
    return this.price.units(usage);
  }

  hold(input: number, output: number): number {
    return this.price.hold(input, output, this.possible);
  }

  outputFor(input: number, left: number): number {
    return this.price.outputFor(input, left, this.possible);
  }
}

/**
 * Long input has its own price. The estimate by bytes can be too low, so input that may be long is held at the long
 * price.
 */
class LongContextPricing implements Pricing {
  constructor(
    readonly quota: string,
    private readonly usual: Pricing,
    private readonly long: Pricing,
    private readonly longFrom: number,
  ) {}

  units(usage: Usage): number {
    return this.by(usage.input).units(usage);
  }

  hold(input: number, output: number): number {
    return this.by(input).hold(input, output);
  }

  outputFor(input: number, left: number): number {
    return this.by(input).outputFor(input, left);
  }

  private by(input: number): Pricing {
    return input > this.longFrom ? this.long : this.usual;
  }
}
