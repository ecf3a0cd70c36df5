/** A filter that a link of the page has set; a press takes it away. */
import { X } from 'lucide-preact';
import { texts } from '../i18n/index.js';

interface ActiveFilterProps {
  readonly label: string;
  readonly value: string;
  readonly onRemove: () => void;
}

export function ActiveFilter({ label, value, onRemove }: ActiveFilterProps) {
  const text = `${label}: ${value}`;
  if (value === '') return null;
  return (
    <button
      type="button"
      class="chip"
      aria-pressed="true"
      title={texts.value.common.removeFilter}
      onClick={onRemove}
    >
      <span class="truncate">{text}</span>
      <X size={14} aria-hidden="true" />
    </button>
  );
}
