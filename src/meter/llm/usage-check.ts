/** The one place where what a provider says of a whole answer is held against what passed through the gateway. */
import type { Usage } from '../../quota/tokens.js';
import type { StatedUsage } from './usage.js';
import type { UsageAccumulator } from './usage-accumulator.js';

/** Estimates of what passed. */
export interface Passed {
  /** All of the request, with its media. */
  readonly inputTokens: number;
  /** Text of the request that no tokenizer makes less than half of. */
  readonly inputTextTokens: number;
  /** All that came, read or not. */
  readonly outputTokens: number;
  /** Text that the model wrote, likewise. */
  readonly outputTextTokens: number;
  /** Images and sound: all that was asked for, since what is made cannot be counted while it passes. */
  readonly unseenTokens: number;
}

export interface Checked {
  readonly usage: Usage;
  readonly estimated: boolean;
}

/** Text is at least this part of its estimate: fewer tokens than that it cannot have. */
const TEXT_PART_LEAST = 0.5;

/** An answer as short as this may be left out of a usage that says nothing of outputs. */
const UNTOLD_TOKENS_MAX = 16;

/**
 * A side that is 0 although text passed on it is estimated, one that is below half of its text's estimate raised to that; tokens that
 * only the total knows of count towards either.
 */
export function checkedUsage(stated: StatedUsage, passed: Passed): Checked {
  const usage = withSurplusOnBothSides(stated, passed);
  const input = inputOf(usage.input, passed);
  const output = outputOf(usage, passed);
  if (input === usage.input && output === usage.output) return { usage: plain(usage), estimated: false };
  return { usage: { ...plain(usage), input, output }, estimated: true };
}

/** What is known to be consumed while no final usage has come: what was stated, and what was counted beyond. */
export function consumedUsage({ usage, inputBroken }: UsageAccumulator, passed: Passed): Usage {
  if (usage === undefined)
    return {
      input: passed.inputTokens,
      cachedInput: 0,
      cacheWrite: 0,
      output: passed.outputTokens,
      reasoning: 0,
    };
  const input = inputOf(usage.input, passed);
  return {
    ...plain(usage),
    input: inputBroken ? Math.max(input, passed.inputTokens) : input,
    output: Math.max(usage.output, passed.outputTokens),
  };
}

function inputOf(input: number, { inputTokens, inputTextTokens }: Passed): number {
  return input === 0 ? inputTokens : Math.max(input, Math.ceil(inputTextTokens * TEXT_PART_LEAST));
}

function outputOf({ output, outputUntold }: StatedUsage, passed: Passed): number {
  const { outputTextTokens, unseenTokens } = passed;
  if (output === 0 && unseenTokens > 0) return unseenTokens;
  if (output > 0) return Math.max(output, Math.ceil(outputTextTokens * TEXT_PART_LEAST));
  return outputUntold === true && outputTextTokens <= UNTOLD_TOKENS_MAX ? 0 : outputTextTokens;
}

/** A side that is not stated takes what the total knows of, up to its estimate. */
function withSurplusOnBothSides(stated: StatedUsage, passed: Passed): StatedUsage {
  const { input, output, surplusInput = 0, surplusOutput = 0 } = stated;
  if (input === 0 && surplusOutput > 0) {
    const moved = Math.min(surplusOutput, passed.inputTokens, output - stated.reasoning);
    return { ...stated, input: moved, output: output - moved };
  }
  if (output === 0 && surplusInput > 0) {
    const moved = Math.min(
      surplusInput,
      passed.outputTextTokens,
      input - stated.cachedInput - stated.cacheWrite,
    );
    return { ...stated, output: moved, input: input - moved };
  }
  return stated;
}

function plain({ input, cachedInput, cacheWrite, output, reasoning }: Usage): Usage {
  return { input, cachedInput, cacheWrite, output, reasoning };
}
