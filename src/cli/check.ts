/** `quotagate check -c file`: prints every error of a config with its position and a fix, for people and for CI. */

import { secretFindings } from '../app/secrets.js';
import type { Environment } from '../config/environment.js';
import { ConfigError, type Mistake } from '../config/issues.js';
import { type FurtherCheck, readConfig } from '../config/load.js';
import type { Config } from '../config/schema.js';

export interface Output {
  write(text: string): unknown;
}

export interface CheckOptions {
  readonly file: string;
  readonly environment: Environment;
  /** Also reads the files and variables that the config names. */
  readonly secrets?: boolean;
}

/** Returns the exit code: 0 if the config is valid, else 1. */
export function check({ file, environment, secrets = false }: CheckOptions, out: Output): number {
  const also: FurtherCheck = (config) => (secrets ? secretFindings(config, environment) : []);
  try {
    out.write(`${file}: ok, ${summary(readConfig(file, environment, also))}\n`);
    return 0;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const mistake of error.mistakes) out.write(`${lineOf(file, mistake)}\n`);
    out.write(`${file}: ${counted(error.mistakes.length, 'error')}\n`);
    return 1;
  }
}

function summary({ routes, quotas, orgs }: Config): string {
  const counts = [
    counted(routes.length, 'route'),
    counted(Object.keys(quotas).length, 'quota'),
    counted(Object.keys(orgs).length, 'org'),
  ];
  return counts.join(', ');
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** An error as one line, in the form of a compiler. */
export function lineOf(file: string, { path, line, column, message, hint, variable }: Mistake): string {
  const place = variable ?? `${file}:${line}:${column}`;
  return `${place}${path === '' ? '' : ` ${path}`}: ${message} – ${hint}`;
}
