/** Sets the plan of a quota, now or from the next cycle, and says before whom it would block. */
import { api, dataOf } from '../../api/client.js';
import { refresh } from '../../api/query.js';
import { quotaName, typedNumber } from '../../format/amounts.js';
import { timeAt } from '../../format/dates.js';
import { SelectField, TextField } from '../../forms/field.js';
import { FormDialog } from '../../forms/form-dialog.js';
import { ReasonField } from '../../forms/reason-field.js';
import { type Form, useForm } from '../../forms/use-form.js';
import { texts } from '../../i18n/index.js';
import { type QuotaOverview, useOrg } from '../../state/org.js';
import { toast } from '../../ui/toasts.js';
import { bodyOf, MODES, PLAN_PATH, type PlanValues, valuesOf } from './plan.js';
import { PlanPreviewNote, usePlanPreview } from './plan-preview.js';

interface PlanDialogProps {
  /** Left out: a plan for a quota that has none. */
  readonly quota?: QuotaOverview;
  readonly onClose: () => void;
}

export function PlanDialog({ quota, onClose }: PlanDialogProps) {
  const { settings, common } = texts.value;
  const { planDialog: text } = settings;
  const form = usePlanForm({ onClose, ...(quota === undefined ? {} : { quota }) });
  const preview = usePlanPreview(quota, form.values);
  const isBlocking = preview !== undefined && (preview.wouldBlock || preview.limitsBlocked.count > 0);
  return (
    <FormDialog
      form={form}
      title={quota === undefined ? text.addTitle : text.title(quotaName(quota.quota))}
      act={isBlocking ? text.submitBlocking : text.submit}
      kind={isBlocking ? 'danger' : 'primary'}
      onClose={onClose}
      labels={{
        allowance: text.allowance,
        mode: text.mode,
        begins: text.begins,
        reason: common.reason,
      }}
    >
      <PlanFields form={form} quota={quota} />
      {preview !== undefined && quota !== undefined && (
        <PlanPreviewNote preview={preview} unit={quota.unit} begins={form.values.begins} />
      )}
    </FormDialog>
  );
}

interface PlanFieldsProps {
  readonly form: Form<PlanValues>;
  readonly quota: QuotaOverview | undefined;
}

function PlanFields({ form, quota }: PlanFieldsProps) {
  const { cycle, withoutPlan } = useOrg();
  const { settings } = texts.value;
  const { planDialog: text, plans } = settings;
  const mode = MODES.find((one) => one === form.values.mode) ?? 'hard';
  const unit = (quota ?? withoutPlan.find((one) => one.quota === form.values.quota))?.unit;
  return (
    <>
      {quota === undefined && (
        <SelectField
          form={form}
          name="quota"
          label={text.quota}
          help={text.quotaHelp}
          options={withoutPlan.map((one) => ({ value: one.quota, label: quotaName(one.quota) }))}
        />
      )}
      <TextField
        form={form}
        name="allowance"
        label={text.allowance}
        help={text.allowanceHelp}
        unit={unit}
        input={{ inputMode: 'decimal' }}
      />
      <SelectField
        form={form}
        name="mode"
        label={text.mode}
        help={plans.modes[mode].means}
        options={MODES.map((value) => ({ value, label: plans.modes[value].name }))}
      />
      {quota !== undefined && (
        <SelectField
          form={form}
          name="begins"
          label={text.begins}
          options={[
            { value: 'now', label: text.now },
            { value: 'next-cycle', label: text.nextCycle(timeAt(cycle.end, cycle.timeZone)) },
          ]}
        />
      )}
      <ReasonField form={form} />
    </>
  );
}

function usePlanForm({ quota, onClose }: PlanDialogProps): Form<PlanValues> {
  const { id: org, withoutPlan } = useOrg();
  const { planDialog: text, done } = texts.value.settings;
  return useForm<PlanValues>({
    initial: { ...valuesOf(quota), quota: quota?.quota ?? withoutPlan[0]?.quota ?? '' },
    draft: `plan ${org} ${quota?.quota ?? ''}`,
    ...(quota === undefined
      ? {}
      : {
          etag: quota.etag,
          reload: async () => {
            const path = { org, quota: quota.quota };
            const now = await dataOf(api.GET(PLAN_PATH, { params: { path } }));
            return { values: valuesOf(now), etag: now.etag };
          },
        }),
    check: (values) => ({
      ...((typedNumber(values.allowance) ?? -1) >= 0 ? {} : { allowance: text.allowanceMissing }),
    }),
    save: async (values, etag) => {
      const header = etag === undefined ? {} : { 'If-Match': etag };
      const path = { org, quota: values.quota };
      await dataOf(api.PUT(PLAN_PATH, { params: { path, header }, body: bodyOf(values) }));
      await refresh('directory', 'consumption');
      toast(values.begins === 'now' ? done.planSet : done.planPlanned);
      onClose();
    },
  });
}
