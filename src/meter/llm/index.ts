/** Costs in tokens: what a request to a language model may cost, and what it did cost. */
import type { Problem } from '../../errors/catalogue.js';
import type { LlmApi } from '../../quota/tokens.js';
import { type LlmMeter, Meter, type QuotaDecimals } from './meter.js';
import type { Shape } from './shape.js';
import { SHAPES } from './shapes/index.js';
import type { LlmSpec, Models } from './spec.js';

export { LLM_APIS as APIS, type LlmApi as Api } from '../../quota/tokens.js';
export type { LlmMeter } from './meter.js';
export type {
  LlmSpec,
  LlmTerms,
  Model,
  Models,
} from './spec.js';

/** Throws an Error for charges by which no request could be priced. */
export function compileLlm(specs: readonly LlmSpec[], quotas: QuotaDecimals, models: Models): LlmMeter {
  return new Meter(specs, quotas, models);
}

/** The API's own error body for a problem of ours; some have one for each kind of path. */
export function errorShape(api: LlmApi): (problem: Problem, status: number, path?: string) => unknown {
  return (problem, status, path = '') => shapeAt(api, path).error(problem, status);
}

function shapeAt(api: LlmApi, path: string): Shape {
  try {
    return SHAPES[api](path, '', []);
  } catch {
    // What the path asks for has no price.
    return SHAPES[api]('', '', []);
  }
}
