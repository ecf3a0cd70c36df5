/** Asks before an act that cannot be undone, and says what it does. */
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { type ApiProblem, problemIn } from '../api/problem.js';
import { texts } from '../i18n/index.js';
import { Banner } from './banner.js';
import { Button } from './button.js';
import { Dialog } from './dialog.js';
import { problemText } from './states.js';

interface ConfirmDialogProps {
  readonly title: string;
  /** What happens then. */
  readonly children: ComponentChildren;
  /** The act, as a verb: the text of the button. */
  readonly act: string;
  readonly kind?: 'danger' | 'primary';
  /** The dialog closes when it resolves, and shows the problem when it rejects. */
  readonly onConfirm: () => Promise<unknown>;
  readonly onClose: () => void;
}

export function ConfirmDialog({
  title,
  children,
  act,
  kind = 'danger',
  onConfirm,
  onClose,
}: ConfirmDialogProps) {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<ApiProblem | undefined>(undefined);
  const confirm = async (): Promise<void> => {
    if (busy) return;
    setBusy(true);
    try {
      await onConfirm();
      onClose();
    } catch (error) {
      setProblem(problemIn(error));
      setBusy(false);
    }
  };
  return (
    <Dialog
      title={title}
      onClose={onClose}
      onSubmit={() => void confirm()}
      foot={
        <>
          <Button onClick={onClose}>{texts.value.common.cancel}</Button>
          <Button type="submit" kind={kind} busy={busy}>
            {act}
          </Button>
        </>
      }
    >
      {children}
      {problem && (
        <Banner tone="bad" alert>
          {problemText(problem)}
        </Banner>
      )}
    </Dialog>
  );
}
