/** The growth of a hold while its response streams: the one place that waits for the store's decision about it. */
import { type Problem, ProblemError } from '../errors/catalogue.js';
import type { Refused, Result } from '../ledger/port.js';
import type { HoldSteps } from '../meter/reader.js';

export interface HoldGrowth {
  readonly steps: HoldSteps;
  /** Asks the store to hold `more` units on top, by held charge. */
  readonly extend: (more: readonly number[]) => Promise<Result>;
  readonly refusal: (refused: Refused) => Problem;
  /** Ends the client's response with these bytes. */
  readonly cut: (last: Buffer) => void;
  readonly onError: (error: unknown) => void;
}

/** From now on the hold grows whenever the reader runs short; what the store does not grant may end the response. */
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
