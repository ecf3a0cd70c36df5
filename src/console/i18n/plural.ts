/** Texts that depend on a number. `#` stands for the number. */

export interface Forms {
  readonly one: string;
  readonly other: string;
}

export function pluralIn(language: string): (count: number, forms: Forms) => string {
  const rules = new Intl.PluralRules(language);
  const numbers = new Intl.NumberFormat(language, { useGrouping: 'always' });
  return (count, { one, other }) =>
    (rules.select(count) === 'one' ? one : other).replace('#', numbers.format(count));
}
