/** The head of a page: title, state, and its one primary action. */
import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';

interface PageHeadProps {
  readonly title: string;
  /** Badges beside the title. */
  readonly state?: ComponentChildren;
  /** One line below the title. */
  readonly about?: ComponentChildren;
  readonly action?: ComponentChildren;
}

export function PageHead({ title, state, about, action }: PageHeadProps) {
  useEffect(() => {
    document.title = `${title} · quotagate`;
  }, [title]);
  return (
    <header class="page-head">
      <div>
        <h1>{title}</h1>
        {state}
        {about !== undefined && <p>{about}</p>}
      </div>
      {action && <div class="row">{action}</div>}
    </header>
  );
}
