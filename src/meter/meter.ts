/** What may it cost: a route's charges, compiled at boot and priced per request. */
import { ProblemError } from '../errors/catalogue.js';
import { CHARGES_MAX, type ChargeItem, type Charges, charges, UNITS_MAX } from '../quota/charge.js';
import { isName } from '../quota/id.js';
import { parseUnits } from '../quota/units.js';
import { unitsOfNumber } from './amount.js';
import { type AnswerMeter, type AnswerSpec, compileAnswer } from './answer.js';
import { costHeader } from './cost-header.js';
import type { Ask } from './json-paths.js';
import { jsonReader } from './json-reader.js';

/** One charge of a route: a quota, and where its cost comes from. */
export type MeterSpec = RequestSpec | AnswerSpec;

type RequestSpec =
  | { readonly quota: string; readonly gate: true }
  | { readonly quota: string; readonly units: number | string }
  | { readonly quota: string; readonly header: string }
  | { readonly quota: string; readonly json: string }
  | { readonly quota: string; readonly jsonLength: string };

export interface MeteredRoute {
  readonly action: string;
  readonly charges: readonly MeterSpec[];
  /** What `readBody` is to read at most, where a charge needs the body. */
  readonly bodyLimitBytes: number;
}

export interface RouteMeter {
  /** The charges, where they are the same for every request. */
  readonly fixed: Charges | undefined;
  readonly needsBody: boolean;
  readonly bodyLimitBytes: number;
  /** For costs that only the answer tells; their estimates are among the charges, as held items. */
  readonly answer: AnswerMeter | undefined;
  /** Prices one request. Throws ProblemError: what has no usable cost is refused, never taken as 0. */
  measure(rawHeaders: readonly string[], body: Buffer | undefined): Charges;
}

export type QuotaDecimals = Readonly<Record<string, { readonly decimals: number }>>;

/** The answers of the JSON reader, one per ask. */
type Answers = readonly (string | number | undefined)[];

/** Prices one charge of a request. */
type Pricer = (rawHeaders: readonly string[], answers: Answers) => ChargeItem;

const NO_ANSWERS: Answers = [];

/** Throws an Error for a route that no request could be priced by. */
export function compileMeter(route: MeteredRoute, quotas: QuotaDecimals): RouteMeter {
  const { action, bodyLimitBytes } = route;
  if (!isName(action)) throw new Error(`action ${action} is not a valid id`);
  if (route.charges.length > CHARGES_MAX) throw new Error(`${action} has more than ${CHARGES_MAX} charges`);
  const asks: Ask[] = [];
  for (const spec of route.charges) decimalsOf(spec, quotas);
  const answer = compileAnswer(route.charges.filter(isAnswerSpec), quotas);
  refuseShared(route);
  const before = route.charges.filter((spec): spec is RequestSpec => !isAnswerSpec(spec));
  const priced = before.map((spec) => compileSpec(spec, decimalsOf(spec, quotas), asks));
  const pricers = [...priced, ...(answer?.items ?? [])];
  const fixedItems = pricers.filter((one) => typeof one !== 'function');
  if (fixedItems.length === pricers.length) {
    const fixed = charges(action, fixedItems);
    if (!fitsUnits(fixed)) throw new Error(`${action} costs more than ${UNITS_MAX} units`);
    return { fixed, needsBody: false, bodyLimitBytes, answer, measure: () => fixed };
  }
  const read = asks.length === 0 ? undefined : jsonReader(asks);
  return {
    fixed: undefined,
    needsBody: read !== undefined,
    bodyLimitBytes,
    answer,
    measure(rawHeaders, body) {
      const answers = read === undefined ? NO_ANSWERS : read(body ?? Buffer.alloc(0));
      const items = pricers.map((one) => (typeof one === 'function' ? one(rawHeaders, answers) : one));
      const cost = charges(action, items);
      if (!fitsUnits(cost)) throw invalid(`The request costs more than can be counted.`);
      return cost;
    },
  };
}

