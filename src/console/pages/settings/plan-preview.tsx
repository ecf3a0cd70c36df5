/** Whom a plan would block, asked while it is typed. */
import { api, type Schemas } from '../../api/client.js';
import { useQuery } from '../../api/query.js';
import { amount, typedNumber } from '../../format/amounts.js';
import { useSettled } from '../../forms/use-settled.js';
import { texts } from '../../i18n/index.js';
import { type QuotaOverview, useOrg } from '../../state/org.js';
import { Banner } from '../../ui/banner.js';
import { bodyOf, PLAN_PATH, type PlanValues } from './plan.js';

type Preview = Schemas['PlanPreview'];

/** What the typed plan would block; undefined until it is known, or where it changes nothing. */
export function usePlanPreview(quota: QuotaOverview | undefined, values: PlanValues): Preview | undefined {
  const { id: org } = useOrg();
  const body = bodyOf({ ...values, reason: '' });
  const isOther =
    quota !== undefined &&
    typedNumber(values.allowance) !== undefined &&
    (body.allowance !== quota.allowance || body.mode !== quota.mode);
  const key = isOther ? `${quota.quota} ${JSON.stringify(body)}` : undefined;
  const settled = useSettled(key);
  const { data, problem, loading } = useQuery({
    key: settled === undefined ? undefined : `plan-preview ${org} ${settled}`,
    kinds: ['directory', 'consumption'],
    read: (options) =>
      api.PUT(PLAN_PATH, {
        params: { path: { org, quota: quota?.quota ?? '' }, query: { dryRun: true } },
        body,
        ...options,
      }),
  });
  const isKnown = key !== undefined && key === settled && !loading && problem === undefined;
  return isKnown ? (data as Preview) : undefined;
}

interface PlanPreviewNoteProps {
  readonly preview: Preview;
  readonly unit: string;
  readonly begins: string;
}

export function PlanPreviewNote({ preview, unit, begins }: PlanPreviewNoteProps) {
  const { preview: text } = texts.value.settings;
  const { wouldBlock, consumed, cap, limitsBlocked } = preview;
  const pool = text.pool(amount(cap, unit));
  if (!wouldBlock && limitsBlocked.count === 0)
    return (
      <Banner tone="good">
        {pool} {begins === 'now' ? text.fine(amount(Math.max(0, cap - consumed), unit)) : text.fineLater}
      </Banner>
    );
  return (
    <Banner tone="warn" alert>
      {pool} {wouldBlock && <strong>{text.exhausted(amount(consumed), amount(cap, unit))}</strong>}{' '}
      {limitsBlocked.count > 0 && text.limits(limitsBlocked.count)}
    </Banner>
  );
}
