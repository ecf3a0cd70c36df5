/** Finds the row of the config that prices a model. */
import { ProblemError } from '../../errors/catalogue.js';
import type { Model, Models } from './spec.js';

/**
 * Used if the config lists no models: all models cost the same, and this output is held if the request states no limit.
 */
const ANY_MODEL: Model = { match: '', multiplier: 1, maxOutputTokens: 4096 };

const MODEL_CHARACTERS_MAX = 256;

export type ModelTable = (name: string) => number;

export function rowsOf(models: Models): readonly Model[] {
  return models.length === 0 ? [ANY_MODEL] : models;
}

/** Returns the row for a model name. Throws ProblemError `model-unknown`. */
export function modelTable(models: Models): ModelTable {
  // Some upstreams (Azure, Ollama) ignore the case of model names.
  const patterns = models.map(({ match }) => match.toLowerCase().split('*'));
  return (name) => {
    if (name.length > MODEL_CHARACTERS_MAX)
      throw unknown(`a model with a name of more than ${MODEL_CHARACTERS_MAX} characters`);
    if (name.includes(',')) throw severalModels(name);
    if (models.length === 0) return 0;
    const plain = name.toLowerCase();
    const row = patterns.findIndex((parts) => matches(parts, plain));
    if (row < 0) throw unknown(name === '' ? 'no model' : `the model ${JSON.stringify(name)}`);
    return row;
  };
}

/**
 * Some gateways (LiteLLM, Helicone) split such a name into a list of models: fallbacks, or all to be answered at once.
 */
function severalModels(name: string): ProblemError {
  return new ProblemError('cost-invalid', `${JSON.stringify(name)} names several models: name one.`);
}

function unknown(what: string): ProblemError {
  return new ProblemError('model-unknown', `The request names ${what}; its price is not configured.`);
}

/** A model name of a request, and its row. */
export interface NamedModel {
  readonly name: string;
  readonly row: number;
}

/** Returns the row for the model that an answer names; undefined if it is not listed. A bare `*` lists no model. */
export type AnswerModelTable = (answered: string, named: readonly NamedModel[]) => number | undefined;

/** Suffixes that providers append to a model name to identify a build. */
const BUILD_SUFFIX =
  /^(?:[-_@:](?:\d{3,8}|\d{4}-\d\d-\d\d|\d\d-\d{2,4}|v?\d+:\d+|preview|latest|exp|beta))+$/;

export function answerModelTable(models: Models): AnswerModelTable {
  const patterns = models.map(({ match }) => match.toLowerCase().split('*'));
  const lengths = patterns.map((parts) => parts.join('').length);
  return (answered, named) => {
    if (models.length === 0) return 0;
    const plain = answered.toLowerCase();
    if (plain.length > MODEL_CHARACTERS_MAX) return undefined;
    const asked = askedFor(plain, named);
    const own = patterns.findIndex((parts) => matches(parts, plain));
    const length = lengths[own] ?? 0;
    // A build of a requested model costs the same as that model, unless a longer pattern lists the build.
    if (asked !== undefined && (lengths[asked.row] ?? 0) >= length) return asked.row;
    return length === 0 ? asked?.row : own;
  };
}

/** Returns the longest requested name that equals the answered name or is its prefix before a build suffix. */
function askedFor(answered: string, named: readonly NamedModel[]): NamedModel | undefined {
  let best: NamedModel | undefined;
  for (const one of named) {
    const name = one.name.toLowerCase();
    if (name.length <= (best?.name.length ?? 0) || !answered.startsWith(name)) continue;
    if (name.length === answered.length || BUILD_SUFFIX.test(answered.slice(name.length))) best = one;
  }
  return best;
}

/**
 * `parts`: the pattern split at `*`. Each part matches at its first occurrence, so the time is bounded by the name's
 * length.
 */
function matches(parts: readonly string[], name: string): boolean {
  const [first = '', ...others] = parts;
  const last = others.pop();
  if (last === undefined) return name === first;
  if (!name.startsWith(first)) return false;
  let at = first.length;
  for (const part of others) {
    const found = name.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return name.length - last.length >= at && name.endsWith(last);
}
