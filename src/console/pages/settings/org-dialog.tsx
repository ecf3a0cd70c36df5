/** Changes name, seats and cycle of the org. */
import { api, dataOf } from '../../api/client.js';
import { refresh } from '../../api/query.js';
import { typedNumber } from '../../format/amounts.js';
import { SelectField, TextField } from '../../forms/field.js';
import { FormDialog } from '../../forms/form-dialog.js';
import { ReasonField } from '../../forms/reason-field.js';
import { type Form, useForm } from '../../forms/use-form.js';
import { texts } from '../../i18n/index.js';
import { Banner } from '../../ui/banner.js';
import { toast } from '../../ui/toasts.js';
import type { Org } from './settings-page.js';

const EVERY = ['hour', 'day', 'week', 'month', 'year'] as const;
type Every = (typeof EVERY)[number];

type OrgValues = Record<'name' | 'seats' | 'every' | 'anchor' | 'timeZone' | 'reason', string>;

function valuesOf({ name, seats, cycle }: Org): OrgValues {
  return {
    name,
    seats: seats === null ? '' : String(seats),
    every: cycle.every,
    anchor: String(cycle.anchor),
    timeZone: cycle.timeZone,
    reason: '',
  };
}

/** Where a cycle of another length begins if nothing else is chosen. */
const ANCHORS: Readonly<Record<Every, number>> = { hour: 0, day: 0, week: 1, month: 1, year: 101 };

const everyIn = (text: string): Every => EVERY.find((one) => one === text) ?? 'month';
const isWhole = (text: string): boolean => Number.isInteger(typedNumber(text));

interface OrgDialogProps {
  readonly org: Org;
  readonly onClose: () => void;
}

export function OrgDialog({ org, onClose }: OrgDialogProps) {
  const { settings, common } = texts.value;
  const { org: text, orgDialog } = settings;
  const form = useOrgForm({ org, onClose });
  const { every, anchor, timeZone } = form.values;
  const { cycle } = org;
  const isOtherCycle =
    every !== cycle.every || anchor !== String(cycle.anchor) || timeZone !== cycle.timeZone;
  return (
    <FormDialog
      form={form}
      title={orgDialog.title}
      act={common.save}
      onClose={onClose}
      labels={{
        name: text.name,
        seats: text.seats,
        every: orgDialog.every,
        anchor: orgDialog.anchors[everyIn(every)],
        timeZone: text.timeZone,
        reason: common.reason,
      }}
    >
      <TextField form={form} name="name" label={text.name} input={{ maxLength: 128 }} />
      <TextField
        form={form}
        name="seats"
        label={text.seats}
        help={orgDialog.seatsHelp(org.seatsUsed)}
        input={{ inputMode: 'numeric' }}
      />
      <CycleFields form={form} cycle={cycle} />
      {isOtherCycle && <Banner tone="info">{orgDialog.cycleNote}</Banner>}
      <ReasonField form={form} />
    </FormDialog>
  );
}

interface CycleFieldsProps {
  readonly form: Form<OrgValues>;
  /** As it is now. */
  readonly cycle: Org['cycle'];
}

function CycleFields({ form, cycle }: CycleFieldsProps) {
  const { org: text, orgDialog } = texts.value.settings;
  return (
    <>
      <SelectField
        form={form}
        name="every"
        label={orgDialog.every}
        options={EVERY.map((value) => ({ value, label: orgDialog.everyNames[value] }))}
        follows={(every) => ({
          anchor: String(every === cycle.every ? cycle.anchor : ANCHORS[everyIn(every)]),
        })}
      />
      <TextField
        form={form}
        name="anchor"
        label={orgDialog.anchors[everyIn(form.values.every)]}
        input={{ inputMode: 'numeric' }}
      />
      <TextField
        form={form}
        name="timeZone"
        label={text.timeZone}
        help={orgDialog.timeZoneHelp}
        input={{ maxLength: 64, list: 'time-zones' }}
      />
      <datalist id="time-zones">
        {Intl.supportedValuesOf('timeZone').map((zone) => (
          <option key={zone} value={zone} />
        ))}
      </datalist>
    </>
  );
}

function useOrgForm({ org, onClose }: OrgDialogProps): Form<OrgValues> {
  const { orgDialog: text, done } = texts.value.settings;
  const path = { org: org.id };
  return useForm<OrgValues>({
    initial: valuesOf(org),
    draft: `org ${org.id}`,
    etag: org.etag,
    fields: { 'cycle/every': 'every', 'cycle/anchor': 'anchor', 'cycle/timeZone': 'timeZone' },
    reload: async () => {
      const now = await dataOf(api.GET('/v1/orgs/{org}', { params: { path } }));
      return { values: valuesOf(now), etag: now.etag };
    },
    check: ({ name, seats, anchor }) => ({
      ...(name.trim() === '' ? { name: text.nameMissing } : {}),
      ...(seats.trim() === '' || isWhole(seats) ? {} : { seats: text.numberMissing }),
      ...(isWhole(anchor) ? {} : { anchor: text.numberMissing }),
    }),
    save: async (values, etag) => {
      const header = etag === undefined ? {} : { 'If-Match': etag };
      await dataOf(api.PUT('/v1/orgs/{org}', { params: { path, header }, body: bodyOf(values) }));
      await refresh('directory');
      toast(done.saved);
      onClose();
    },
  });
}

function bodyOf({ name, seats, every, anchor, timeZone, reason }: OrgValues) {
  return {
    name: name.trim(),
    seats: seats.trim() === '' ? null : (typedNumber(seats) ?? null),
    cycle: { every: everyIn(every), anchor: typedNumber(anchor) ?? 0, timeZone: timeZone.trim() },
    ...(reason.trim() === '' ? {} : { reason: reason.trim() }),
  };
}
