/** The hold of an answer that grows: what is held, when more is needed, and how much. */
import type { Problem } from '../../errors/catalogue.js';
import type { Usage } from '../../quota/tokens.js';
import type { HoldSteps } from '../reader.js';
import type { Pricing } from './price.js';

export interface HoldExtensionOptions {
  readonly prices: readonly Pricing[];
  readonly inputTokens: number;
  /** Output tokens held at first. */
  readonly heldTokens: number;
  /** The maximum output of the request. */
  readonly maxTokens: number;
  /** The upstream was given this limit and enforces it. */
  readonly isLimitEnforced: boolean;
  readonly stepTokens: number;
  /** True: the hold is extended half a step before it is used up. False: only when it is used up. */
  readonly extendsEarly: boolean;
}

export class HoldExtension implements HoldSteps {
  onShort: (() => void) | undefined;
  private heldUnits: readonly number[];
  private heldTokens: number;
  private target: number;
  private inputTokens: number;
  private asked = false;
  /** After a refusal, the next extension is requested at this much output. */
  private retryAtTokens = 0;

  /**
   * @param stop returns the bytes that end the stream; undefined: the stream continues
   * @param pause while on, bytes pass only in whole events
   */
  constructor(
    private readonly options: HoldExtensionOptions,
    private readonly pause: (on: boolean) => void,
    private readonly stop: (problem: Problem) => Buffer | undefined,
  ) {
    const { prices, inputTokens, heldTokens } = options;
    this.inputTokens = inputTokens;
    this.heldTokens = heldTokens;
    this.target = heldTokens;
    this.heldUnits = prices.map((price) => price.hold(inputTokens, heldTokens));
  }

  /** An extension can be requested. */
  get isOpen(): boolean {
    return !this.asked && this.onShort !== undefined;
  }

  /** Checks the consumption so far, and requests an extension if needed. */
  check(used: Usage): void {
    if (!this.isOpen || used.output < this.retryAtTokens || !this.isShort(used)) return;
    this.inputTokens = Math.max(this.options.inputTokens, used.input);
    this.target = this.nextTarget(used.output);
    this.asked = true;
    this.pause(true);
    this.onShort?.();
  }

  wanted(): number[] {
    const next = this.options.prices.map((price) => price.hold(this.inputTokens, this.target));
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
    this.retryAtTokens = this.target;
    const last = this.stop(problem);
    if (last === undefined) this.pause(false);
    return last;
  }

  private isShort(used: Usage): boolean {
    const { prices, extendsEarly, stepTokens } = this.options;
    if (prices.some((price, index) => price.units(used) > (this.heldUnits[index] ?? 0))) return true;
    if (!extendsEarly || used.output < this.heldTokens - stepTokens / 2) return false;
    return this.nextTarget(used.output) > this.heldTokens;
  }

  /** Returns the next target: one step more, capped at the output limit unless the output already exceeds it. */
  private nextTarget(output: number): number {
    const { stepTokens, maxTokens, isLimitEnforced } = this.options;
    const next = Math.max(this.heldTokens, output) + stepTokens;
    return isLimitEnforced && output <= maxTokens
      ? Math.max(this.heldTokens, Math.min(next, maxTokens))
      : next;
  }
}
