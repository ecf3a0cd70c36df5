/** A modal dialog. The browser keeps the focus inside, and gives it back when the dialog closes. */
import { X } from 'lucide-preact';
import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { texts } from '../i18n/index.js';
import { Button, IconButton } from './button.js';

/** The focus begins where one types; in a question, at the button that changes nothing. */
const FIRST_FIELD = '.dialog-body :is(input, select, textarea), .dialog-foot button';

interface DialogProps {
  readonly title: string;
  readonly onClose: () => void;
  /** Something is typed: closing asks first. */
  readonly dirty?: boolean;
  readonly wide?: boolean;
  /** Submitted by Enter and by the button of type submit in the foot; without it, the dialog has no form. */
  readonly onSubmit?: (() => void) | undefined;
  /** The buttons, the primary one last. */
  readonly foot: ComponentChildren;
  readonly children: ComponentChildren;
}

export function Dialog({
  title,
  onClose,
  dirty = false,
  wide = false,
  onSubmit,
  foot,
  children,
}: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const frame = useRef<HTMLFormElement>(null);
  const id = useId();
  const [asking, setAsking] = useState(false);
  useEffect(() => {
    const element = dialog.current;
    element?.showModal();
    element?.querySelector<HTMLElement>(FIRST_FIELD)?.focus();
    return () => element?.close();
  }, []);
  useEffect(() => {
    // What had the focus may be gone: keys reach the dialog only with a focus inside.
    if (document.activeElement === document.body) frame.current?.focus();
  });
  const close = (): void => {
    if (dirty) setAsking(true);
    else onClose();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key !== 'Escape') return;
    event.preventDefault();
    if (asking) setAsking(false);
    else close();
  };
  const submit = (event: Event): void => {
    event.preventDefault();
    onSubmit?.();
  };
  const { common } = texts.value;
  return (
    <dialog
      ref={dialog}
      class="dialog"
      aria-labelledby={id}
      data-wide={wide}
      closedby="none"
      onKeyDown={onKeyDown}
    >
      <form ref={frame} class="dialog-frame" tabIndex={-1} noValidate onSubmit={submit}>
        <div class="dialog-head">
          <h2 id={id}>{title}</h2>
          <IconButton icon={X} size="small" label={common.close} onClick={close} />
        </div>
        <div class="dialog-body">{children}</div>
        <div class="dialog-foot">
          {asking ? <DiscardQuestion onKeep={() => setAsking(false)} onDiscard={onClose} /> : foot}
        </div>
      </form>
    </dialog>
  );
}

interface DiscardQuestionProps {
  readonly onKeep: () => void;
  readonly onDiscard: () => void;
}

function DiscardQuestion({ onKeep, onDiscard }: DiscardQuestionProps) {
  const { common } = texts.value;
  return (
    <>
      <p role="alert">{common.discardQuestion}</p>
      <Button onClick={onDiscard}>{common.discard}</Button>
      <Button kind="primary" onClick={onKeep}>
        {common.keepEditing}
      </Button>
    </>
  );
}
