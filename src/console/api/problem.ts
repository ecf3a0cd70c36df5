/** What can go wrong with a call of the admin API. */

export interface FieldProblem {
  readonly field: string;
  readonly problem: string;
  /** Of an import. */
  readonly line?: number;
}

interface ProblemBody {
  readonly title?: string;
  readonly detail?: string;
  readonly code?: string;
  readonly errors?: readonly FieldProblem[];
  /** How many problems an import has; not all are listed. */
  readonly problems?: number;
}

/** A problem document of the API, or the code `unreachable` where no answer came. */
export class ApiProblem extends Error {
  override readonly name = 'ApiProblem';
  readonly code: string;
  readonly title: string;
  /** The fields that the API refuses, with what is wrong. */
  readonly fields: readonly FieldProblem[];

  constructor(
    readonly status: number,
    readonly body: ProblemBody,
  ) {
    super(body.detail ?? body.title ?? `status ${status}`);
    this.code = body.code ?? (status === 0 ? 'unreachable' : 'internal');
    this.title = body.title ?? '';
    this.fields = body.errors ?? [];
  }
}

export function problemIn(error: unknown): ApiProblem {
  if (error instanceof ApiProblem) return error;
  // A fault of the page itself is shown like one of the API, and is in the browser's log.
  console.error(error);
  return new ApiProblem(-1, { code: 'page', detail: error instanceof Error ? error.message : String(error) });
}
