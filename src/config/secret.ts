/** Texts that stand elsewhere: in a file, or in a variable. Read at start, when both are there; never by `check`. */
import { readFileSync } from 'node:fs';
import type { Environment } from './environment.js';
import { isFieldValue } from './values.js';

export type SecretPlace = { readonly file: string } | { readonly env: string };

/** The text without the space around it. Throws where there is none; the message never shows it. */
export function secretAt(place: SecretPlace, environment: Environment): string {
  const text = 'file' in place ? readFileSync(place.file, 'utf8') : environment[place.env];
  const where = 'file' in place ? `the file ${place.file}` : `the environment variable ${place.env}`;
  if (text === undefined) throw new Error(`${where} is not set`);
  if (text.trim() === '') throw new Error(`${where} is empty`);
  return text.trim();
}

/** Headers by name, flat, their values read from where they stand. */
export function headersOf(
  values: Readonly<Record<string, string | SecretPlace>>,
  environment: Environment,
): string[] {
  return Object.entries(values).flatMap(([name, value]) => {
    const text = typeof value === 'string' ? value : secretAt(value, environment);
    if (!isFieldValue(text))
      throw new Error(`the value for the header ${name} has signs that no header can hold`);
    return [name, text];
  });
}
