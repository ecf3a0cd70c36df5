/** Short messages after an act; screen readers say them. */
import { signal } from '@preact/signals';
import { CircleCheck, CircleX, X } from 'lucide-preact';
import { texts } from '../i18n/index.js';
import { IconButton } from './button.js';

interface Toast {
  readonly id: number;
  readonly tone: 'good' | 'bad';
  readonly text: string;
}

const SHOWN_MS = 6_000;
const toasts = signal<readonly Toast[]>([]);
let lastId = 0;

/** Good news goes by itself; bad news stays until it is closed. */
export function toast(text: string, tone: Toast['tone'] = 'good'): void {
  lastId += 1;
  const id = lastId;
  toasts.value = [...toasts.value, { id, tone, text }];
  if (tone === 'good') setTimeout(() => close(id), SHOWN_MS);
}

function close(id: number): void {
  toasts.value = toasts.value.filter((one) => one.id !== id);
}

export function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.value.map(({ id, tone, text }) => (
        <div key={id} class="toast" data-tone={tone}>
          {tone === 'good' ? (
            <CircleCheck size={18} aria-hidden="true" />
          ) : (
            <CircleX size={18} aria-hidden="true" />
          )}
          <div>{text}</div>
          <IconButton icon={X} size="small" label={texts.value.common.close} onClick={() => close(id)} />
        </div>
      ))}
    </div>
  );
}
