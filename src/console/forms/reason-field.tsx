/** Why a change is made: kept in the audit log with it. */
import { texts } from '../i18n/index.js';
import { TextField } from './field.js';
import type { Form, Values } from './use-form.js';

interface ReasonFieldProps<V extends Values & Record<'reason', string>> {
  readonly form: Form<V>;
  readonly required?: boolean;
  /** Left out: that the audit log shows it. */
  readonly help?: string;
}

/** As many characters as the admin API takes. */
const REASON_MAX = 500;

export function ReasonField<V extends Values & Record<'reason', string>>({
  form,
  required = false,
  help,
}: ReasonFieldProps<V>) {
  const { common } = texts.value;
  return (
    <TextField
      form={form}
      name="reason"
      label={required ? common.reason : `${common.reason} (${common.optional})`}
      help={help ?? common.reasonHelp}
      input={{ maxLength: REASON_MAX }}
    />
  );
}
