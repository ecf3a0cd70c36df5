/**
 * What did it cost, where only the answer tells: a response header, a number in the response's JSON, or its bytes. Before,
 * an estimate is held; a reader looks on while the answer passes through, and says afterwards what was found.
 */
import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib';
import type { Problem } from '../errors/catalogue.js';
import type { ChargeItem } from '../quota/charge.js';
import { UNITS_MAX } from '../quota/charge.js';
import type { TokenReport } from '../quota/tokens.js';
import { parseUnits } from '../quota/units.js';
import { unitsOfNumber } from './amount.js';
import { jsonReader } from './json-reader.js';

/** `hold`: the estimate; `floor`: the least that an answer which counts is charged. Amounts in the quota's units. */
interface Estimated {
  readonly quota: string;
  readonly hold: number | string;
  readonly floor?: number | string | undefined;
}

export type AnswerSpec = Estimated &
  ({ readonly responseHeader: string } | { readonly responseJson: string } | { readonly bytes: 'out' });

/** What a held charge came to. `estimated`: counted by us, the upstream did not say. */
export interface Cost {
  readonly units: number;
  readonly estimated: boolean;
}

/** By held charge; undefined where the answer carried no cost that can be used. */
export type Costs = readonly (Cost | undefined)[];

/** Looks on while one answer passes. */
export interface AnswerReader {
  /** Flat, as the upstream sent them. True: the body that `data` hands on may differ, so its length is not the upstream's. */
  head(status: number, fields: readonly Buffer[]): boolean;
  /** What the client gets now: the same chunk, unless something is left out or kept back; undefined: nothing yet. */
  data(chunk: Buffer): Buffer | undefined;
  /** The answer has ended well: what was kept back. */
  end(): Buffer | undefined;
  /** Units known to be consumed so far, by held charge. */
  progress(): number[];
  /**
   * Asked once, when nothing more comes; `head` may never have been called. `whole`: the answer ended well. A promise where a
   * coded body is still being read.
   */
  costs(whole: boolean): Costs | Promise<Costs>;
  /** Where the hold grows with the answer. */
  readonly steps?: Steps | undefined;
  /** What was counted, asked after `costs`; only where it is tokens. */
  report?(): TokenReport;
}

/** A hold that grows with its answer. */
export interface Steps {
  /** Called within `data` when what is held will soon be used up; not again before it was told `granted` or `refused`. */
  onShort: (() => void) | undefined;
  /** By held charge: units to hold on top. */
  wanted(): number[];
  granted(): undefined;
  /** There is no room. What the client's stream has to end with, in place of all that would follow; undefined: it goes on. */
  refused(problem: Problem): Buffer | undefined;
}

export interface AnswerMeter {
  /** The estimates to hold, in the order of the reader's answers. */
  readonly items: readonly ChargeItem[];
  readonly floors: readonly number[];
  open(): AnswerReader;
}

/** JSON answers larger than this are not read: what they cost is the estimate. */
const BODY_READ_MAX_BYTES = 1_048_576;

/** How one charge is found. */
type Finder = (seen: Seen) => number | undefined;

/** Throws an Error for charges by which no answer could be priced. */
export function compileAnswer(
  specs: readonly AnswerSpec[],
  quotas: Readonly<Record<string, { readonly decimals: number }>>,
): AnswerMeter | undefined {
  if (specs.length === 0) return undefined;
  const decimalsOf = (quota: string): number => quotas[quota]?.decimals ?? 0;
  const finders = specs.map((spec) => finderOf(spec, decimalsOf(spec.quota)));
  const keepsBody = specs.some((spec) => 'responseJson' in spec);
  return {
    items: specs.map(({ quota, hold }) => ({ quota, units: amount(hold, decimalsOf(quota)), kind: 'held' })),
    floors: specs.map(({ quota, floor = 0 }) => amount(floor, decimalsOf(quota))),
    open: () => new Reader(finders, specs, decimalsOf, keepsBody),
  };
}

function amount(text: number | string, decimals: number): number {
  const units = parseUnits(text, decimals);
  if (units === undefined) throw new Error(`${text} is not an amount with ${decimals} decimals`);
  return units;
}

class Seen {
  readonly headers = new Map<string, string | undefined>();
  readonly chunks: Buffer[] = [];
  bytes = 0;
  whole = false;
  private parsed: Buffer | undefined | null = null;

  /** The body as it is without its content-encoding; undefined where it was not kept, or cannot be decoded. */
  get body(): Buffer | undefined {
    if (this.parsed === null)
      this.parsed = this.whole && this.bytes <= BODY_READ_MAX_BYTES ? this.decoded() : undefined;
    return this.parsed;
  }

  private decoded(): Buffer | undefined {
    const raw = Buffer.concat(this.chunks);
    const bound = { maxOutputLength: BODY_READ_MAX_BYTES * 8 };
    try {
      switch (this.headers.get('content-encoding') ?? 'identity') {
        case 'identity':
          return raw;
        case 'gzip':
        case 'x-gzip':
          return gunzipSync(raw, bound);
        case 'deflate':
          return inflateSync(raw, bound);
        case 'br':
          return brotliDecompressSync(raw, bound);
        default:
          return undefined;
      }
    } catch {
      return undefined;
    }
  }
}

class Reader implements AnswerReader {
  private readonly seen = new Seen();

  constructor(
    private readonly finders: readonly Finder[],
    private readonly specs: readonly AnswerSpec[],
    private readonly decimalsOf: (quota: string) => number,
    private readonly keepsBody: boolean,
  ) {}

  head(_status: number, fields: readonly Buffer[]): boolean {
    const { headers } = this.seen;
    for (let index = 0; index < fields.length; index += 2) {
      const name = (fields[index]?.toString('latin1') ?? '').toLowerCase();
      // A field sent twice has no one value: as a cost it is as good as none.
      headers.set(name, headers.has(name) ? undefined : fields[index + 1]?.toString('latin1').trim());
    }
    return false;
  }

  data(chunk: Buffer): Buffer {
    const { seen } = this;
    seen.bytes += chunk.length;
    if (this.keepsBody && seen.bytes <= BODY_READ_MAX_BYTES) seen.chunks.push(chunk);
    return chunk;
  }

  end(): undefined {
    return undefined;
  }

  progress(): number[] {
    return this.specs.map((spec) => ('bytes' in spec ? bytesOf(this.seen, this.decimalsOf(spec.quota)) : 0));
  }

  costs(whole: boolean): Costs {
    this.seen.whole = whole;
    return this.finders.map((find) => {
      const units = find(this.seen);
      return units === undefined ? undefined : { units, estimated: false };
    });
  }
}

function finderOf(spec: AnswerSpec, decimals: number): Finder {
  if ('bytes' in spec) return (seen) => bytesOf(seen, decimals);
  if ('responseHeader' in spec) {
    const name = spec.responseHeader.toLowerCase();
    return ({ headers }) => {
      const text = headers.get(name);
      return text === undefined ? undefined : parseUnits(text, decimals, true);
    };
  }
  const read = jsonReader([{ pointer: spec.responseJson, want: 'number' }]);
  return ({ body }) => {
    if (body === undefined) return undefined;
    try {
      const [text] = read(body);
      return typeof text === 'string' ? unitsOfNumber(text, decimals, true) : undefined;
    } catch {
      return undefined;
    }
  };
}

function bytesOf({ bytes }: Seen, decimals: number): number {
  return Math.min(UNITS_MAX, bytes * 10 ** decimals);
}
