/** In place of a list that its filters leave without rows. */
import type { LucideIcon } from 'lucide-preact';
import { texts } from '../i18n/index.js';
import { Button } from './button.js';
import { setFilters } from './paging.js';
import { EmptyState } from './states.js';

interface NoMatchProps {
  readonly icon: LucideIcon;
  /** The parameters of the filters, which a press clears. */
  readonly filters: readonly string[];
}

export function NoMatch({ icon, filters }: NoMatchProps) {
  const { common } = texts.value;
  const clear = (): void => setFilters(Object.fromEntries(filters.map((name) => [name, undefined])));
  return (
    <EmptyState
      icon={icon}
      title={common.noMatch}
      action={<Button onClick={clear}>{common.clearFilters}</Button>}
    >
      {common.noMatchText}
    </EmptyState>
  );
}
