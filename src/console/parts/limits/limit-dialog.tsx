/** Sets a limit for a user or group, or changes one. Warns before a limit that blocks at once. */
import { useRef } from 'preact/hooks';
import { dataOf } from '../../api/client.js';
import { refresh } from '../../api/query.js';
import type { FoundSubject, Subject } from '../../api/subjects.js';
import { amount, quotaName } from '../../format/amounts.js';
import { CheckField, TextField } from '../../forms/field.js';
import { FormDialog } from '../../forms/form-dialog.js';
import { ReasonField } from '../../forms/reason-field.js';
import { SubjectField } from '../../forms/subject-field.js';
import { type Form, useForm } from '../../forms/use-form.js';
import { texts } from '../../i18n/index.js';
import { useOrg } from '../../state/org.js';
import { toast } from '../../ui/toasts.js';
import {
  capOf,
  capText,
  type Limit,
  type LimitValues,
  NEW_LIMIT,
  readLimit,
  subjectOf,
  useUnit,
  valuesOf,
  writeLimit,
} from './limit.js';
import { PreviewNote, useLimitPreview } from './limit-preview.js';

interface LimitDialogProps {
  readonly quota: string;
  /** The limit to change; left out: a new one is set. */
  readonly limit?: Limit;
  /** Who gets the new one; left out: it is asked. */
  readonly subject?: Subject;
  readonly onClose: () => void;
}

export function LimitDialog(props: LimitDialogProps) {
  const { quota, limit, onClose } = props;
  const { dialog } = texts.value.limits;
  const form = useLimitForm(props);
  const { state, previewed } = form;
  const { preview } = previewed;
  const willBlock = preview?.wouldBlock === true && state.values.shadow !== 'yes';
  return (
    <FormDialog
      form={state}
      title={
        limit === undefined
          ? dialog.title(quotaName(quota))
          : dialog.editTitle(state.values.name, quotaName(quota))
      }
      act={
        willBlock
          ? dialog.submitBlocking(preview.usersBlocked.count)
          : limit === undefined
            ? dialog.submit
            : dialog.save
      }
      kind={willBlock ? 'danger' : 'primary'}
      onClose={onClose}
      labels={{
        amount: dialog.amount,
        unit: dialog.unitOfAmount,
        shadow: dialog.shadow,
        reason: texts.value.common.reason,
      }}
    >
      {limit === undefined && <LimitSubject form={state} quota={quota} />}
      <AmountField form={state} quota={quota} />
      <CheckField form={state} name="shadow" label={dialog.shadow} />
      <ReasonField form={state} />
      <PreviewNote quota={quota} limit={limit?.id} values={state.values} state={previewed} />
    </FormDialog>
  );
}

function useLimitForm({ quota, limit, subject, onClose }: LimitDialogProps) {
  const { id: org } = useOrg();
  const unit = useUnit(quota);
  const { dialog, done } = texts.value.limits;
  const place = { org, quota, limit: limit?.id };
  // The preview is that of the present values, which the form has: it is set below, before anyone can submit.
  const previewing = useRef<ReturnType<typeof useLimitPreview> | undefined>(undefined);
  const state = useForm<LimitValues>({
    initial: limit === undefined ? { ...NEW_LIMIT, ...subject } : valuesOf(limit),
    fields: { units: 'amount', percent: 'amount', user: 'id', group: 'id' },
    draft: `limit ${org} ${limit?.id ?? quota} ${subject?.id ?? ''}`,
    check: (values) => ({
      ...(limit === undefined && values.id === '' ? { id: dialog.subjectMissing } : {}),
      ...(capOf(values) === undefined ? { amount: dialog.amountMissing } : {}),
    }),
    save: async (values, etag) => {
      // Nobody is blocked by a warning that could not be seen: it is shown first, and the next submit saves.
      const { preview, ask } = previewing.current ?? {};
      if (preview === undefined && values.shadow !== 'yes' && (await ask?.())?.wouldBlock) return false;
      const written = (await dataOf(writeLimit(place, values, { dryRun: false, etag }))) as Limit;
      await refresh('directory', 'consumption');
      toast(done.set(values.name, capText(written, unit)));
      onClose();
      return undefined;
    },
    ...(limit === undefined
      ? {}
      : {
          etag: limit.etag,
          reload: async () => {
            const now = await readLimit(org, limit.id);
            return { values: { ...valuesOf(now), reason: '' }, etag: now.etag };
          },
        }),
  });
  previewing.current = useLimitPreview({ quota, limit: limit?.id, values: state.values });
  return { state, previewed: previewing.current };
}

interface LimitFieldProps {
  readonly form: Form<LimitValues>;
  readonly quota: string;
}

function LimitSubject({ form, quota }: LimitFieldProps) {
  const { dialog } = texts.value.limits;
  const unit = useUnit(quota);
  const refused = (found: FoundSubject): string | undefined => {
    const present = found.quotas[quota];
    return present?.limit == null ? undefined : dialog.has(capText(present, unit));
  };
  return (
    <SubjectField
      label={dialog.subject}
      help={dialog.subjectHelp}
      error={form.errors.id}
      subject={subjectOf(form.values)}
      refused={refused}
      onChange={(subject) => form.set(subject ?? { scope: '', id: '', name: '' })}
    />
  );
}

function AmountField({ form, quota }: LimitFieldProps) {
  const { dialog } = texts.value.limits;
  const { quotas } = useOrg();
  const unit = useUnit(quota);
  const { values } = form;
  const pool = quotas.find((one) => one.quota === quota)?.pool ?? 0;
  const cap = values.unit === 'percent' ? capOf(values) : undefined;
  const percent = cap !== undefined && 'percent' in cap ? cap.percent : undefined;
  const units = percent === undefined ? undefined : amount(Math.floor((percent * pool) / 100), unit);
  return (
    <TextField
      form={form}
      name="amount"
      label={dialog.amount}
      help={units === undefined ? dialog.amountHelp : `${dialog.isPercent(units)} ${dialog.amountHelp}`}
      input={{ inputMode: 'decimal' }}
      unit={
        <select
          aria-label={dialog.unitOfAmount}
          value={values.unit}
          onChange={(event) => form.set({ unit: event.currentTarget.value })}
        >
          <option value="units">{unit}</option>
          <option value="percent">{dialog.percentOfPool}</option>
        </select>
      }
    />
  );
}
