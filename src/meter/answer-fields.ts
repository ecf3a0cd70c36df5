/** The header fields of an answer: flat, names and values as the upstream sent them. */

/** All values of a field, joined by commas, in lower case; '' where there is none. */
export function fieldOf(fields: readonly Buffer[], name: string): string {
  const values: string[] = [];
  for (let index = 0; index < fields.length; index += 2) {
    if (fields[index]?.toString('latin1').toLowerCase() === name)
      values.push(fields[index + 1]?.toString('latin1') ?? '');
  }
  return values.join(',').trim().toLowerCase();
}
