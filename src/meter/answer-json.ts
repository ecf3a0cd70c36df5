/**
 * Extracts numbers from the JSON of an answer. The answer is one JSON body, server-sent events, or JSON lines. The
 * first byte decides which: Content-Type is not reliable, and a request can influence it.
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

/** How to combine the numbers if the answer has many documents. */
export type Aggregation = 'last' | 'sum';

/** Larger JSON documents are not read; the answer is charged its estimate. */
const DOCUMENT_BYTES_MAX = 1_048_576;

export interface Reported {
  /** Undefined: the answer reported no usable number. */
  readonly units: number | undefined;
  /** The whole answer could be read. */
  readonly whole: boolean;
}

/** One number to extract. */
export interface WantedNumber {
  readonly pointer: string;
  readonly across: Aggregation;
  readonly decimals: number;
}

/** Takes the Content-Encoding of the answer. */
export type ReadAnswer = (contentEncoding: string) => AnswerJson;

/** Charges with the same pointer share one lookup. */
export function answerJson(wanted: readonly WantedNumber[]): ReadAnswer {
  const pointers = [...new Set(wanted.map(({ pointer }) => pointer))];
  const read = jsonReader(pointers.map((pointer) => ({ pointer, want: 'number' })));
  const slots = wanted.map(({ pointer }) => pointers.indexOf(pointer));
  return (contentEncoding) => new AnswerJson(wanted, slots, read, contentEncoding);
}

const SPACE = 0x20;
const DONE = Buffer.from('[DONE]');
/** A pointer to an array element, or to the whole document. */
const ELEMENT = /^(?:\/\d+(?:\/|$)|$)/;

export class AnswerJson {
  private readonly sums: DecimalSum[];
  private readonly isReported: boolean[];
  private readonly isInvalid: boolean[];
  private isComplete = true;
  private readonly body: BodyReader;
  private readonly hasElementPointer: boolean;

  constructor(
    private readonly wanted: readonly WantedNumber[],
    private readonly slots: readonly number[],
    private readonly read: JsonReader,
    contentEncoding: string,
  ) {
    this.hasElementPointer = wanted.some(({ pointer }) => ELEMENT.test(pointer));
    this.sums = wanted.map(() => new DecimalSum());
    this.isReported = wanted.map(() => false);
    this.isInvalid = wanted.map(() => false);
    const broken = () => this.markIncomplete();
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

  /** Returns a promise while the body is still being decoded. */
  end(): Promise<void> | undefined {
    return this.body.end();
  }

  reported(index: number): Reported {
    const { decimals = 0 } = this.wanted[index] ?? {};
    // A sum that exceeds the maximum is charged the maximum.
    const units =
      this.isReported[index] === true ? (this.sums[index]?.units(decimals) ?? UNITS_MAX) : undefined;
    return { units, whole: this.isComplete && this.isInvalid[index] === false && !this.body.failed };
  }

  private openJson(first: number): Frames {
    const broken = () => this.markIncomplete();
    return new JsonValues({
      value: (body) => this.document(body),
      unread: broken,
      cutOff: broken,
      bytesMax: DOCUMENT_BYTES_MAX,
      outside: 'refuse',
      // Each element of a top-level array is a document, unless a pointer addresses elements by index.
      elements: first === OPEN_ARRAY && !this.hasElementPointer,
    });
  }

  private event({ data }: SseEvent): void {
    const first = data.find((byte) => byte > SPACE);
    if ((first !== OPEN_OBJECT && first !== OPEN_ARRAY) || data.equals(DONE)) return;
    if (data.length > DOCUMENT_BYTES_MAX) this.markIncomplete();
    else this.document(data);
  }

  private document(body: Buffer): void {
    try {
      const numbers = this.read(body);
      for (const [index, slot] of this.slots.entries()) {
        const text = numbers[slot];
        if (typeof text === 'string') this.record(index, text);
      }
    } catch {
      this.markIncomplete();
    }
  }

  private record(index: number, text: string): void {
    const isLast = this.wanted[index]?.across === 'last';
    const sum = isLast ? new DecimalSum() : (this.sums[index] ?? new DecimalSum());
    const isValid = sum.add(text) && sum.units(this.wanted[index]?.decimals ?? 0) !== undefined;
    // For `last`, a valid number replaces the ones before it. For `sum`, every number must be valid.
    this.isInvalid[index] = !isValid || (!isLast && this.isInvalid[index] === true);
    if (!isValid) return;
    this.sums[index] = sum;
    this.isReported[index] = true;
  }

  private markIncomplete(): void {
    this.isComplete = false;
  }
}
