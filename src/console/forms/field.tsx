/** Fields of forms: label, input, help and error belong together for screen readers too. */
import { CircleAlert } from 'lucide-preact';
import type { ComponentChildren, InputHTMLAttributes } from 'preact';
import { useId } from 'preact/hooks';
import type { Form, Values } from './use-form.js';

interface FieldFrameProps {
  readonly label: string;
  readonly help?: ComponentChildren;
  readonly error?: string | undefined;
  readonly children: (input: InputNames) => ComponentChildren;
}

/** What ties an input to its label, help and error. */
interface InputNames {
  readonly id: string;
  readonly 'aria-describedby'?: string;
  readonly 'aria-invalid'?: true;
}

export function FieldFrame({ label, help, error, children }: FieldFrameProps) {
  const id = useId();
  const described = [help !== undefined && `${id}-help`, error !== undefined && `${id}-error`].filter(
    Boolean,
  );
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children({
        id,
        ...(described.length > 0 ? { 'aria-describedby': described.join(' ') } : {}),
        ...(error === undefined ? {} : { 'aria-invalid': true }),
      })}
      {help !== undefined && (
        <div id={`${id}-help`} class="field-help">
          {help}
        </div>
      )}
      {error !== undefined && (
        <div id={`${id}-error`} class="field-error" role="alert">
          <CircleAlert size={14} aria-hidden="true" />
          {error}
        </div>
      )}
    </div>
  );
}

interface FieldProps<V extends Values> {
  readonly form: Form<V>;
  readonly name: keyof V & string;
  readonly label: string;
  readonly help?: ComponentChildren;
}

interface TextFieldProps<V extends Values> extends FieldProps<V> {
  readonly input?: InputHTMLAttributes;
  /** Behind the input: a unit, or a select of units. */
  readonly unit?: ComponentChildren;
}

export function TextField<V extends Values>({ form, name, input, unit, ...frame }: TextFieldProps<V>) {
  return (
    <FieldFrame {...frame} error={form.errors[name]}>
      {(names) => {
        const element = (
          <input
            class="input"
            autoComplete="off"
            {...input}
            {...names}
            value={form.values[name]}
            onInput={(event) => form.set({ [name]: event.currentTarget.value } as Partial<V>)}
          />
        );
        return unit === undefined ? (
          element
        ) : (
          <div class="with-unit">
            {element}
            {typeof unit === 'string' ? <span>{unit}</span> : unit}
          </div>
        );
      }}
    </FieldFrame>
  );
}

interface AreaFieldProps<V extends Values> extends FieldProps<V> {
  readonly rows: number;
}

/** A text of several lines. */
export function AreaField<V extends Values>({ form, name, rows, ...frame }: AreaFieldProps<V>) {
  return (
    <FieldFrame {...frame} error={form.errors[name]}>
      {(names) => (
        <textarea
          class="input"
          rows={rows}
          {...names}
          value={form.values[name]}
          onInput={(event) => form.set({ [name]: event.currentTarget.value } as Partial<V>)}
        />
      )}
    </FieldFrame>
  );
}

interface SelectFieldProps<V extends Values> extends FieldProps<V> {
  readonly options: readonly { readonly value: string; readonly label: string }[];
  /** Values of other fields that follow from a choice. */
  readonly follows?: (value: string) => Partial<V>;
}

export function SelectField<V extends Values>(props: SelectFieldProps<V>) {
  const { form, name, options, follows, ...frame } = props;
  return (
    <FieldFrame {...frame} error={form.errors[name]}>
      {(names) => (
        <select
          class="input"
          {...names}
          value={form.values[name]}
          onChange={({ currentTarget: { value } }) =>
            form.set({ ...follows?.(value), [name]: value } as Partial<V>)
          }
        >
          {options.map(({ value, label }) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </select>
      )}
    </FieldFrame>
  );
}

/** A box that is ticked; its value is `yes` or empty. */
export function CheckField<V extends Values>({ form, name, label, help }: FieldProps<V>) {
  const id = useId();
  return (
    <div class="field">
      <label class="check">
        <input
          type="checkbox"
          checked={form.values[name] === 'yes'}
          aria-describedby={help === undefined ? undefined : id}
          onChange={(event) => form.set({ [name]: event.currentTarget.checked ? 'yes' : '' } as Partial<V>)}
        />
        {label}
      </label>
      {help !== undefined && (
        <div id={id} class="field-help">
          {help}
        </div>
      )}
    </div>
  );
}
