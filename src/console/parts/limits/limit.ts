/** A limit as it is read and written by the dialogs. */
import { api, dataOf, type Schemas } from '../../api/client.js';
import type { Subject } from '../../api/subjects.js';
import { nameOf } from '../../api/subjects.js';
import { amount, exactPercent, typedNumber } from '../../format/amounts.js';
import { type Overview, useOrg } from '../../state/org.js';

export type Limit = Schemas['Limit'];
export type Preview = Schemas['LimitPreview'];

function unitOf({ quotas }: Overview, quota: string): string {
  return quotas.find((one) => one.quota === quota)?.unit ?? '';
}

export function useUnit(quota: string): string {
  return unitOf(useOrg(), quota);
}

/** A limit without its figures. */
export interface CapInWords {
  readonly cap?: number | null;
  readonly percent?: number | null;
}

/** `1,000 units`, or `20 % (1,000 units)` for a percent of the pool. */
export function capText({ cap, percent }: CapInWords, unit: string): string {
  const units = amount(cap ?? 0, unit);
  return percent == null ? units : `${exactPercent(percent)} (${units})`;
}

/** The fields of the dialog that sets or changes a limit. */
export type LimitValues = Record<'scope' | 'id' | 'name' | 'amount' | 'unit' | 'shadow' | 'reason', string>;

export const NEW_LIMIT: LimitValues = {
  scope: '',
  id: '',
  name: '',
  amount: '',
  unit: 'units',
  shadow: '',
  reason: '',
};

export function valuesOf({ subject, units, percent, shadow }: Limit): LimitValues {
  return {
    scope: subject.scope,
    id: subject.id,
    name: nameOf(subject),
    amount: String(percent ?? units ?? ''),
    unit: percent === undefined ? 'units' : 'percent',
    shadow: shadow ? 'yes' : '',
    reason: '',
  };
}

export function subjectOf({ scope, id, name }: LimitValues): Subject | undefined {
  return scope === 'user' || scope === 'group' ? { scope, id, name } : undefined;
}

/** What is written of a limit; undefined while the amount is not a number above 0. */
export function capOf({ amount: text, unit, shadow, reason }: LimitValues) {
  const number = typedNumber(text);
  if (number === undefined || number <= 0) return undefined;
  return {
    ...(unit === 'percent' ? { percent: number } : { units: number }),
    shadow: shadow === 'yes',
    ...(reason.trim() === '' ? {} : { reason: reason.trim() }),
  };
}

interface LimitPlace {
  readonly org: string;
  readonly quota: string;
  /** The limit that is changed; undefined for a new one. */
  readonly limit: string | undefined;
}

/** Writes a new or changed limit, or asks what that would do. */
export function writeLimit(
  { org, quota, limit }: LimitPlace,
  values: LimitValues,
  options: { readonly dryRun: boolean; readonly etag?: string | undefined },
) {
  const { dryRun, etag } = options;
  const cap = capOf(values) ?? {};
  const query = dryRun ? { dryRun } : {};
  const header = etag === undefined ? {} : { 'If-Match': etag };
  if (limit === undefined) {
    const body = { quota, [values.scope]: values.id, ...cap };
    return api.POST('/v1/orgs/{org}/limits', { params: { path: { org }, query }, body });
  }
  const params = { path: { org, limit }, query, header };
  return api.PATCH('/v1/orgs/{org}/limits/{limit}', { params, body: cap });
}

export function readLimit(org: string, limit: string): Promise<Limit> {
  return dataOf(api.GET('/v1/orgs/{org}/limits/{limit}', { params: { path: { org, limit } } }));
}
