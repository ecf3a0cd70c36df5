/** A row of the catalogue of errors. */
export interface CatalogueEntry {
  readonly status: number;
  readonly title: string;
  readonly cause: string;
  /** What the reader can do. */
  readonly remedy: string;
  /** RFC 9457 problem type; left out: about:blank. */
  readonly type?: string;
}

// biome-ignore lint/complexity/useMaxParams: a row of the catalogue, in the order of its columns.
export const entry = (
  status: number,
  title: string,
  cause: string,
  remedy: string,
  type?: string,
): CatalogueEntry =>
  type === undefined ? { status, title, cause, remedy } : { status, title, cause, remedy, type };
