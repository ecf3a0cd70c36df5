/** How long an API key or an admin token is valid. */
import { SelectField } from '../../forms/field.js';
import type { Form, Values } from '../../forms/use-form.js';
import { texts } from '../../i18n/index.js';

const DAY_MS = 86_400_000;
const DAYS = ['30', '90', '365'] as const;

interface ExpiryFieldProps<V extends Values> {
  readonly form: Form<V & { readonly days: string }>;
}

export function ExpiryField<V extends Values>({ form }: ExpiryFieldProps<V>) {
  const { secrets: text } = texts.value;
  return (
    <SelectField
      form={form}
      name="days"
      label={text.expires}
      options={[
        { value: '', label: text.never },
        ...DAYS.map((value) => ({ value, label: text.inDays(Number(value)) })),
      ]}
    />
  );
}

/** Of a number of days from now; null: it stays valid. */
export function expiryAfter(days: string): string | null {
  return days === '' ? null : new Date(Date.now() + Number(days) * DAY_MS).toISOString();
}
