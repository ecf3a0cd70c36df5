/** Prices a request for every model that may answer it, and then its answer. */
import { UNITS_MAX } from '../../quota/charge.js';
import { modelKeyOf } from '../../quota/id.js';
import type { Usage } from '../../quota/tokens.js';
import { decimalsOf, type QuotaDecimals } from '../../quota/units.js';
import {
  type AnswerModelTable,
  answerModelTable,
  type ModelTable,
  modelTable,
  type NamedModel,
  rowsOf,
} from './models.js';
import { type Extras, highestPrice, NO_EXTRAS, type Pricing } from './price.js';
import type { PriceFacts } from './price-facts.js';
import { hasClasses, type Reported, type RequestedClasses, RowPrices } from './row-prices.js';
import type { LlmSpec, Model, Models } from './spec.js';

/** Tokens of one model among those of an answer. */
export interface UsagePart {
  /** '' if not reported. */
  readonly model: string;
  readonly usage: Usage;
  /** Absent: none, or those of the whole answer. */
  readonly extras?: Extras;
}

/** One entry per charge. */
type Prices = readonly Pricing[];

/** All rows, with a price for each charge of a route. */
export class Rates {
  /** Some price depends on more than the number of tokens. */
  readonly hasClasses: boolean;
  /** Tools that are priced by the call. */
  readonly tools: readonly string[];
  /** The scale of each charge's quota. */
  readonly scales: readonly number[];
  private readonly rows: readonly RowPrices[];
  private readonly byName: ModelTable;
  private readonly byAnswer: AnswerModelTable;

  constructor(
    specs: readonly LlmSpec[],
    quotas: QuotaDecimals,
    models: Models,
    private readonly bytesPerToken: number,
  ) {
    const rows = rowsOf(models);
    this.scales = specs.map(({ quota }) => 10 ** decimalsOf(quotas, quota));
    this.rows = rows.map((model) => new RowPrices(specs, quotas, model));
    this.hasClasses = hasClasses(specs, rows);
    this.tools = [...new Set(rows.flatMap(({ calls = {} }) => Object.keys(calls)))];
    this.byName = modelTable(models);
    this.byAnswer = answerModelTable(models);
  }

  /**
   * Throws ProblemError `model-unknown` for a name that is not listed.
   * @param requested undefined if no price depends on it
   */
  of(names: readonly string[], requested: RequestedClasses | undefined): RequestRates {
    return new RequestRates(
      this,
      names.map((name) => ({ name, row: this.byName(name) })),
      requested,
    );
  }

  /** For requests that any listed model may answer. */
  ofAny(requested: RequestedClasses | undefined): RequestRates {
    const named = this.rows.map(({ model }, row) => ({ name: model.match, row }));
    return new RequestRates(this, named, requested);
  }

  row(index: number): Model {
    return (this.rows[index] as RowPrices).model;
  }

  /** Returns the maximum cost of a request for these rows, per charge. */
  held(rows: readonly number[], requested: RequestedClasses | undefined): Prices {
    const all = rows.map((row) => this.rows[row] as RowPrices);
    const prices = all.map((row) =>
      requested === undefined ? row.plain : row.highestHold(requested, this.bytesPerToken),
    );
    return byCharge(prices);
  }

  /** Returns the highest cost among the rows, per charge. */
  units(
    rows: readonly number[],
    usage: Usage,
    reported: Reported,
    extras: Extras | undefined,
  ): readonly number[] {
    let best: readonly number[] | undefined;
    for (const row of rows) {
      const units = (this.rows[row] as RowPrices).units(usage, reported, extras);
      best = best === undefined ? units : best.map((one, charge) => Math.max(one, units[charge] ?? 0));
    }
    return best ?? [];
  }

  answered(name: string, named: readonly NamedModel[]): number | undefined {
    return this.byAnswer(name, named);
  }
}

function byCharge(all: readonly Prices[]): Prices {
  const [first = []] = all;
  if (all.length <= 1) return first;
  return first.map((_, charge) => highestPrice(all.map((prices) => prices[charge] as Pricing)));
}

/** The cost per charge, and the row that set the price. */
export interface Charged {
  readonly model: string;
  readonly units: readonly number[];
}

