/** What differs between two values of the audit log, field by field. */

export interface Difference {
  /** Names of the fields, from the outside in, with dots between. */
  readonly field: string;
  /** Undefined: it was not there. */
  readonly from: unknown;
  readonly to: unknown;
}

type Fields = Readonly<Record<string, unknown>>;

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What a new object has by default is no news. */
function isNothing(value: unknown): boolean {
  return (
    value === undefined || value === '' || value === false || (Array.isArray(value) && value.length === 0)
  );
}

/** Fields that are the same are left out. A value that is no object has no name. */
export function differencesOf(from: unknown, to: unknown, field = ''): Difference[] {
  const [before, after] = [from ?? undefined, to ?? undefined];
  if (isNothing(before) && isNothing(after)) return [];
  if (JSON.stringify(before) === JSON.stringify(after)) return [];
  const [left, right] = [before ?? {}, after ?? {}];
  if (!isFields(left) || !isFields(right)) return [{ field, from: before, to: after }];
  const names = [...new Set([...Object.keys(left), ...Object.keys(right)])];
  return names.flatMap((name) =>
    differencesOf(left[name], right[name], field === '' ? name : `${field}.${name}`),
  );
}
