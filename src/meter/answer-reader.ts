/** Looks on while an answer passes whose costs are a header, numbers in its JSON, or its bytes. */
import { UNITS_MAX } from '../quota/charge.js';
import { parseUnits } from '../quota/units.js';
import { fieldOf } from './answer-fields.js';
import type { AnswerJson, ReadAnswer } from './answer-json.js';
import type { AnswerReader, Cost, Costs } from './reader.js';

/** Where one charge finds its cost. `json`: by its number among those that are read. */
export type Source =
  | { readonly header: string; readonly decimals: number }
  | { readonly json: number }
  | { readonly bytes: true; readonly decimals: number };

export class CostReader implements AnswerReader {
  private readonly headers = new Map<string, string | undefined>();
  private json: AnswerJson | undefined;
  private bytes = 0;

  constructor(
    private readonly sources: readonly Source[],
    private readonly readJson: ReadAnswer | undefined,
  ) {}

  head(_status: number, fields: readonly Buffer[]): boolean {
    const { headers } = this;
    for (let index = 0; index < fields.length; index += 2) {
      const name = (fields[index]?.toString('latin1') ?? '').toLowerCase();
      // A field sent twice has no one value: as a cost it is as good as none.
      headers.set(name, headers.has(name) ? undefined : fields[index + 1]?.toString('latin1').trim());
    }
    this.json = this.readJson?.(fieldOf(fields, 'content-encoding'));
    return false;
  }

  data(chunk: Buffer): Buffer {
    this.look(chunk);
    this.passed(chunk.length);
    return chunk;
  }

  /** At what the upstream sent. */
  look(chunk: Buffer): void {
    this.json?.push(chunk);
  }

  /** So many bytes went to the client. */
  passed(bytes: number): void {
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

  private found(whole: boolean): Costs {
    return this.sources.map((source): Cost | undefined => {
      if ('bytes' in source) return { units: this.bytesUnits(source.decimals), estimated: false };
      if ('json' in source) return this.jsonCost(source.json, whole);
      const text = this.headers.get(source.header);
      const units = text === undefined ? undefined : parseUnits(text, source.decimals, true);
      return units === undefined ? undefined : { units, estimated: false };
    });
  }

  /** What an answer reported that broke off, or could not all be read, is the least that it costs. */
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
