/** Shows a secret that was just created. It is shown only here, so the dialog says so and offers to copy it. */
import './secrets.css';
import { Check, Copy } from 'lucide-preact';
import type { ComponentChildren } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { FieldFrame } from '../../forms/field.js';
import { texts } from '../../i18n/index.js';
import { Banner } from '../../ui/banner.js';
import { Button } from '../../ui/button.js';
import { Dialog } from '../../ui/dialog.js';

interface SecretDialogProps {
  readonly title: string;
  /** What the secret is. */
  readonly label: string;
  readonly secret: string;
  /** Where it is used. */
  readonly children: ComponentChildren;
  readonly onClose: () => void;
}

export function SecretDialog({ title, label, secret, children, onClose }: SecretDialogProps) {
  const { secrets: text } = texts.value;
  const input = useRef<HTMLInputElement>(null);
  const [copied, setCopied] = useState(false);
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(secret);
      setCopied(true);
    } catch {
      // Not permitted: it is selected, to be copied by hand.
      input.current?.select();
    }
  };
  return (
    <Dialog
      title={title}
      onClose={onClose}
      foot={
        <Button kind="primary" onClick={onClose}>
          {text.done}
        </Button>
      }
    >
      <p>{children}</p>
      <FieldFrame label={label}>
        {(names) => (
          <div class="secret">
            <input
              ref={input}
              class="input"
              readOnly
              spellcheck={false}
              {...names}
              value={secret}
              onFocus={(event) => event.currentTarget.select()}
            />
            <Button icon={copied ? Check : Copy} onClick={() => void copy()}>
              {copied ? text.copied : text.copy}
            </Button>
          </div>
        )}
      </FieldFrame>
      <Banner tone="warn" alert>
        {text.once}
      </Banner>
    </Dialog>
  );
}
