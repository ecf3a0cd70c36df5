/** One row of the config's models: its price for each charge, usual and by the classes that requests ask for and answers tell. */
import type { Usage } from '../../quota/tokens.js';
import { dearest, type Extras, Price, type Pricing, type Reach } from './price.js';
import type { LlmSpec, Model } from './spec.js';

/** What a request asks for that can have a price of its own. */
export interface Asked {
  readonly tier: string | undefined;
  readonly speed: string | undefined;
  readonly reach: Reach;
}

/** What an answer tells of its class, and what could be given where it tells nothing. */
export interface Reported {
  readonly tier: string | undefined;
  readonly speed: string | undefined;
  readonly asked: Asked | undefined;
}

type Multipliers = Readonly<Record<string, number | string>>;

/** The usual class, by its names at the providers. */
const USUAL = new Set(['default', 'standard', 'standard_only', 'on_demand', 'off']);

interface Selection {
  /** '' for the usual. */
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
  /** By charge. */
  readonly plain: readonly Price[];
  private readonly bySelection = new Map<string, readonly Price[]>();

  constructor(
    private readonly specs: readonly LlmSpec[],
    private readonly quotas: Readonly<Record<string, { readonly decimals: number }>>,
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
      given(tiers, reported.tier, reported.asked?.tier, true),
      given(speeds, reported.speed, reported.asked?.speed, false),
      [long],
    ).map((one) => this.pricesFor(one).map((price) => price.units(usage, extras)));
    const [first = []] = all;
    return first.map((_, charge) => Math.max(...all.map((units) => units[charge] ?? 0)));
  }

  /** By charge: of all classes that the request can get, the dearest. */
  reachable({ tier, speed, reach }: Asked, bytesPerToken: number): readonly Pricing[] {
    const { tiers, speeds, longContext } = this.model;
    const above = longContext?.above ?? Number.POSITIVE_INFINITY;
    const [tierWords, speedWords] = [asking(tiers, tier, true), asking(speeds, speed, false)];
    const usual = selections(tierWords, speedWords, [false]).map((one) => this.pricesFor(one));
    const long =
      longContext === undefined
        ? usual
        : selections(tierWords, speedWords, [false, true]).map((one) => this.pricesFor(one));
    return this.plain.map(({ quota }, charge) => {
      const of = (all: readonly (readonly Price[])[]) =>
        dearest(all.map((prices) => new ReachedPrice(prices[charge] as Price, reach)));
      return longContext === undefined
        ? of(usual)
        : new ByLength(quota, of(usual), of(long), above / bytesPerToken);
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
      (spec) =>
        new Price(spec, this.quotas[spec.quota]?.decimals ?? 0, multiplier, { times, calls, ...scale }),
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

/** The classes that a request for `word` can get. @param byDefault they are given without being asked for, too */
function asking(
  listed: Multipliers | undefined,
  word: string | undefined,
  byDefault: boolean,
): readonly string[] {
  if (listed === undefined) return [''];
  if (word === undefined && !byDefault) return [''];
  if (word !== undefined && Object.hasOwn(listed, word)) return ['', word];
  return word !== undefined && USUAL.has(word) ? [''] : ['', ...Object.keys(listed)];
}

/** The class that an answer tells; where it tells none that is known, all that the request can get. */
function given(
  listed: Multipliers | undefined,
  reported: string | undefined,
  asked: string | undefined,
  byDefault: boolean,
): readonly string[] {
  if (listed === undefined) return [''];
  if (reported !== undefined && Object.hasOwn(listed, reported)) return [reported];
  return reported !== undefined && USUAL.has(reported) ? [''] : asking(listed, asked, byDefault);
}

/** A price with what one request can reach. */
class ReachedPrice implements Pricing {
  readonly quota: string;

  constructor(
    private readonly price: Price,
    private readonly reach: Reach,
  ) {
    this.quota = price.quota;
  }

  units(usage: Usage): number {
    return this.price.units(usage);
  }

  hold(input: number, output: number): number {
    return this.price.hold(input, output, this.reach);
  }

  outputFor(input: number, left: number): number {
    return this.price.outputFor(input, left, this.reach);
  }
}

/** Long input has another price. An estimate by bytes can be too low, so what might be long is held as if it were. */
class ByLength implements Pricing {
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
