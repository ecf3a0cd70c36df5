/** The browser's own variety of a language, such as `en-GB`, else the language. */
export function localeOf(language: string): string {
  return navigator.languages.find((one) => one === language || one.startsWith(`${language}-`)) ?? language;
}
