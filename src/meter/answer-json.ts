/**
 * The numbers that the JSON of an answer tells: of one body, of server-sent events, or of JSON lines. Which of these it is, its first
 * byte decides: what a server calls its answer is not always so, and a request can choose it.
 */
import { UNITS_MAX } from '../quota/charge.js';
import { DecimalSum } from './amount.js';
import { type BodyReader, openBody } from './content-coding.js';
import { FirstByteFrames } from './first-byte-frames.js';
import type { Frames } from './frames.js';
import { OPEN_ARRAY, OPEN_OBJECT } from './json-bytes.js';
import { type JsonReader, jsonReader } from './json-reader.js';
import { JsonValues } from './json-values.js';
import { type SseEvent, SseReader } from './llm/sse.js';

/** Of the places where the number stands in an answer of many documents. */
export type Across = 'last' | 'sum';

/** JSON documents larger than this are not read: what the answer costs is the estimate. */
const DOCUMENT_BYTES_MAX = 1_048_576;

export interface Reported {
  /** Undefined: none was reported that can be used. */
  readonly units: number | undefined;
  /** All that came could be read. */
  readonly whole: boolean;
}

/** One number that is wanted. */
export interface Wanted {
  readonly pointer: string;
  readonly across: Across;
  readonly decimals: number;
}

/** Takes the answer's Content-Encoding. */
export type ReadAnswer = (contentEncoding: string) => AnswerJson;

/** Two that are at the same place share its number. */
export function answerJson(wanted: readonly Wanted[]): ReadAnswer {
  const pointers = [...new Set(wanted.map(({ pointer }) => pointer))];
  const read = jsonReader(pointers.map((pointer) => ({ pointer, want: 'number' })));
  const slots = wanted.map(({ pointer }) => pointers.indexOf(pointer));
  return (contentEncoding) => new AnswerJson(wanted, slots, read, contentEncoding);
}

const SPACE = 0x20;
const DONE = Buffer.from('[DONE]');
/** A pointer at an element of an array, or at all of a document. */
const ELEMENT = /^(?:\/\d+(?:\/|$)|$)/;

export class AnswerJson {
  private readonly sums: DecimalSum[];
  private readonly isTold: boolean[];
  private readonly isBad: boolean[];
  private isWhole = true;
  private readonly body: BodyReader;
  private readonly asksElements: boolean;

  constructor(
    private readonly wanted: readonly Wanted[],
    private readonly slots: readonly number[],
    private readonly read: JsonReader,
    contentEncoding: string,
  ) {
    this.asksElements = wanted.some(({ pointer }) => ELEMENT.test(pointer));
    this.sums = wanted.map(() => new DecimalSum());
    this.isTold = wanted.map(() => false);
    this.isBad = wanted.map(() => false);
    const broken = () => this.broken();
    const frames = new FirstByteFrames({
      isStream: false,
      events: () => new SseReader((event) => this.event(event), broken),
      json: (first) => this.openJson(first),
    });
    this.body = openBody(contentEncoding, frames, broken);
  }

  push(chunk: Buffer): void {
    this.body.push(chunk);
  }

  ready(): Promise<void> | undefined {
    return this.body.ready();
  }

  /** A promise where it is still being decoded. */
  end(): Promise<void> | undefined {
    return this.body.end();
  }

  reported(index: number): Reported {
    const { decimals = 0 } = this.wanted[index] ?? {};
    // A sum that is too large is at least what can be counted.
    const units = this.isTold[index] === true ? (this.sums[index]?.units(decimals) ?? UNITS_MAX) : undefined;
    return { units, whole: this.isWhole && this.isBad[index] === false && !this.body.failed };
  }

  private openJson(first: number): Frames {
    const broken = () => this.broken();
    return new JsonValues({
      value: (body) => this.document(body),
      unread: broken,
      cutOff: broken,
      bytesMax: DOCUMENT_BYTES_MAX,
      outside: 'refuse',
      // Of an array, each element is a document, unless a pointer says which.
      elements: first === OPEN_ARRAY && !this.asksElements,
    });
  }

  private event({ data }: SseEvent): void {
    const first = data.find((byte) => byte > SPACE);
    if ((first !== OPEN_OBJECT && first !== OPEN_ARRAY) || data.equals(DONE)) return;
    if (data.length > DOCUMENT_BYTES_MAX) this.broken();
    else this.document(data);
  }

  private document(body: Buffer): void {
    try {
      const numbers = this.read(body);
      for (const [index, slot] of this.slots.entries()) {
        const text = numbers[slot];
        if (typeof text === 'string') this.tell(index, text);
      }
    } catch {
      this.broken();
    }
  }

  private tell(index: number, text: string): void {
    const isLast = this.wanted[index]?.across === 'last';
    const sum = isLast ? new DecimalSum() : (this.sums[index] ?? new DecimalSum());
    const isGood = sum.add(text) && sum.units(this.wanted[index]?.decimals ?? 0) !== undefined;
    // A last one that is good takes the place of those before it; of a sum, each has to be.
    this.isBad[index] = !isGood || (!isLast && this.isBad[index] === true);
    if (!isGood) return;
    this.sums[index] = sum;
    this.isTold[index] = true;
  }

  private broken(): void {
    this.isWhole = false;
  }
}
