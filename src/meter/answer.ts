/**
 * Compiles charges whose cost is known only from the answer: a response header, numbers in the response's JSON, or its
 * bytes. The gateway holds an estimate first. A reader observes the answer and reports the final cost.
 */
import type { ChargeItem } from '../quota/charge.js';
import { configUnits, decimalsOf, type QuotaDecimals } from '../quota/units.js';
import { type Aggregation, answerJson, type WantedNumber } from './answer-json.js';
import { CostReader, type Source } from './answer-reader.js';

/** `hold`: the estimate; `floor`: the minimum charge for an answer that counts. Amounts in the quota's units. */
interface Estimated {
  readonly quota: string;
  readonly hold: number | string;
  readonly floor?: number | string | undefined;
}

export type AnswerSpec = Estimated &
  (
    | { readonly responseHeader: string }
    | { readonly responseJson: string; readonly across?: Aggregation }
    | { readonly bytes: 'out' }
  );

export interface AnswerMeter {
  /** The estimates to hold, in the order of the reader's costs. */
  readonly items: readonly ChargeItem[];
  readonly floors: readonly number[];
  /** The upstream must use a content coding that the gateway can decode. */
  readonly readsBody: boolean;
  open(): CostReader;
}

/** Throws an Error if no answer could be priced by these charges. */
export function compileAnswer(specs: readonly AnswerSpec[], quotas: QuotaDecimals): AnswerMeter | undefined {
  if (specs.length === 0) return undefined;
  const wanted: WantedNumber[] = [];
  const sources = specs.map((spec) => sourceOf(spec, decimalsOf(quotas, spec.quota), wanted));
  const readJson = wanted.length === 0 ? undefined : answerJson(wanted);
  return {
    items: specs.map(({ quota, hold }) => ({
      quota,
      units: configUnits(hold, quotas, quota),
      kind: 'held',
    })),
    floors: specs.map(({ quota, floor = 0 }) => configUnits(floor, quotas, quota)),
    readsBody: readJson !== undefined,
    open: () => new CostReader(sources, readJson),
  };
}

function sourceOf(spec: AnswerSpec, decimals: number, wanted: WantedNumber[]): Source {
  if ('bytes' in spec) return { bytes: true, decimals };
  if ('responseHeader' in spec) return { header: spec.responseHeader.toLowerCase(), decimals };
  const { responseJson: pointer, across = 'last' } = spec;
  return { json: wanted.push({ pointer, across, decimals }) - 1 };
}
