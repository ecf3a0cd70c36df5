/**
 * Combines two readers on one answer: a cost reader and a token reader. The cost reader's held charges come first. The token
 * reader decodes the answer for both.
 */

import type { Problem } from '../errors/catalogue.js';
import type { TokenReport } from '../quota/tokens.js';
import type { CostReader } from './answer-reader.js';
import type { UsageReader } from './llm/index.js';
import type { AnswerReader, Costs, HoldSteps } from './reader.js';

export class CombinedReader implements AnswerReader {
  readonly steps: HoldSteps | undefined;

  /**
   * @param charges the number of held charges of the cost reader
   */
  constructor(
    private readonly costReader: CostReader,
    private readonly tokens: UsageReader,
    charges: number,
  ) {
    costReader.expectDecoded();
    tokens.passDecoded(costReader);
    this.steps = tokens.steps === undefined ? undefined : new OffsetHoldSteps(tokens.steps, charges);
  }

  head(status: number, fields: readonly Buffer[]): boolean {
    this.costReader.head(status, fields);
    return this.tokens.head(status, fields);
  }

  data(chunk: Buffer): Buffer | undefined {
    return this.countSent(this.tokens.data(chunk));
  }

  ready(): Promise<void> | undefined {
    return this.tokens.ready();
  }

  end(): Buffer | undefined {
    return this.countSent(this.tokens.end());
  }

  progress(): number[] {
    return [...this.costReader.progress(), ...this.tokens.progress()];
  }

  costs(whole: boolean): Costs | Promise<Costs> {
    const tokens = this.tokens.costs(whole);
    if (tokens instanceof Promise) return tokens.then((costs) => [...this.costReader.found(whole), ...costs]);
    return [...this.costReader.found(whole), ...tokens];
  }

  isVoid(): boolean {
    return this.tokens.isVoid() && this.costReader.progress().every((units) => units === 0);
  }

  report(): TokenReport | undefined {
    return this.tokens.report();
  }

  private countSent(bytes: Buffer | undefined): Buffer | undefined {
    if (bytes !== undefined) this.costReader.countSent(bytes.length);
    return bytes;
  }
}

/** Only the holds for tokens can grow. Their position is shifted by the cost reader's charges. */
class OffsetHoldSteps implements HoldSteps {
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
