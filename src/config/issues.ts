/** Errors in a config: where, what, and how to fix it. */

/** The keys and indexes from the top of the file to a value. */
export type Path = readonly (string | number)[];

/** An error whose position in the text is not known yet. */
export interface Issue {
  readonly path: Path;
  readonly message: string;
  readonly hint: string;
  /** What the issue points at: the value, or its key (if the key itself is wrong). */
  readonly spot: 'key' | 'value';
}

export interface Mistake {
  /** JSON pointer. */
  readonly path: string;
  /** Starts at 1; both 0 if an environment variable set the value. */
  readonly line: number;
  readonly column: number;
  readonly message: string;
  readonly hint: string;
  /** The environment variable that set the value. */
  readonly variable?: string;
}

/** All errors of a config, never just the first. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  constructor(
    readonly mistakes: readonly Mistake[],
    /** The config file, if one was read. */
    readonly file = 'config',
  ) {
    super(mistakes.map((mistake) => `${mistake.path}: ${mistake.message} – ${mistake.hint}`).join('\n'));
  }
}

export function pointerOf(path: Path): string {
  return path.map((key) => `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

export function issue(path: Path, message: string, hint: string): Issue {
  return { path, message, hint, spot: 'value' };
}

/** The key itself is wrong. */
export function keyIssue(path: Path, message: string, hint: string): Issue {
  return { path, message, hint, spot: 'key' };
}

/** Returns the candidate that `word` most likely misspells, if one is close. */
export function closest(word: string, candidates: readonly string[]): string | undefined {
  const most = Math.max(1, Math.floor(word.length / 3));
  let best: string | undefined;
  let least = most + 1;
  for (const candidate of candidates) {
    const slips = distance(word.toLowerCase(), candidate.toLowerCase());
    if (slips < least) [best, least] = [candidate, slips];
  }
  return best;
}

/** Returns `did you mean …` if a candidate is close, else `otherwise`. */
export function suggestion(word: string, candidates: readonly string[], otherwise: string): string {
  const meant = closest(word, candidates);
  return meant === undefined ? otherwise : `did you mean \`${meant}\`?`;
}

/** Levenshtein distance; swapping two neighbours counts as one edit. */
function distance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > Math.max(a.length, b.length) / 2) return Number.POSITIVE_INFINITY;
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1];
      const replaced = (last[j - 1] ?? 0) + (same ? 0 : 1);
      const swapped = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? (beforeLast[j - 2] ?? i) + 1 : i + j;
      row.push(Math.min(replaced, (last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, swapped));
    }
    [beforeLast, last] = [last, row];
  }
  return last[b.length] ?? 0;
}
