/** What a request costs whichever of its models answers, and what the answer cost. */
import type { Usage } from '../../quota/tokens.js';
import type { Facts } from './facts.js';
import {
  type AnswerBook,
  answerBook,
  type ModelTable,
  modelTable,
  type NamedModel,
  rowsOf,
} from './models.js';
import { dearest, type Extras, NO_EXTRAS, type Pricing } from './price.js';
import { type Asked, hasClasses, type Reported, RowPrices } from './row-prices.js';
import type { LlmSpec, Model, Models } from './spec.js';

type QuotaDecimals = Readonly<Record<string, { readonly decimals: number }>>;

/** Tokens of one model among those of an answer. */
export interface Part {
  /** '' where it is not reported. */
  readonly model: string;
  readonly usage: Usage;
  /** Left out: none, or those of the whole answer. */
  readonly extras?: Extras;
}

/** By charge. */
type Prices = readonly Pricing[];

/** All rows, with a price for each charge of a route. */
export class Rates {
  /** Some price depends on more than the number of tokens. */
  readonly hasClasses: boolean;
  /** Tools that cost by the call. */
  readonly tools: readonly string[];
  private readonly rows: readonly RowPrices[];
  private readonly byName: ModelTable;
  private readonly byAnswer: AnswerBook;

  constructor(
    specs: readonly LlmSpec[],
    quotas: QuotaDecimals,
    models: Models,
    private readonly bytesPerToken: number,
  ) {
    const rows = rowsOf(models);
    this.rows = rows.map((model) => new RowPrices(specs, quotas, model));
    this.hasClasses = hasClasses(specs, rows);
    this.tools = [...new Set(rows.flatMap(({ calls = {} }) => Object.keys(calls)))];
    this.byName = modelTable(models);
    this.byAnswer = answerBook(models);
  }

  /** @param asked left out where no price depends on it. Throws ProblemError `model-unknown` for a name that is not listed. */
  of(names: readonly string[], asked: Asked | undefined): RequestRates {
    return new RequestRates(
      this,
      names.map((name) => ({ name, row: this.byName(name) })),
      asked,
    );
  }

  /** Any listed model may answer. */
  ofAny(asked: Asked | undefined): RequestRates {
    const named = this.rows.map(({ model }, row) => ({ name: model.match, row }));
    return new RequestRates(this, named, asked);
  }

  row(index: number): Model {
    return (this.rows[index] as RowPrices).model;
  }

  /** By charge: the most that a request for these rows can cost. */
  held(rows: readonly number[], asked: Asked | undefined): Prices {
    const all = rows.map((row) => this.rows[row] as RowPrices);
    const prices = all.map((row) =>
      asked === undefined ? row.plain : row.reachable(asked, this.bytesPerToken),
    );
    return byCharge(prices);
  }

  /** By charge, of whichever of the rows is the dearest. */
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
  return first.map((_, charge) => dearest(all.map((prices) => prices[charge] as Pricing)));
}

/** What tokens are charged to: by charge, with the row that says so. */
export interface Charged {
  readonly model: string;
  readonly units: readonly number[];
}

/** The rates of the models that one request names. */
export class RequestRates {
  /** By charge: what is held. */
  readonly held: Prices;
  /** The most output of an answer without a ceiling. */
  readonly maxOutputTokens: number;
  private readonly namedRows: readonly number[];

  constructor(
    private readonly rates: Rates,
    private readonly named: readonly NamedModel[],
    private readonly asked: Asked | undefined,
  ) {
    this.namedRows = distinct(named.map(({ row }) => row));
    this.held = rates.held(this.namedRows, asked);
    this.maxOutputTokens = Math.max(...this.namedRows.map((row) => rates.row(row).maxOutputTokens));
  }

  /** Some tool costs by the call. */
  get hasTools(): boolean {
    return this.rates.tools.length > 0;
  }

  /** A model that is not listed costs as much as the dearest of the request. */
  charged(usage: Usage, facts: Facts, parts: readonly Part[] = []): Charged {
    const reported: Reported = { tier: facts.tier, speed: facts.speed, asked: this.asked };
    const extras = this.asked === undefined ? undefined : facts;
    const rows = this.rowsFor(facts.models);
    const rest = parts.reduce<Usage | undefined>((left, part) => left && without(left, part.usage), usage);
    if (parts.length === 0 || rest === undefined)
      return { model: this.dearestOf(rows), units: this.rates.units(rows, usage, reported, extras) };
    const shares = parts.map((part) => ({ ...part, rows: this.rowsFor([part.model]) }));
    // Which of the others had the dearer kinds is not reported: they are taken for the largest's.
    if (rest.input + rest.output > 0) shares.push({ model: '', usage: rest, rows });
    const largest = shares.reduce((best, one) => (sizeOf(one) > sizeOf(best) ? one : best));
    const units = shares.map((share) => {
      const kinds = share === largest ? extras : NO_EXTRAS;
      return this.rates.units(share.rows, share.usage, reported, extras && (share.extras ?? kinds));
    });
    const model = this.dearestOf(distinct(shares.flatMap((share) => share.rows)));
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

  /** The name under which it stands in the history. */
  private dearestOf(rows: readonly number[]): string {
    const models = rows.map((row) => this.rates.row(row));
    return models.reduce((best, one) => (Number(one.multiplier) > Number(best.multiplier) ? one : best))
      .match;
  }
}

/** Parts with kinds of their own are none to be given more. */
function sizeOf({ usage, extras }: Part): number {
  return extras === undefined ? usage.input + usage.output : -1;
}

function distinct(rows: readonly number[]): readonly number[] {
  return rows.length < 2 ? rows : [...new Set(rows)];
}

/** Undefined where the part is larger than the whole. */
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
