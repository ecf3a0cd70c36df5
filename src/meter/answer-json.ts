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
  const slotOf = ({ pointer }: WantedNumber) => pointers.indexOf(pointer);
  const hasElementPointer = pointers.some((pointer) => ELEMENT.test(pointer));
  return (contentEncoding) => {
    const numbers = wanted.map((one) => new FoundNumber(one, slotOf(one)));
    return new AnswerJson({ numbers, read, hasElementPointer }, contentEncoding);
  };
}

const SPACE = 0x20;
const DONE = Buffer.from('[DONE]');
/** A pointer to an array element, or to the whole document. */
const ELEMENT = /^(?:\/\d+(?:\/|$)|$)/;

/** The result for one wanted number. */
class FoundNumber {
  isInvalid = false;
  private sum = new DecimalSum();
  private isReported = false;

  constructor(
    private readonly wanted: WantedNumber,
    /** Its index in the results of the reader. */
    readonly slot: number,
  ) {}

  /** Undefined if none was reported. A sum above the maximum is charged the maximum. */
  get units(): number | undefined {
    return this.isReported ? (this.sum.units(this.wanted.decimals) ?? UNITS_MAX) : undefined;
  }

  /** For `last`, a valid number replaces the ones before it. For `sum`, every number must be valid. */
  record(text: string): void {
    const { across, decimals } = this.wanted;
    const isLast = across === 'last';
    const sum = isLast ? new DecimalSum() : this.sum;
    const isValid = sum.add(text) && sum.units(decimals) !== undefined;
    this.isInvalid = !isValid || (!isLast && this.isInvalid);
    if (!isValid) return;
    this.sum = sum;
    this.isReported = true;
  }
}

interface AnswerParts {
  readonly numbers: readonly FoundNumber[];
  readonly read: JsonReader;
  readonly hasElementPointer: boolean;
}

export class AnswerJson {
  private isComplete = true;
  private readonly body: BodyReader;

  constructor(
    private readonly parts: AnswerParts,
    contentEncoding: string,
  ) {
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
    const number = this.parts.numbers[index];
    if (number === undefined) throw new RangeError(`the answer has no number ${index}`);
    return { units: number.units, whole: this.isComplete && !number.isInvalid && !this.body.failed };
  }

  /** Part of the answer is not read. */
  markIncomplete(): void {
    this.isComplete = false;
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
      elements: first === OPEN_ARRAY && !this.parts.hasElementPointer,
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
      const results = this.parts.read(body);
      for (const number of this.parts.numbers) {
        const text = results[number.slot];
        if (typeof text === 'string') number.record(text);
      }
    } catch {
      this.markIncomplete();
    }
  }
}
