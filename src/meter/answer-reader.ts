/** Observes an answer while it passes. Its cost is in a header, in numbers of its JSON, or in its byte count. */
import { UNITS_MAX } from '../quota/charge.js';
import { parseUnits } from '../quota/units.js';
import { fieldOf } from './answer-fields.js';
import type { AnswerJson, ReadAnswer } from './answer-json.js';
import type { AnswerReader, Cost, Costs, DecodedBytes } from './reader.js';

/** Where one charge finds its cost. `json`: index into the numbers that are extracted. */
export type Source =
  | { readonly header: string; readonly decimals: number }
  | { readonly json: number }
  | { readonly bytes: true; readonly decimals: number };

export class CostReader implements AnswerReader, DecodedBytes {
  private readonly headers = new Map<string, string | undefined>();
  private json: AnswerJson | undefined;
  private bytes = 0;
  /** Another reader decodes the answer. */
  private getsDecoded = false;

  constructor(
    private readonly sources: readonly Source[],
    private readonly readJson: ReadAnswer | undefined,
  ) {}

  /** From now on, `inspect` gets decoded bytes. Called before `head`. */
  expectDecoded(): void {
    this.getsDecoded = true;
  }

  head(_status: number, fields: readonly Buffer[]): boolean {
    const { headers } = this;
    for (let index = 0; index < fields.length; index += 2) {
      const name = (fields[index]?.toString('latin1') ?? '').toLowerCase();
      // A header that is sent twice has no single value, so it counts as missing.
      headers.set(name, headers.has(name) ? undefined : fields[index + 1]?.toString('latin1').trim());
    }
    this.json = this.readJson?.(this.getsDecoded ? '' : fieldOf(fields, 'content-encoding'));
    return false;
  }

  data(chunk: Buffer): Buffer {
    this.inspect(chunk);
    this.countSent(chunk.length);
    return chunk;
  }

  inspect(chunk: Buffer): void {
    this.json?.push(chunk);
  }

  undecodable(): void {
    this.json?.markIncomplete();
  }

  decodedEnd(): void {
    this.json?.end();
  }

  /** Counts bytes that were sent to the client. */
  countSent(bytes: number): void {
    this.bytes += bytes;
  }

  ready(): Promise<void> | undefined {
    return this.json?.ready();
  }

  end(): undefined {
    return undefined;
  }

  progress(): number[] {
    return this.sources.map((source) => {
      if ('bytes' in source) return this.bytesUnits(source.decimals);
      return 'json' in source ? (this.json?.reported(source.json).units ?? 0) : 0;
    });
  }

  costs(whole: boolean): Costs | Promise<Costs> {
    const reading = this.json?.end();
    if (reading === undefined) return this.found(whole);
    return reading.then(() => this.found(whole));
  }

  /** The costs of an answer that is read. */
  found(whole: boolean): Costs {
    return this.sources.map((source): Cost | undefined => {
      if ('bytes' in source) return { units: this.bytesUnits(source.decimals), estimated: false };
      if ('json' in source) return this.jsonCost(source.json, whole);
      const text = this.headers.get(source.header);
      const units = text === undefined ? undefined : parseUnits(text, source.decimals, true);
      return units === undefined ? undefined : { units, estimated: false };
    });
  }

  /** If the answer broke off or could not be fully read, the reported number is a lower bound. */
  private jsonCost(index: number, whole: boolean): Cost | undefined {
    const reported = this.json?.reported(index);
    if (reported?.units === undefined) return undefined;
    const isAll = whole && reported.whole;
    return { units: reported.units, estimated: !isAll, partial: !isAll };
  }

  private bytesUnits(decimals: number): number {
    return Math.min(UNITS_MAX, this.bytes * 10 ** decimals);
  }
}
