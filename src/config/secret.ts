/** Reads values in files and environment variables, at start and for `check --secrets`. */
import { readFileSync } from 'node:fs';
import type { Environment } from './environment.js';
import { isFieldValue } from './values.js';

export type SecretPlace = { readonly file: string } | { readonly env: string };

/** Returns the trimmed text. Throws if it is missing or empty; the message never shows it. */
export function secretAt(place: SecretPlace, environment: Environment): string {
  const text = 'file' in place ? readFileSync(place.file, 'utf8') : environment[place.env];
  const where = 'file' in place ? `the file ${place.file}` : `the environment variable ${place.env}`;
  if (text === undefined) throw new Error(`${where} is not set`);
  if (text.trim() === '') throw new Error(`${where} is empty`);
  return text.trim();
}

/** Headers as a flat list of names and values; values are read from their files and variables. */
export function headersOf(
  values: Readonly<Record<string, string | SecretPlace>>,
  environment: Environment,
): string[] {
  return Object.entries(values).flatMap(([name, value]) => {
    return [name, typeof value === 'string' ? value : headerValue(name, value, environment)];
  });
}

export function headerValue(name: string, place: SecretPlace, environment: Environment): string {
  const text = secretAt(place, environment);
  if (!isFieldValue(text))
    throw new Error(`the value of the header ${name} has characters that no header can hold`);
  return text;
}

/** The password of the store. */
export function passwordIn(file: string): string {
  return secretAt({ file }, {});
}

/** A short token could be guessed, and one with a space cannot be sent. */
const ADMIN_TOKEN = /^\S{16,}$/;

export function bootstrapTokenIn(file: string): string {
  const token = secretAt({ file }, {});
  if (!ADMIN_TOKEN.test(token))
    throw new Error(`${file}: an admin token needs at least 16 characters and no spaces`);
  return token;
}
