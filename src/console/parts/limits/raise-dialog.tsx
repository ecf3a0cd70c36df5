/** Raises a limit until a time. The raise ends by itself. */
import { api, dataOf } from '../../api/client.js';
import { refresh } from '../../api/query.js';
import { nameOf } from '../../api/subjects.js';
import { amount, quotaName, typedNumber } from '../../format/amounts.js';
import { instantOfWall, wallOfInstant } from '../../format/dates.js';
import { TextField } from '../../forms/field.js';
import { FormDialog } from '../../forms/form-dialog.js';
import { type Form, useForm } from '../../forms/use-form.js';
import { texts } from '../../i18n/index.js';
import { useOrg, useZone } from '../../state/org.js';
import { Banner } from '../../ui/banner.js';
import { toast } from '../../ui/toasts.js';
import { type Limit, readLimit, useUnit } from './limit.js';

interface RaiseDialogProps {
  readonly limit: Limit;
  readonly onClose: () => void;
}

type RaiseValues = Record<'units' | 'until' | 'reason', string>;

function valuesOf({ raise }: Limit, zone: string): RaiseValues {
  return {
    units: raise === undefined ? '' : String(raise.units),
    until: raise === undefined ? '' : wallOfInstant(raise.until, zone),
    reason: '',
  };
}

export function RaiseDialog({ limit, onClose }: RaiseDialogProps) {
  const { raiseDialog: text } = texts.value.limits;
  const unit = useUnit(limit.quota);
  const zone = useZone();
  const form = useRaiseForm(limit, onClose);
  return (
    <FormDialog
      form={form}
      title={text.title(nameOf(limit.subject), quotaName(limit.quota))}
      act={text.submit}
      onClose={onClose}
      labels={{ units: text.units, until: text.until, reason: texts.value.common.reason }}
    >
      <p class="muted">{text.now(amount(limit.cap, unit), amount(limit.consumed))}</p>
      <TextField form={form} name="units" label={text.units} unit={unit} input={{ inputMode: 'decimal' }} />
      <TextField
        form={form}
        name="until"
        label={text.until}
        help={text.untilHelp(zone)}
        input={{ type: 'datetime-local' }}
      />
      <Suggestions form={form} resetsAt={limit.resetsAt} />
      <TextField
        form={form}
        name="reason"
        label={texts.value.common.reason}
        help={texts.value.common.reasonHelp}
        input={{ maxLength: 500 }}
      />
      <Outcome limit={limit} units={form.values.units} />
    </FormDialog>
  );
}

function useRaiseForm(limit: Limit, onClose: () => void): Form<RaiseValues> {
  const { id: org } = useOrg();
  const zone = useZone();
  const { raiseDialog: text, done } = texts.value.limits;
  return useForm<RaiseValues>({
    initial: valuesOf(limit, zone),
    draft: `raise ${org} ${limit.id}`,
    check: ({ units, until, reason }) => ({
      ...((typedNumber(units) ?? 0) > 0 ? {} : { units: text.unitsMissing }),
      ...(Date.parse(instantOfWall(until, zone) ?? '') > Date.now() ? {} : { until: text.untilMissing }),
      ...(reason.trim() === '' ? { reason: text.reasonMissing } : {}),
    }),
    etag: limit.etag,
    save: async ({ units, until, reason }, etag) => {
      const body = {
        units: typedNumber(units) ?? 0,
        until: instantOfWall(until, zone) ?? '',
        reason: reason.trim(),
      };
      const header = etag === undefined ? {} : { 'If-Match': etag };
      const params = { path: { org, limit: limit.id }, header };
      await dataOf(api.POST('/v1/orgs/{org}/limits/{limit}/raise', { params, body }));
      refresh('directory', 'consumption');
      toast(done.raised(nameOf(limit.subject)));
      onClose();
    },
    reload: async () => {
      const now = await readLimit(org, limit.id);
      return { values: valuesOf(now, zone), etag: now.etag };
    },
  });
}

interface SuggestionsProps {
  readonly form: Form<RaiseValues>;
  readonly resetsAt: string;
}

const DAY_MS = 86_400_000;
const FRIDAY = 5;

/** Friday of this week at 18:00; of the next one from Friday on. */
function fridayEvening(now: number, zone: string): string {
  const today = new Date(`${wallOfInstant(now, zone).slice(0, 10)}T00:00:00Z`);
  const ahead = (FRIDAY - today.getUTCDay() + 7) % 7 || 7;
  return `${new Date(today.getTime() + ahead * DAY_MS).toISOString().slice(0, 10)}T18:00`;
}

function Suggestions({ form, resetsAt }: SuggestionsProps) {
  const { raiseDialog: text } = texts.value.limits;
  const zone = useZone();
  const now = Date.now();
  const suggestions = [
    { label: text.tomorrow, until: wallOfInstant(now + DAY_MS, zone) },
    { label: text.friday, until: fridayEvening(now, zone) },
    { label: text.reset, until: wallOfInstant(resetsAt, zone) },
  ];
  return (
    <fieldset class="chips">
      <legend class="visually-hidden">{text.quick}</legend>
      {suggestions.map(({ label, until }) => (
        <button
          key={label}
          type="button"
          class="chip"
          aria-pressed={form.values.until === until}
          onClick={() => form.set({ until })}
        >
          {label}
        </button>
      ))}
    </fieldset>
  );
}

function Outcome({ limit, units }: { readonly limit: Limit; readonly units: string }) {
  const { raiseDialog: text } = texts.value.limits;
  const unit = useUnit(limit.quota);
  const added = typedNumber(units) ?? 0;
  if (added <= 0) return null;
  const cap = limit.cap - (limit.raise?.units ?? 0) + added;
  const left = Math.max(0, cap - limit.consumed - limit.held);
  return (
    <Banner tone={left > 0 ? 'good' : 'warn'}>{text.becomes(amount(cap, unit), amount(left, unit))}</Banner>
  );
}
