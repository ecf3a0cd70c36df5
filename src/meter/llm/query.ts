/**
 * Returns the parameters of a query, read as leniently as any server might: names are decoded and in lower case, and
 * repeated names are kept.
 */
export function parameters(query: string): readonly (readonly [name: string, value: string])[] {
  if (query === '') return [];
  return Array.from(new URLSearchParams(query), ([name, value]) => [name.toLowerCase(), value]);
}
