/** The hold of an answer that grows: what is held, when more is needed, and how much. */
import type { Problem } from '../../errors/catalogue.js';
import type { Usage } from '../../quota/tokens.js';
import type { HoldSteps } from '../reader.js';
import type { Pricing } from './price.js';

export interface HoldExtensionOptions {
  readonly prices: readonly Pricing[];
  readonly inputTokens: number;
  /** Output held at first. */
  readonly heldTokens: number;
  /** All output that the request may produce. */
  readonly mostTokens: number;
  /** The upstream has this limit, and keeps to it. */
  readonly bound: boolean;
  readonly stepTokens: number;
  /** More is asked for half a step before it is needed; else only when it is. */
  readonly ahead: boolean;
}

export class HoldExtension implements HoldSteps {
  onShort: (() => void) | undefined;
  private heldUnits: readonly number[];
  private heldTokens: number;
  private target: number;
  private inputTokens: number;
  private asked = false;
  /** After a refusal: asks again with this much output. */
  private quietTo = 0;

  /** @param stop tells what the stream ends with, undefined if it goes on; `pause`: bytes pass only in whole events */
  constructor(
    private readonly terms: HoldExtensionOptions,
    private readonly pause: (on: boolean) => void,
    private readonly stop: (problem: Problem) => Buffer | undefined,
  ) {
    const { prices, inputTokens, heldTokens } = terms;
    this.inputTokens = inputTokens;
    this.heldTokens = heldTokens;
    this.target = heldTokens;
    this.heldUnits = prices.map((price) => price.hold(inputTokens, heldTokens));
  }

  /** It can be asked for more. */
  get isOpen(): boolean {
    return !this.asked && this.onShort !== undefined;
  }

  /** Looks at what was consumed so far. */
  check(used: Usage): void {
    if (!this.isOpen || used.output < this.quietTo || !this.isShort(used)) return;
    this.inputTokens = Math.max(this.terms.inputTokens, used.input);
    this.target = this.nextTarget(used.output);
    this.asked = true;
    this.pause(true);
    this.onShort?.();
  }

  wanted(): number[] {
    const next = this.terms.prices.map((price) => price.hold(this.inputTokens, this.target));
    return next.map((units, index) => Math.max(0, units - (this.heldUnits[index] ?? 0)));
  }

  granted(): undefined {
    const more = this.wanted();
    this.heldUnits = this.heldUnits.map((units, index) => units + (more[index] ?? 0));
    this.heldTokens = Math.max(this.heldTokens, this.target);
    this.asked = false;
    this.pause(false);
  }

  refused(problem: Problem): Buffer | undefined {
    this.asked = false;
    this.quietTo = this.target;
    const last = this.stop(problem);
    if (last === undefined) this.pause(false);
    return last;
  }

  private isShort(used: Usage): boolean {
    const { prices, ahead, stepTokens } = this.terms;
    if (prices.some((price, index) => price.units(used) > (this.heldUnits[index] ?? 0))) return true;
    if (!ahead || used.output < this.heldTokens - stepTokens / 2) return false;
    return this.nextTarget(used.output) > this.heldTokens;
  }

  /** A step on, but not beyond where the upstream is to stop; unless it does not. */
  private nextTarget(output: number): number {
    const { stepTokens, mostTokens, bound } = this.terms;
    const next = Math.max(this.heldTokens, output) + stepTokens;
    return bound && output <= mostTokens ? Math.max(this.heldTokens, Math.min(next, mostTokens)) : next;
  }
}
