/** What a query says, read as generously as any server might: names decoded and in lower case, each as often as it is there. */
export function parameters(query: string): readonly (readonly [name: string, value: string])[] {
  if (query === '') return [];
  return Array.from(new URLSearchParams(query), ([name, value]) => [name.toLowerCase(), value]);
}
