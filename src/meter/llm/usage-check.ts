/** Compares the usage that a provider reports with what passed through the gateway. */
import type { Usage } from '../../quota/tokens.js';
import type { StatedUsage } from './usage.js';
import type { UsageAccumulator } from './usage-accumulator.js';

/** Estimates of what passed through the gateway. */
export interface Observed {
  /** The whole request, including media. */
  readonly inputTokens: number;
  /** Text of the request; no tokenizer produces less than half of this count. */
  readonly inputTextTokens: number;
  /** The whole answer, readable or not. */
  readonly outputTokens: number;
  /** Text that the model wrote, counted like `inputTextTokens`. */
  readonly outputTextTokens: number;
  /** Images and sound: the maximum that was requested, because the output cannot be counted while it passes. */
  readonly unseenTokens: number;
}

export interface Checked {
  readonly usage: Usage;
  readonly estimated: boolean;
}

/** The reported tokens must be at least this share of the text's estimate. */
const MIN_TEXT_SHARE = 0.5;

/** A usage without an output count may belong to an answer up to this size. */
const OMITTED_TOKENS_MAX = 16;

/**
 * Corrects each side of a reported usage. A side of 0 with text is estimated; a side below half of its text's estimate
 * is raised to that half. Tokens that only the total contains can move to the side that lacks them.
 */
export function checkedUsage(stated: StatedUsage, observed: Observed): Checked {
  const usage = withSurplusMoved(stated, observed);
  const input = inputOf(usage.input, observed);
  const output = outputOf(usage, observed);
  if (input === usage.input && output === usage.output) return { usage: plain(usage), estimated: false };
  return { usage: { ...plain(usage), input, output }, estimated: true };
}

/** Returns the known consumption while there is no final usage: the reported values, or the counted ones if larger. */
export function consumedUsage({ usage, inputBroken }: UsageAccumulator, observed: Observed): Usage {
  if (usage === undefined)
    return {
      input: observed.inputTokens,
      cachedInput: 0,
      cacheWrite: 0,
      output: observed.outputTokens,
      reasoning: 0,
    };
  const input = inputOf(usage.input, observed);
  return {
    ...plain(usage),
    input: inputBroken ? Math.max(input, observed.inputTokens) : input,
    output: Math.max(usage.output, observed.outputTokens),
  };
}

function inputOf(input: number, { inputTokens, inputTextTokens }: Observed): number {
  return input === 0 ? inputTokens : Math.max(input, Math.ceil(inputTextTokens * MIN_TEXT_SHARE));
}

function outputOf({ output, outputOmitted }: StatedUsage, observed: Observed): number {
  const { outputTextTokens, unseenTokens } = observed;
  if (output === 0 && unseenTokens > 0) return unseenTokens;
  if (output > 0) return Math.max(output, Math.ceil(outputTextTokens * MIN_TEXT_SHARE));
  return outputOmitted === true && outputTextTokens <= OMITTED_TOKENS_MAX ? 0 : outputTextTokens;
}

/** Moves tokens that only the total contains to a side that is not reported, up to its estimate. */
function withSurplusMoved(stated: StatedUsage, observed: Observed): StatedUsage {
  const { input, output, surplusInput = 0, surplusOutput = 0 } = stated;
  if (input === 0 && surplusOutput > 0) {
    const moved = Math.min(surplusOutput, observed.inputTokens, output - stated.reasoning);
    return { ...stated, input: moved, output: output - moved };
  }
  if (output === 0 && surplusInput > 0) {
    const moved = Math.min(
      surplusInput,
      observed.outputTextTokens,
      input - stated.cachedInput - stated.cacheWrite,
    );
    return { ...stated, output: moved, input: input - moved };
  }
  return stated;
}

function plain({ input, cachedInput, cacheWrite, output, reasoning }: Usage): Usage {
  return { input, cachedInput, cacheWrite, output, reasoning };
}