/** The rates of the models that one request names. */
export class RequestRates {
  /** What is held, per charge. */
  readonly held: Prices;
  /** The maximum output of an answer without an output limit. */
  readonly maxOutputTokens: number;
  private readonly namedRows: readonly number[];

  constructor(
    private readonly rates: Rates,
    private readonly named: readonly NamedModel[],
    private readonly requested: RequestedClasses | undefined,
  ) {
    this.namedRows = distinct(named.map(({ row }) => row));
    this.held = rates.held(this.namedRows, requested);
    this.maxOutputTokens = Math.max(...this.namedRows.map((row) => rates.row(row).maxOutputTokens));
  }

  /** The model key of the request: the most expensive row that it names. */
  get modelKey(): string {
    return modelKeyOf(this.highestPricedModel(this.namedRows));
  }

  /** Tokens before weights, per charge, scaled as its units. */
  rawAmounts({ input, output }: Usage): readonly number[] {
    return this.rates.scales.map((scale) => Math.min(UNITS_MAX, (input + output) * scale));
  }

  /** Some tool is priced by the call. */
  get hasTools(): boolean {
    return this.rates.tools.length > 0;
  }

  /** Prices an answer. A model that is not listed costs as much as the highest-priced model of the request. */
  charged(usage: Usage, facts: PriceFacts, parts: readonly UsagePart[] = []): Charged {
    const reported: Reported = { tier: facts.tier, speed: facts.speed, requested: this.requested };
    const extras = this.requested === undefined ? undefined : facts;
    const rows = this.rowsFor(facts.models);
    const rest = parts.reduce<Usage | undefined>((left, part) => left && without(left, part.usage), usage);
    if (parts.length === 0 || rest === undefined)
      return { model: this.highestPricedModel(rows), units: this.rates.units(rows, usage, reported, extras) };
    const shares = parts.map((part) => ({ ...part, rows: this.rowsFor([part.model]) }));
    // The answer does not report which share the separately priced kinds belong to; they are added to the largest
    // share.
    if (rest.input + rest.output > 0) shares.push({ model: '', usage: rest, rows });
    const largest = shares.reduce((best, one) => (sizeOf(one) > sizeOf(best) ? one : best));
    const units = shares.map((share) => {
      const kinds = share === largest ? extras : NO_EXTRAS;
      return this.rates.units(share.rows, share.usage, reported, extras && (share.extras ?? kinds));
    });
    const model = this.highestPricedModel(distinct(shares.flatMap((share) => share.rows)));
    return {
      model,
      units: this.held.map((_, charge) => units.reduce((sum, one) => sum + (one[charge] ?? 0), 0)),
    };
  }

  private rowsFor(models: Iterable<string>): readonly number[] {
    const rows: number[] = [];
    for (const name of models) {
      const row = this.rates.answered(name, this.named);
      if (row === undefined) rows.push(...this.namedRows);
      else rows.push(row);
    }
    return rows.length === 0 ? this.namedRows : distinct(rows);
  }

  /** The model name that the usage history records. */
  private highestPricedModel(rows: readonly number[]): string {
    const models = rows.map((row) => this.rates.row(row));
    return models.reduce((best, one) => (Number(one.multiplier) > Number(best.multiplier) ? one : best))
      .match;
  }
}

/** A share that reports its own kinds is not chosen to receive the others. */
function sizeOf({ usage, extras }: UsagePart): number {
  return extras === undefined ? usage.input + usage.output : -1;
}

function distinct(rows: readonly number[]): readonly number[] {
  return rows.length < 2 ? rows : [...new Set(rows)];
}

/** Returns undefined if the part is larger than the whole. */
function without(all: Usage, part: Usage): Usage | undefined {
  const rest = {
    input: all.input - part.input,
    cachedInput: all.cachedInput - part.cachedInput,
    cacheWrite: all.cacheWrite - part.cacheWrite,
    output: all.output - part.output,
    reasoning: Math.max(0, all.reasoning - part.reasoning),
  };
  return Object.values(rest).some((tokens) => tokens < 0) ? undefined : rest;
}

export function plus(a: Usage, b: Usage): Usage {
  return {
    input: a.input + b.input,
    cachedInput: a.cachedInput + b.cachedInput,
    cacheWrite: a.cacheWrite + b.cacheWrite,
    output: a.output + b.output,
    reasoning: a.reasoning + b.reasoning,
  };
}
