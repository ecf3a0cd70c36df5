/** Two readers on one answer: other costs that it tells, and its tokens. Their held charges stand in this order. */

import type { Problem } from '../errors/catalogue.js';
import type { TokenReport } from '../quota/tokens.js';
import type { CostReader } from './answer-reader.js';
import type { AnswerReader, Costs, HoldSteps } from './reader.js';

export class BothReaders implements AnswerReader {
  readonly steps: HoldSteps | undefined;

  /** @param charges how many held charges are the first reader's */
  constructor(
    private readonly costReader: CostReader,
    private readonly tokens: AnswerReader,
    charges: number,
  ) {
    this.steps = tokens.steps === undefined ? undefined : new StepsBehind(tokens.steps, charges);
  }

  head(status: number, fields: readonly Buffer[]): boolean {
    this.costReader.head(status, fields);
    return this.tokens.head(status, fields);
  }

  data(chunk: Buffer): Buffer | undefined {
    this.costReader.look(chunk);
    return this.countPassed(this.tokens.data(chunk));
  }

  ready(): Promise<void> | undefined {
    const waits = [this.costReader.ready(), this.tokens.ready?.()].filter((wait) => wait !== undefined);
    return waits.length === 0 ? undefined : Promise.all(waits).then(() => undefined);
  }

  end(): Buffer | undefined {
    return this.countPassed(this.tokens.end());
  }

  progress(): number[] {
    return [...this.costReader.progress(), ...this.tokens.progress()];
  }

  costs(whole: boolean): Costs | Promise<Costs> {
    const [first, second] = [this.costReader.costs(whole), this.tokens.costs(whole)];
    if (first instanceof Promise || second instanceof Promise)
      return Promise.all([first, second]).then(([a, b]) => [...a, ...b]);
    return [...first, ...second];
  }

  isVoid(): boolean {
    return this.tokens.isVoid?.() === true && this.costReader.progress().every((units) => units === 0);
  }

  report(): TokenReport | undefined {
    return this.tokens.report?.();
  }

  private countPassed(bytes: Buffer | undefined): Buffer | undefined {
    if (bytes !== undefined) this.costReader.passed(bytes.length);
    return bytes;
  }
}

/** Only the tokens' holds grow. */
class StepsBehind implements HoldSteps {
  constructor(
    private readonly steps: HoldSteps,
    private readonly charges: number,
  ) {}

  get onShort(): (() => void) | undefined {
    return this.steps.onShort;
  }

  set onShort(onShort: (() => void) | undefined) {
    this.steps.onShort = onShort;
  }

  wanted(): number[] {
    return [...new Array<number>(this.charges).fill(0), ...this.steps.wanted()];
  }

  granted(): undefined {
    this.steps.granted();
  }

  refused(problem: Problem): Buffer | undefined {
    return this.steps.refused(problem);
  }
}
