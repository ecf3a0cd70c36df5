/** Until when a raise lasts: a time in the zone of the org, or one of the usual ones. */
import { wallOfInstant } from '../../format/zones.js';
import { TextField } from '../../forms/field.js';
import type { Form } from '../../forms/use-form.js';
import { texts } from '../../i18n/index.js';
import { useZone } from '../../state/org.js';
import { Chips } from '../../ui/chips.js';
import type { RaiseValues } from './raise-dialog.js';

interface UntilFieldProps {
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

export function UntilField({ form, resetsAt }: UntilFieldProps) {
  const { raiseDialog: text } = texts.value.limits;
  const zone = useZone();
  const now = Date.now();
  return (
    <>
      <TextField
        form={form}
        name="until"
        label={text.until}
        help={text.untilHelp(zone)}
        input={{ type: 'datetime-local' }}
      />
      <Chips
        label={text.quick}
        value={form.values.until}
        onChange={(until) => form.set({ until })}
        choices={[
          { label: text.tomorrow, value: wallOfInstant(now + DAY_MS, zone) },
          { label: text.friday, value: fridayEvening(now, zone) },
          { label: text.reset, value: wallOfInstant(resetsAt, zone) },
        ]}
      />
    </>
  );
}
