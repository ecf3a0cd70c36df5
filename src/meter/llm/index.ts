/** Costs in tokens: what a request to a language model may cost, and what it did cost. */
import type { Problem } from '../../errors/catalogue.js';
import type { LlmApi } from '../../quota/tokens.js';
import { type LlmMeter, Meter, type QuotaDecimals } from './meter.js';
import { SHAPES } from './shapes/index.js';
import type { LlmSpec, Models } from './spec.js';

export { LLM_APIS as APIS, type LlmApi as Api } from '../../quota/tokens.js';
export type { LlmMeter } from './meter.js';
export type {
  LlmSpec,
  LlmTerms,
  Model,
  Models,
  Weights,
} from './spec.js';

/** Throws an Error for charges by which no request could be priced. */
export function compileLlm(specs: readonly LlmSpec[], quotas: QuotaDecimals, models: Models): LlmMeter {
  return new Meter(specs, quotas, models);
}

/** The API's own error body for a problem of ours. */
export function errorShape(api: LlmApi): (problem: Problem, status: number) => unknown {
  return SHAPES[api]('', '', []).error;
}
