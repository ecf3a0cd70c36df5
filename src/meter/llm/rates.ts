/** What a request costs whichever of its models answers, and what the answer cost. */
import type { Usage } from '../../quota/tokens.js';
import { type AnswerBook, answerBook, type ModelBook, modelBook, type NamedModel, rowsOf } from './models.js';
import { dearest, Price, type Pricing } from './price.js';
import type { LlmSpec, Model, Models } from './spec.js';

type QuotaDecimals = Readonly<Record<string, { readonly decimals: number }>>;

/** Tokens of one model among those of an answer. */
export interface Part {
  readonly model: string;
  readonly usage: Usage;
}

/** By charge. */
type Prices = readonly Pricing[];

/** All rows, with a price for each charge of a route. */
export class Rates {
  private readonly rows: readonly Model[];
  private readonly byName: ModelBook;
  private readonly byAnswer: AnswerBook;
  private readonly prices: readonly Prices[];

  constructor(specs: readonly LlmSpec[], quotas: QuotaDecimals, models: Models) {
    this.rows = rowsOf(models);
    this.byName = modelBook(models);
    this.byAnswer = answerBook(models);
    this.prices = this.rows.map(({ multiplier }) =>
      specs.map((spec) => new Price(spec, quotas[spec.quota]?.decimals ?? 0, multiplier)),
    );
  }

  /** Throws ProblemError `model-unknown` for a name that is not listed. */
  of(names: readonly string[]): RequestRates {
    const named = names.map((name) => ({ name, row: this.byName(name) }));
    return new RequestRates(this, named);
  }

  row(index: number): Model {
    return this.rows[index] as Model;
  }

  /** By charge, of whichever of the rows is the dearest. */
  pricesOf(rows: readonly number[]): Prices {
    const all = rows.map((row) => this.prices[row] as Prices);
    const [first = []] = all;
    if (all.length <= 1) return first;
    return first.map((_, charge) => dearest(all.map((prices) => prices[charge] as Pricing)));
  }

  answered(name: string, named: readonly NamedModel[]): number | undefined {
    return this.byAnswer(name, named);
  }
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
  ) {
    this.namedRows = distinct(named.map(({ row }) => row));
    this.held = rates.pricesOf(this.namedRows);
    this.maxOutputTokens = Math.max(...this.namedRows.map((row) => rates.row(row).maxOutputTokens));
  }

  /** @param models as the answer names them; those that are not listed cost as much as the dearest of the request */
  charged(usage: Usage, models: Iterable<string>): Charged {
    const rows = this.rowsFor(models);
    const units = this.rates.pricesOf(rows).map((price) => price.units(usage));
    return { model: this.dearestOf(rows), units };
  }

  /** The same where the answer says which model took which part; the rest is for `models`. */
  chargedByParts(usage: Usage, models: Iterable<string>, parts: readonly Part[]): Charged {
    const rest = parts.reduce<Usage | undefined>((left, part) => left && without(left, part.usage), usage);
    if (parts.length === 0 || rest === undefined) return this.charged(usage, models);
    const shares = parts.map((part) => ({ rows: this.rowsFor([part.model]), usage: part.usage }));
    if (rest.input + rest.output > 0) shares.push({ rows: this.rowsFor(models), usage: rest });
    const totals = new Map<string, { rows: readonly number[]; usage: Usage }>();
    for (const share of shares) {
      const key = share.rows.join();
      const known = totals.get(key);
      totals.set(key, known === undefined ? share : { ...known, usage: plus(known.usage, share.usage) });
    }
    const sums = this.held.map((_, charge) =>
      [...totals.values()].reduce(
        (sum, one) => sum + (this.rates.pricesOf(one.rows)[charge]?.units(one.usage) ?? 0),
        0,
      ),
    );
    return { model: this.dearestOf(distinct(shares.flatMap(({ rows }) => rows))), units: sums };
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

function plus(a: Usage, b: Usage): Usage {
  return {
    input: a.input + b.input,
    cachedInput: a.cachedInput + b.cachedInput,
    cacheWrite: a.cacheWrite + b.cacheWrite,
    output: a.output + b.output,
    reasoning: a.reasoning + b.reasoning,
  };
}
