/** The search of a list. `/` puts the focus here. The query follows what is typed, with a short delay. */
import { Search } from 'lucide-preact';
import { useEffect, useRef, useState } from 'preact/hooks';

interface SearchBoxProps {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
}

const DELAY_MS = 200;

export function SearchBox({ label, value, onChange }: SearchBoxProps) {
  const [typed, setTyped] = useState(value);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  // A change from elsewhere, such as the button that clears all filters.
  useEffect(() => setTyped(value), [value]);
  useEffect(() => () => clearTimeout(timer.current), []);
  const onInput = (event: Event): void => {
    const text = (event.target as HTMLInputElement).value;
    setTyped(text);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => onChange(text.trim()), DELAY_MS);
  };
  return (
    <div class="search">
      <Search size={16} aria-hidden="true" />
      <input
        type="search"
        class="input"
        aria-label={label}
        placeholder={label}
        aria-keyshortcuts="/"
        data-page-search
        value={typed}
        onInput={onInput}
      />
    </div>
  );
}