function isAnswerSpec(spec: MeterSpec): spec is AnswerSpec {
  return 'hold' in spec;
}

/** A cost that is settled later is the only one of its quota: of a sum, nothing could be settled apart. */
function refuseShared({ action, charges: specs }: MeteredRoute): void {
  for (const spec of specs) {
    const others = specs.filter((other) => other.quota === spec.quota && !('gate' in other));
    if (isAnswerSpec(spec) && others.length > 1)
      throw new Error(
        `${action}: the cost of ${spec.quota} is in the answer, so it can have no other charge`,
      );
  }
}

function decimalsOf(spec: MeterSpec, quotas: QuotaDecimals): number {
  const quota = Object.hasOwn(quotas, spec.quota) ? quotas[spec.quota] : undefined;
  if (quota === undefined) throw new Error(`quota ${spec.quota} is not defined`);
  return quota.decimals;
}

/** Charges on one quota add up, so the sum is what must fit. */
function fitsUnits({ items }: Charges): boolean {
  return items.every((item) => item.units <= UNITS_MAX);
}

function compileSpec(spec: RequestSpec, decimals: number, asks: Ask[]): ChargeItem | Pricer {
  const { quota } = spec;
  if ('gate' in spec) return { quota, units: 0, kind: 'gate' };
  if ('units' in spec) {
    const units = parseUnits(spec.units, decimals);
    if (units === undefined) throw new Error(`${spec.units} is not an amount of ${quota}`);
    return { quota, units, kind: 'fixed' };
  }
  if ('header' in spec) return headerPricer(quota, spec.header.toLowerCase(), decimals);
  if ('json' in spec) return numberPricer(quota, spec.json, decimals, asks);
  return lengthPricer(quota, spec.jsonLength, decimals, asks);
}

function headerPricer(quota: string, name: string, decimals: number): Pricer {
  return (rawHeaders) => {
    const units = parseUnits(costHeader(rawHeaders, name), decimals);
    if (units === undefined) throw unusable(`header ${name}`, quota, decimals);
    return { quota, units, kind: 'fixed' };
  };
}

function numberPricer(quota: string, pointer: string, decimals: number, asks: Ask[]): Pricer {
  const slot = slotOf(asks, { pointer, want: 'number' });
  return (_rawHeaders, answers) => {
    const text = answers[slot];
    if (typeof text !== 'string') throw invalid(`The body has no number at "${pointer}".`);
    const units = unitsOfNumber(text, decimals);
    if (units === undefined) throw unusable(`body at "${pointer}"`, quota, decimals);
    return { quota, units, kind: 'fixed' };
  };
}

function lengthPricer(quota: string, pointer: string, decimals: number, asks: Ask[]): Pricer {
  const slot = slotOf(asks, { pointer, want: 'length' });
  return (_rawHeaders, answers) => {
    const length = answers[slot];
    if (typeof length !== 'number') throw invalid(`The body has no array at "${pointer}".`);
    const units = parseUnits(length, decimals);
    if (units === undefined) throw unusable(`body at "${pointer}"`, quota, decimals);
    return { quota, units, kind: 'fixed' };
  };
}

/** Two charges that are metered by the same place share its answer. */
function slotOf(asks: Ask[], ask: Ask): number {
  const known = asks.findIndex((one) => one.pointer === ask.pointer && one.want === ask.want);
  return known >= 0 ? known : asks.push(ask) - 1;
}

function unusable(where: string, quota: string, decimals: number): ProblemError {
  const form = decimals === 0 ? 'a whole number ≥ 0' : `a number ≥ 0 with at most ${decimals} decimals`;
  return invalid(`The cost in the ${where} must be ${form} that ${quota} can count.`);
}

function invalid(detail: string): ProblemError {
  return new ProblemError('cost-invalid', detail);
}
