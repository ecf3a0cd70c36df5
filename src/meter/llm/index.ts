/** Costs in tokens: what a request to a language model may cost, and what it did cost. */
import type { Problem } from '../../errors/catalogue.js';
import type { LlmApi } from '../../quota/tokens.js';
import type { QuotaDecimals } from '../../quota/units.js';
import { type LlmMeter, Meter } from './meter.js';
import type { Shape } from './shape.js';
import { SHAPES } from './shapes/index.js';
import type { LlmSpec, Models } from './spec.js';

export { LLM_APIS as APIS, type LlmApi as Api } from '../../quota/tokens.js';
export type { LlmMeter, LlmPriced } from './meter.js';
export type {
  LlmOptions,
  LlmSpec,
  Model,
  Models,
} from './spec.js';
export type { UsageReader } from './usage-reader.js';

/** Throws an Error if no request could be priced by these charges. */
export function compileLlm(specs: readonly LlmSpec[], quotas: QuotaDecimals, models: Models): LlmMeter {
  return new Meter(specs, quotas, models);
}

/** Returns the error body in the API's own format. Some APIs have one format per kind of path. */
export function errorShape(api: LlmApi): (problem: Problem, status: number, path?: string) => unknown {
  return (problem, status, path = '') => shapeAt(api, path).error(problem, status);
}

function shapeAt(api: LlmApi, path: string): Shape {
  try {
    return SHAPES[api](path, '', []);
  } catch {
    // The path has no price; use the API's default format.
    return SHAPES[api]('', '', []);
  }
}
