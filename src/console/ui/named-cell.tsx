/** What a row is about: an icon, a name that may be a link, and a line below it. */
import type { ComponentChildren } from 'preact';

interface NamedCellProps {
  readonly icon?: ComponentChildren;
  readonly name: ComponentChildren;
  readonly href?: string | undefined;
  /** Below the name; left out or empty: nothing. */
  readonly note?: ComponentChildren;
}

export function NamedCell({ icon, name, href, note }: NamedCellProps) {
  return (
    <div class="subject">
      {icon}
      <div>
        {href === undefined ? (
          <span class="subject-name">{name}</span>
        ) : (
          <a class="subject-name" href={href}>
            {name}
          </a>
        )}
        {note !== undefined && note !== '' && <span class="small muted">{note}</span>}
      </div>
    </div>
  );
}
