/** A plan as a form has it, and as the API gets it. */
import { typedNumber } from '../../format/amounts.js';
import type { QuotaOverview } from '../../state/org.js';

export const MODES = ['hard', 'soft', 'shadow'] as const;
const BEGINS = ['now', 'next-cycle'] as const;
export const PLAN_PATH = '/v1/orgs/{org}/plans/{quota}';

export type PlanValues = Record<'quota' | 'allowance' | 'mode' | 'begins' | 'reason', string>;

export function valuesOf(quota: Pick<QuotaOverview, 'quota' | 'allowance' | 'mode'> | undefined): PlanValues {
  return {
    quota: quota?.quota ?? '',
    allowance: quota === undefined ? '' : String(quota.allowance),
    mode: quota?.mode ?? 'hard',
    begins: 'now',
    reason: '',
  };
}

export function bodyOf({ allowance, mode, begins, reason }: PlanValues) {
  return {
    allowance: typedNumber(allowance) ?? 0,
    mode: MODES.find((one) => one === mode) ?? 'hard',
    begins: BEGINS.find((one) => one === begins) ?? 'now',
    ...(reason.trim() === '' ? {} : { reason: reason.trim() }),
  };
}
