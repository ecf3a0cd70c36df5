/**
 * Converts amounts between the API's form (decimal numbers, percentages) and integers. No other file of the admin API
 * does this.
 */
import { UNITS_MAX } from '../../quota/charge.js';
import { type Limit, PERCENT_WHOLE } from '../../quota/limit.js';
import { formatUnits, parseUnits, type QuotaDefinition, type Quotas } from '../../quota/units.js';
import { invalid } from './problems.js';

/** A percent has five decimals: ten-millionths of the whole. */
const PERCENT_DECIMALS = 5;

export type Amount = number | string;

export function definitionOf(quotas: Quotas, quota: string, field: string): QuotaDefinition {
  const definition = quotas.get(quota);
  if (definition === undefined) throw invalid(field, `quota ${quota} not found`);
  return definition;
}

/** Units ≥ 0 as their internal integer. */
export function unitsIn(amount: Amount, { decimals }: QuotaDefinition, field: string): number {
  const units = parseUnits(amount, decimals);
  if (units === undefined)
    throw invalid(field, `must be a number ≥ 0 with at most ${decimals} decimals, below ${UNITS_MAX}`);
  return units;
}

export function positiveUnitsIn(amount: Amount, definition: QuotaDefinition, field: string): number {
  const units = Number(amount) <= 0 ? 0 : unitsIn(amount, definition, field);
  if (units === 0) throw invalid(field, 'must be greater than zero');
  return units;
}

function percentIn(amount: Amount, field: string): number {
  const percent = Number(amount) <= 0 ? 0 : parseUnits(amount, PERCENT_DECIMALS);
  if (percent === 0) throw invalid(field, 'must be greater than zero');
  if (percent === undefined || percent > PERCENT_WHOLE)
    throw invalid(field, `must be at most 100, with at most ${PERCENT_DECIMALS} decimals`);
  return percent;
}

export function percentOut(percent: number): number {
  return formatUnits(percent, PERCENT_DECIMALS);
}

/** `part` of `whole` in percent with two decimals; 100 if the whole is 0. */
export function share(part: number, whole: number): number {
  if (whole <= 0) return part > 0 ? 100 : 0;
  return Math.round((part / whole) * 10_000) / 100;
}

export interface CapAmount {
  readonly units?: Amount;
  readonly percent?: Amount;
}

export interface CapContext {
  /** Shadow and raise are kept from this limit if not stated. */
  readonly before: Limit;
  readonly definition: QuotaDefinition;
  /** What error messages put before the names of the fields. */
  readonly at?: string;
}

/** The cap that a request or config states. */
export function capIn(stated: CapAmount, { before, definition, at = '' }: CapContext): Limit {
  if (stated.units !== undefined && stated.percent !== undefined)
    throw invalid(`${at}percent`, 'state units or percent, not both');
  if (stated.units !== undefined)
    return {
      ...before,
      units: positiveUnitsIn(stated.units, definition, `${at}units`),
      percent: 0,
      offset: 0,
    };
  if (stated.percent === undefined) return before;
  const percent = percentIn(stated.percent, `${at}percent`);
  // A distributed share that is set to its present value keeps its position.
  if (percent === before.percent) return before;
  return { ...before, units: 0, percent, offset: 0 };
}
