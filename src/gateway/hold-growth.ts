/**
 * Extends a hold while its response streams. This is the only place that waits for the store's decision about an
 * extension.
 */
import { type Problem, ProblemError } from '../errors/catalogue.js';
import type { Refused, Result } from '../ledger/port.js';
import type { HoldSteps } from '../meter/reader.js';

export interface HoldGrowth {
  readonly steps: HoldSteps;
  /** Asks the store to hold `more` additional units, per held charge. */
  readonly extend: (more: readonly number[]) => Promise<Result>;
  readonly refusal: (refused: Refused) => Problem;
  /** Ends the client's response with these bytes. */
  readonly cut: (last: Buffer) => void;
  readonly onError: (error: unknown) => void;
}

/** From now on the hold is extended whenever the reader runs short. A refused extension may end the response. */
export function growHold(growth: HoldGrowth): void {
  const { steps, onError } = growth;
  steps.onShort = () => {
    extendOnce(growth).catch(onError);
  };
}

async function extendOnce({ steps, extend, refusal, cut }: HoldGrowth): Promise<void> {
  const result = await extend(steps.wanted());
  if (result.status === 'renewed') {
    steps.granted();
    return;
  }
  const problem =
    result.status === 'refused'
      ? refusal(result)
      : new ProblemError('hold-lost', 'the store does not have the hold of this response');
  const last = steps.refused(problem);
  if (last !== undefined) cut(last);
}
