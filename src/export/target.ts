/** Where events go. */

export interface Target {
  /** The name in the config. */
  readonly name: string;
  /** Most events of one batch. */
  readonly batchEvents: number;
  /** Resolves when the target has all of them: JSON texts, one per event. Rejects with an `ExportError`. */
  send(events: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

/** A batch was not delivered; `message` says why, without secrets. */
export class ExportError extends Error {
  override readonly name = 'ExportError';
}

const REASON_MAX = 300;

export function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message || error.name : String(error);
  return text.replace(/\s+/g, ' ').slice(0, REASON_MAX);
}
