/** What is shown in place of data: nothing yet, nothing at all, a failure. */
import { CloudOff, type LucideIcon, RefreshCw, TriangleAlert } from 'lucide-preact';
import type { ComponentChildren } from 'preact';
import type { ApiProblem } from '../api/problem.js';
import type { QueryState } from '../api/query.js';
import { texts } from '../i18n/index.js';
import { Banner } from './banner.js';
import { Button } from './button.js';

interface EmptyStateProps {
  readonly icon: LucideIcon;
  readonly title: string;
  readonly children: ComponentChildren;
  readonly action?: ComponentChildren;
  /** It is the whole page. */
  readonly page?: boolean;
}

export function EmptyState({ icon: Icon, title, children, action, page = false }: EmptyStateProps) {
  const Heading = page ? 'h1' : 'h2';
  return (
    <div class="state">
      <Icon size={32} aria-hidden="true" />
      <Heading>{title}</Heading>
      <p>{children}</p>
      {action}
    </div>
  );
}

/** What happened, in a sentence of the page's language where it has one. */
export function problemText(problem: ApiProblem): string {
  const known: Readonly<Record<string, string>> = texts.value.common.problems;
  return Object.hasOwn(known, problem.code) ? (known[problem.code] ?? '') : problem.message;
}

interface ErrorStateProps {
  readonly problem: ApiProblem;
  readonly retry: () => void;
  /** It is the whole page. */
  readonly page?: boolean;
}

export function ErrorState({ problem, retry, page = false }: ErrorStateProps) {
  const Heading = page ? 'h1' : 'h2';
  const Icon = problem.status === 0 ? CloudOff : TriangleAlert;
  const { common } = texts.value;
  return (
    <div class="state" role="alert">
      <Icon size={32} aria-hidden="true" />
      <Heading>{common.failed}</Heading>
      <p>{problemText(problem)}</p>
      <Button icon={RefreshCw} onClick={retry}>
        {common.retry}
      </Button>
    </div>
  );
}

function Skeleton({ lines = 3 }: { readonly lines?: number }) {
  return (
    <div class="stack" aria-hidden="true">
      {Array.from({ length: lines }, (_, line) => (
        <span key={line} class="skeleton" style={{ width: `${100 - (line % 3) * 18}%` }} />
      ))}
    </div>
  );
}

interface LoadedProps<Data> {
  readonly query: QueryState<Data>;
  readonly lines?: number;
  /** It is the whole page. */
  readonly page?: boolean;
  readonly children: (data: Data) => ComponentChildren;
}

/** The data of a query; before it a skeleton, on failure an error. Old data stays below the message. */
export function Loaded<Data>({ query, lines, page = false, children }: LoadedProps<Data>) {
  const { data, problem, refresh } = query;
  if (data === undefined)
    return problem ? (
      <ErrorState problem={problem} retry={refresh} page={page} />
    ) : (
      <div role="status">
        <span class="visually-hidden">{texts.value.common.loading}</span>
        <Skeleton {...(lines === undefined ? {} : { lines })} />
      </div>
    );
  return (
    <>
      {problem && <OutOfDate problem={problem} retry={refresh} />}
      {children(data)}
    </>
  );
}

function OutOfDate({ problem, retry }: Omit<ErrorStateProps, 'page'>) {
  const { common } = texts.value;
  return (
    <Banner
      tone="warn"
      action={
        <Button size="small" icon={RefreshCw} onClick={retry}>
          {common.retry}
        </Button>
      }
    >
      {common.outOfDate} {problemText(problem)}
    </Banner>
  );
}
