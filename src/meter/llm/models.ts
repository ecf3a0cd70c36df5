/** Which row of the config prices a model. */
import { ProblemError } from '../../errors/catalogue.js';
import type { Model, Models } from './spec.js';

/** Where the config names no models: every model costs the same, and this is held where a request states no ceiling. */
const ANY_MODEL: Model = { match: '', multiplier: 1, maxOutputTokens: 4096 };

const MODEL_CHARACTERS_MAX = 256;

export type ModelTable = (name: string) => number;

export function rowsOf(models: Models): readonly Model[] {
  return models.length === 0 ? [ANY_MODEL] : models;
}

/** The row for a model's name. Throws ProblemError `model-unknown`. */
export function modelTable(models: Models): ModelTable {
  // Some upstreams (Azure, Ollama) know their models in any case.
  const patterns = models.map(({ match }) => match.toLowerCase().split('*'));
  return (name) => {
    if (name.length > MODEL_CHARACTERS_MAX) throw unknown('a model with a name so long');
    if (name.includes(',')) throw several(name);
    if (models.length === 0) return 0;
    const plain = name.toLowerCase();
    const row = patterns.findIndex((parts) => matches(parts, plain));
    if (row < 0) throw unknown(name === '' ? 'no model' : `the model ${JSON.stringify(name)}`);
    return row;
  };
}

/** Gateways take it for a list: to fall back on, or to answer all at once (LiteLLM, Helicone). */
function several(name: string): ProblemError {
  return new ProblemError('cost-invalid', `${JSON.stringify(name)} names several models: name one.`);
}

function unknown(what: string): ProblemError {
  return new ProblemError('model-unknown', `The request names ${what}, which has no price here.`);
}

/** A model as a request names it, and its row. */
export interface NamedModel {
  readonly name: string;
  readonly row: number;
}

/** The row for the model that an answer names; undefined where that is not listed. A bare `*` lists no model. */
export type AnswerBook = (answered: string, named: readonly NamedModel[]) => number | undefined;

/** What providers put behind a model's name to tell its builds apart. */
const BUILD = /^(?:[-_@:](?:\d{3,8}|\d{4}-\d\d-\d\d|\d\d-\d{2,4}|v?\d+:\d+|preview|latest|exp|beta))+$/;

export function answerBook(models: Models): AnswerBook {
  const patterns = models.map(({ match }) => match.toLowerCase().split('*'));
  const lengths = patterns.map((parts) => parts.join('').length);
  return (answered, named) => {
    if (models.length === 0) return 0;
    const plain = answered.toLowerCase();
    if (plain.length > MODEL_CHARACTERS_MAX) return undefined;
    const asked = askedFor(plain, named);
    const own = patterns.findIndex((parts) => matches(parts, plain));
    const length = lengths[own] ?? 0;
    // A build of a model that the request names costs what that model costs, unless a row says more about the build.
    if (asked !== undefined && (lengths[asked.row] ?? 0) >= length) return asked.row;
    return length === 0 ? asked?.row : own;
  };
}

/** The longest of the names that the answer's is, or is a build of. */
function askedFor(answered: string, named: readonly NamedModel[]): NamedModel | undefined {
  let best: NamedModel | undefined;
  for (const one of named) {
    const name = one.name.toLowerCase();
    if (name.length <= (best?.name.length ?? 0) || !answered.startsWith(name)) continue;
    if (name.length === answered.length || BUILD.test(answered.slice(name.length))) best = one;
  }
  return best;
}

/** `parts`: the pattern between its stars. Takes each part at its first place, so the time is bounded by the name's length. */
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
