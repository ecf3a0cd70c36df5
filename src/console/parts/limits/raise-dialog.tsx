/** Raises a limit until a time, on one's own or because a caller asks for it. The raise ends by itself. */
import { api, dataOf, type Schemas } from '../../api/client.js';
import { refresh } from '../../api/query.js';
import { nameOf } from '../../api/subjects.js';
import { amount, quotaName, typedNumber } from '../../format/amounts.js';
import { instantOfWall, wallOfInstant } from '../../format/zones.js';
import { TextField } from '../../forms/field.js';
import { FormDialog } from '../../forms/form-dialog.js';
import { ReasonField } from '../../forms/reason-field.js';
import { type Form, useForm } from '../../forms/use-form.js';
import { texts } from '../../i18n/index.js';
import { useOrg, useZone } from '../../state/org.js';
import { Banner } from '../../ui/banner.js';
import { toast } from '../../ui/toasts.js';
import { DeclineButton } from './decline-button.js';
import { type Limit, readLimit, useUnit } from './limit.js';
import { UntilField } from './until-field.js';

interface RaiseDialogProps {
  readonly limit: Limit;
  /** Whom the raise answers. */
  readonly request?: Schemas['RaiseRequest'];
  readonly onClose: () => void;
}

export type RaiseValues = Record<'units' | 'until' | 'reason', string>;

/** A new raise lasts to the end of the period, unless one says otherwise: then consumption begins anew. */
function valuesOf({ raise, resetsAt }: Limit, zone: string): RaiseValues {
  return {
    units: raise === undefined ? '' : String(raise.units),
    until: wallOfInstant(raise?.until ?? resetsAt, zone),
    reason: '',
  };
}

export function RaiseDialog({ limit, request, onClose }: RaiseDialogProps) {
  const { raiseDialog: text } = texts.value.limits;
  const unit = useUnit(limit.quota);
  const form = useRaiseForm({ limit, onClose, ...(request === undefined ? {} : { request }) });
  return (
    <FormDialog
      form={form}
      title={text.title(nameOf(limit.subject), quotaName(limit.quota))}
      act={text.submit}
      onClose={onClose}
      labels={{ units: text.units, until: text.until, reason: texts.value.common.reason }}
      other={request && <DeclineButton limit={limit} reason={form.values.reason} onClose={onClose} />}
    >
      {request && <Asked request={request} />}
      <p class="muted">{text.now(amount(limit.cap, unit), amount(limit.consumed))}</p>
      <TextField form={form} name="units" label={text.units} unit={unit} input={{ inputMode: 'decimal' }} />
      <UntilField form={form} resetsAt={limit.resetsAt} />
      <ReasonField form={form} required />
      <Outcome limit={limit} units={form.values.units} />
    </FormDialog>
  );
}

function useRaiseForm({ limit, request, onClose }: RaiseDialogProps): Form<RaiseValues> {
  const { id: org } = useOrg();
  const zone = useZone();
  const { raiseDialog: text, done } = texts.value.limits;
  const asked = request?.units == null ? {} : { units: String(request.units) };
  return useForm<RaiseValues>({
    initial: { ...valuesOf(limit, zone), ...asked },
    draft: `raise ${org} ${limit.id}`,
    check: ({ units, until, reason }) => ({
      ...((typedNumber(units) ?? 0) > 0 ? {} : { units: text.unitsMissing }),
      ...(Date.parse(instantOfWall(until, zone) ?? '') > Date.now() ? {} : { until: text.untilMissing }),
      ...(reason.trim() === '' ? { reason: text.reasonMissing } : {}),
    }),
    etag: limit.etag,
    save: async ({ units, until, reason: typed }, etag) => {
      const raise = { units: typedNumber(units) ?? 0, until: instantOfWall(until, zone) ?? '' };
      const reason = typed.trim();
      const path = { org, limit: limit.id };
      if (request === undefined) {
        const header = etag === undefined ? {} : { 'If-Match': etag };
        const body = { ...raise, reason };
        await dataOf(api.POST('/v1/orgs/{org}/limits/{limit}/raise', { params: { path, header }, body }));
      } else {
        const body = { answer: 'raised', raise, reason } as const;
        await dataOf(api.POST('/v1/orgs/{org}/raise-requests/{limit}/answer', { params: { path }, body }));
      }
      await refresh('directory', 'consumption', 'events');
      toast(done.raised(nameOf(limit.subject)));
      onClose();
    },
    reload: async () => {
      const now = await readLimit(org, limit.id);
      return { values: valuesOf(now, zone), etag: now.etag };
    },
  });
}

function Asked({ request: { user, units, unit, reason } }: { readonly request: Schemas['RaiseRequest'] }) {
  const { raiseDialog: text } = texts.value.limits;
  return (
    <Banner tone="info">
      {units === null ? text.asks(user) : text.asksFor(user, amount(units, unit))}
      {reason !== '' && <div class="small">“{reason}”</div>}
    </Banner>
  );
}

function Outcome({ limit, units }: { readonly limit: Limit; readonly units: string }) {
  const { raiseDialog: text } = texts.value.limits;
  const unit = useUnit(limit.quota);
  const added = typedNumber(units) ?? 0;
  if (added <= 0) return null;
  const cap = limit.cap - (limit.raise?.units ?? 0) + added;
  const left = cap - limit.consumed - limit.held;
  const becomes =
    left > 0
      ? text.becomes(amount(cap, unit), amount(left, unit))
      : text.staysReached(amount(cap, unit), amount(limit.consumed));
  return <Banner tone={left > 0 ? 'good' : 'warn'}>{becomes}</Banner>;
}
