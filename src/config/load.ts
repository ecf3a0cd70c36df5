/** Turns the text of a config file into a `Config`, or reports every error in it. */
import { readFileSync } from 'node:fs';
import Value from 'typebox/value';
import { crossCheck } from './cross-check.js';
import { type Environment, type Overlay, overlay } from './environment.js';
import { ConfigError, type Issue, type Mistake, type Path, pointerOf } from './issues.js';
import type { PartialConfig } from './partial-config.js';
import { type Config, ConfigSchema } from './schema.js';
import { parseSource, type Source } from './source.js';
import { type Slip, validate } from './validate.js';

/** Reads the file; throws a `ConfigError` with every error. */
export function readConfig(file: string, environment: Environment, also?: FurtherCheck): Config {
  try {
    return loadConfig(readText(file), environment, also);
  } catch (error) {
    throw error instanceof ConfigError ? new ConfigError(error.mistakes, file) : error;
  }
}

/** A further check, beyond what the file alone shows. */
export type FurtherCheck = (config: PartialConfig) => Iterable<Issue>;

export function loadConfig(text: string, environment: Environment, also: FurtherCheck = () => []): Config {
  const source = parseSource(text);
  if (source.data === undefined) throw new ConfigError([...source.mistakes].sort(byPlace));
  const over = overlay(ConfigSchema, source.data.value, environment);
  const { draft, issues, slips } = validate(ConfigSchema, over.data);
  const partial = (draft ?? {}) as PartialConfig;
  const placed = [...issues, ...crossCheck(partial), ...also(partial)]
    .map((one) => place({ ...one, path: asWritten(one.path, slips) }, source, over))
    .filter(({ path }) => !source.unresolved.some((alias) => `${path}/`.startsWith(`${pointerOf(alias)}/`)));
  const mistakes = [...source.mistakes, ...placed, ...over.mistakes];
  if (mistakes.length > 0) throw new ConfigError(mistakes.sort(byPlace));
  Value.Assert(ConfigSchema, draft);
  return draft;
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const message = `cannot be read: ${error instanceof Error ? error.message : String(error)}`;
    throw new ConfigError([{ path: '', line: 1, column: 1, message, hint: 'name a config file with -c' }]);
  }
}

/** The path with its keys as written in the file. */
function asWritten(path: Path, slips: readonly Slip[]): Path {
  const written = new Map(slips.map((slip) => [pointerOf(slip.path), slip.written]));
  return path.map((key, depth) => written.get(pointerOf(path.slice(0, depth + 1))) ?? key);
}

function place({ path, message, hint, spot }: Issue, source: Source, over: Overlay): Mistake {
  const mistake = { path: pointerOf(path), message, hint };
  for (let depth = path.length; depth > 0; depth -= 1) {
    const variable = over.sources.get(pointerOf(path.slice(0, depth)));
    if (variable !== undefined) return { ...mistake, line: 0, column: 0, variable };
  }
  return { ...mistake, ...source.locate(path, spot) };
}

// Errors of environment variables come last: they have no line in the file.
function byPlace(a: Mistake, b: Mistake): number {
  const last = Number(a.variable !== undefined) - Number(b.variable !== undefined);
  return last || a.line - b.line || a.column - b.column;
}
