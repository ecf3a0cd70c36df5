/**
 * What an org notes of the export of its journal: per target, the last entry that it has. Table `exports`, target →
 * `<last entry>|<entries lost>|<at>|<error>`. Lua reads the first two.
 */

export interface ExportState {
  /** The last entry that the target has; '': none, so it gets all that the journal still has. */
  readonly last: string;
  /** Entries that were deleted before the target had them. */
  readonly lost: number;
  /** Time of the last attempt, or of the target's first sight. */
  readonly at: number;
  /** Of the last attempt; '': it succeeded. */
  readonly error: string;
}

export function encodeExport({ last, lost, at, error }: ExportState): string {
  return [last, lost, at, error].join('|');
}

export function decodeExport(text: string): ExportState {
  const [last = '', lost, at, ...error] = text.split('|');
  return { last, lost: Number(lost), at: Number(at), error: error.join('|') };
}

/** A target as an org notes it. */
export interface NotedTarget {
  readonly target: string;
  readonly text: string;
  /** The first entry of the journal that it lacks; '' for none. */
  readonly firstWaiting: string;
}

/** Applied only if the target's text is still `was`; null: there is none. */
export interface ExportStep {
  readonly target: string;
  readonly was: string | null;
  readonly next: string | null;
}

export interface JournalTrim {
  /** Entries that were deleted. */
  readonly trimmed: number;
  /** Targets that lost some of them. */
  readonly lost: readonly { readonly target: string; readonly entries: number }[];
}
