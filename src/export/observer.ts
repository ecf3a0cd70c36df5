/** What happens to the export of the journal, for metrics and logs. */

/** What a target lacks of an org's journal. */
export interface Lag {
  /** When the first entry that it lacks was appended, in ms. */
  readonly oldestAt: number;
  /** When it is sent next, in ms. */
  readonly nextAt: number;
}

export interface ExportObserver {
  sent(target: string, events: number): void;
  failed(target: string, org: string, error: string): void;
  /** Entries were deleted before the target had them, because the journal was too large. */
  lost(target: string, org: string, entries: number): void;
  /** Undefined: it lacks nothing. */
  lag(target: string, org: string, lag: Lag | undefined): void;
}
