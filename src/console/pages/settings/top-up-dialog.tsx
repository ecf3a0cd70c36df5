/** Adds units to the extra balance of a quota, and says before what changes. */
import { useRef } from 'preact/hooks';
import { api, dataOf } from '../../api/client.js';
import { refresh } from '../../api/query.js';
import { amount, quotaName, typedNumber } from '../../format/amounts.js';
import { TextField } from '../../forms/field.js';
import { FormDialog } from '../../forms/form-dialog.js';
import { ReasonField } from '../../forms/reason-field.js';
import { useForm } from '../../forms/use-form.js';
import { texts } from '../../i18n/index.js';
import { type QuotaOverview, useOrg } from '../../state/org.js';
import { Banner } from '../../ui/banner.js';
import { toast } from '../../ui/toasts.js';

interface TopUpDialogProps {
  readonly quota: QuotaOverview;
  readonly onClose: () => void;
}

export function TopUpDialog({ quota, onClose }: TopUpDialogProps) {
  const { id: org } = useOrg();
  const { settings } = texts.value;
  const { topUpDialog: text, done } = settings;
  const { unit } = quota;
  const keyFor = useIdempotencyKey();
  const form = useForm({
    initial: { units: '', reason: '' },
    draft: `top-up ${org} ${quota.quota}`,
    check: ({ units, reason }) => ({
      ...((typedNumber(units) ?? 0) > 0 ? {} : { units: text.unitsMissing }),
      ...(reason.trim() === '' ? { reason: text.reasonMissing } : {}),
    }),
    save: async ({ units: typed, reason }) => {
      const body = { units: typedNumber(typed) ?? 0, reason: reason.trim() };
      const params = {
        path: { org, quota: quota.quota },
        header: { 'Idempotency-Key': keyFor(JSON.stringify(body)) },
      };
      await dataOf(api.POST('/v1/orgs/{org}/plans/{quota}/extra', { params, body }));
      await refresh('directory', 'consumption');
      toast(done.toppedUp(amount(body.units, unit), quotaName(quota.quota)));
      onClose();
    },
  });
  const units = typedNumber(form.values.units) ?? 0;
  return (
    <FormDialog
      form={form}
      title={text.title(quotaName(quota.quota))}
      act={units > 0 ? text.submit(amount(units, unit)) : text.submitEmpty}
      onClose={onClose}
      labels={{}}
    >
      <TextField form={form} name="units" label={text.units} unit={unit} input={{ inputMode: 'decimal' }} />
      <ReasonField form={form} required help={text.reasonHelp} />
      <Outcome quota={quota} units={units} />
    </FormDialog>
  );
}

/** The same for the same body: a repetition after a lost answer adds nothing. */
function useIdempotencyKey(): (body: string) => string {
  const last = useRef({ body: '', key: '' });
  return (body) => {
    if (last.current.body !== body) last.current = { body, key: crypto.randomUUID() };
    return last.current.key;
  };
}

function Outcome({ quota, units }: { readonly quota: QuotaOverview; readonly units: number }) {
  const { topUpDialog: text, plans } = texts.value.settings;
  if (units <= 0) return null;
  const { unit, extraLeft, pool, consumed, held } = quota;
  const left = (of: number): string => amount(Math.max(0, of - consumed - held), unit);
  const rows = [
    [plans.columns.extra, amount(extraLeft, unit), amount(extraLeft + units, unit)],
    [text.pool, amount(pool, unit), amount(pool + units, unit)],
    [plans.columns.left, left(pool), left(pool + units)],
  ] as const;
  return (
    <>
      <table class="table outcome">
        <caption class="visually-hidden">{text.outcome}</caption>
        <thead>
          <tr>
            <th scope="col">{text.what}</th>
            <th scope="col" class="numeric">
              {text.now}
            </th>
            <th scope="col" class="numeric">
              {text.after}
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map(([label, now, then]) => (
            <tr key={label}>
              <td data-label={text.what}>{label}</td>
              <td data-label={text.now} class="numeric">
                {now}
              </td>
              <td data-label={text.after} class="numeric">
                <strong>{then}</strong>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <Banner tone="info">{text.note}</Banner>
    </>
  );
}
