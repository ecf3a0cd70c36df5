/** Reads header fields of an answer. The list is flat (name, value, name, value), as the upstream sent it. */

/** Returns all values of a field in lower case, joined by commas; '' if the field is absent. */
export function fieldOf(fields: readonly Buffer[], name: string): string {
  const values: string[] = [];
  for (let index = 0; index < fields.length; index += 2) {
    if (fields[index]?.toString('latin1').toLowerCase() === name)
      values.push(fields[index + 1]?.toString('latin1') ?? '');
  }
  return values.join(',').trim().toLowerCase();
}
