/** Which row of the config prices a model. */
import { ProblemError } from '../../errors/catalogue.js';
import type { Model, Models } from './spec.js';

/** Where the config names no models: every model costs the same, and this is held where a request states no ceiling. */
const ANY_MODEL: Model = { match: '', multiplier: 1, maxOutputTokens: 4096 };

const MODEL_CHARACTERS_MAX = 256;

export type ModelBook = (name: string) => number;

export function rowsOf(models: Models): readonly Model[] {
  return models.length === 0 ? [ANY_MODEL] : models;
}

/** The row for a model's name. Throws ProblemError `model-unknown`. */
export function modelBook(models: Models): ModelBook {
  // Some upstreams (Azure, Ollama) know their models in any case.
  const patterns = models.map(({ match }) => match.toLowerCase().split('*'));
  return (name) => {
    if (name.length > MODEL_CHARACTERS_MAX) throw unknown('a model with a name so long');
    if (models.length === 0) return 0;
    const plain = name.toLowerCase();
    const row = patterns.findIndex((parts) => matches(parts, plain));
    if (row < 0) throw unknown(name === '' ? 'no model' : `the model ${JSON.stringify(name)}`);
    return row;
  };
}

function unknown(what: string): ProblemError {
  return new ProblemError('model-unknown', `The request names ${what}, which has no price here.`);
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
