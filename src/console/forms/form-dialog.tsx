/** A dialog with a form: its foot, what the API refused, and a conflict with another admin. */
import type { ComponentChildren } from 'preact';
import { texts } from '../i18n/index.js';
import { Banner } from '../ui/banner.js';
import { Button } from '../ui/button.js';
import { Dialog } from '../ui/dialog.js';
import { problemText } from '../ui/states.js';
import type { Form, Values } from './use-form.js';

interface FormDialogProps<V extends Values> {
  readonly form: Form<V>;
  readonly title: string;
  /** The text of the primary button. */
  readonly act: string;
  readonly kind?: 'primary' | 'danger';
  readonly wide?: boolean;
  /** A further button, on the left. */
  readonly other?: ComponentChildren;
  readonly onClose: () => void;
  /** The names of the fields, for the comparison of a conflict. */
  readonly labels: Readonly<Partial<Record<keyof V, string>>>;
  readonly children: ComponentChildren;
}

export function FormDialog<V extends Values>(props: FormDialogProps<V>) {
  const { form, title, act, kind = 'primary', wide = false, other, onClose, labels, children } = props;
  const { common } = texts.value;
  const close = (): void => {
    form.discard();
    onClose();
  };
  const conflict = form.conflict !== undefined;
  return (
    <Dialog
      title={title}
      wide={wide}
      dirty={form.dirty}
      onClose={close}
      onSubmit={conflict ? undefined : () => void form.submit()}
      foot={
        conflict ? (
          <ConflictButtons form={form} />
        ) : (
          <>
            {other && <div class="dialog-other">{other}</div>}
            <Button onClick={close}>{common.cancel}</Button>
            <Button type="submit" kind={kind} busy={form.busy}>
              {act}
            </Button>
          </>
        )
      }
    >
      {conflict ? <Conflict form={form} labels={labels} /> : children}
      {form.problem && (
        <Banner tone="bad" alert>
          {problemText(form.problem)}
        </Banner>
      )}
    </Dialog>
  );
}

function ConflictButtons<V extends Values>({ form }: { readonly form: Form<V> }) {
  const { common } = texts.value;
  return (
    <>
      <Button onClick={() => void form.resolve('theirs')}>{common.takeTheirs}</Button>
      <Button kind="primary" busy={form.busy} onClick={() => void form.resolve('mine')}>
        {common.keepMine}
      </Button>
    </>
  );
}

function Conflict<V extends Values>({ form, labels }: Pick<FormDialogProps<V>, 'form' | 'labels'>) {
  const { common } = texts.value;
  const { values, conflict } = form;
  const differing = Object.keys(values).filter((name) => values[name] !== conflict?.values[name]);
  return (
    <>
      <Banner tone="warn" alert>
        {common.conflict}
      </Banner>
      <table class="table">
        <thead>
          <tr>
            <th scope="col">{common.field}</th>
            <th scope="col">{common.yours}</th>
            <th scope="col">{common.theirs}</th>
          </tr>
        </thead>
        <tbody>
          {differing.map((name) => (
            <tr key={name}>
              <td data-label={common.field}>{labels[name] ?? name}</td>
              <td data-label={common.yours}>{values[name] || '–'}</td>
              <td data-label={common.theirs}>{conflict?.values[name] || '–'}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}
