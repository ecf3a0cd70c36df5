/**
 * Reads the metered places of a JSON body in one pass, strictly: what another parser could read as another
 * price is refused. `JSON.parse` will not do: it keeps the last of two equal keys where others keep the
 * first, it reads numbers to the nearest double, and it builds megabytes of objects to answer for one number.
 */
import { isUtf8 } from 'node:buffer';
import {
  CLOSE_ARRAY,
  CLOSE_OBJECT,
  COLON,
  isDigit,
  MINUS,
  OPEN_ARRAY,
  OPEN_OBJECT,
  QUOTE,
} from './json-bytes.js';
import { JsonCursor, malformed } from './json-cursor.js';
import { type Ask, type PathNode, pathTree } from './json-paths.js';

/** Stands in a number's place for a value that is none. */
export const NO_NUMBER = -1;

/** Per ask: the number's text, or NO_NUMBER; the array's length; undefined where there is nothing, or null. */
export type JsonReader = (body: Buffer) => (string | number | undefined)[];

/** Asks name each (pointer, want) once. The reader throws ProblemError `body-malformed`. */
export function jsonReader(asks: readonly Ask[]): JsonReader {
  const root = pathTree(asks);
  return (body) => {
    if (!isUtf8(body)) throw malformed('is not UTF-8', 0);
    const scan = new Scan(body, new Array<string | number | undefined>(asks.length).fill(undefined));
    scan.document(root);
    return scan.answers;
  };
}

/** One pass over one body. Every method begins at its own first byte and leaves `at` behind its last. */
class Scan extends JsonCursor {
  constructor(
    body: Buffer,
    readonly answers: (string | number | undefined)[],
  ) {
    super(body);
  }

  document(root: PathNode): void {
    this.blank();
    this.value(root);
    this.blank();
    if (this.at < this.body.length) throw this.broken();
  }

  private value(node: PathNode | undefined): void {
    const byte = this.body[this.at];
    if (byte === MINUS || isDigit(byte)) {
      this.numberAt(node);
      return;
    }
    const kind = this.other(node, byte);
    if (node !== undefined && node.number >= 0 && kind !== 'null') this.answers[node.number] = NO_NUMBER;
  }

  private other(node: PathNode | undefined, byte: number | undefined): string {
    if (byte === QUOTE) this.text();
    else if (byte === OPEN_OBJECT) this.object(node);
    else if (byte === OPEN_ARRAY) this.array(node);
    else return this.literal();
    return 'value';
  }

  private object(node: PathNode | undefined): void {
    this.open();
    if (this.body[this.at] === CLOSE_OBJECT) {
      this.closes(CLOSE_OBJECT);
      return;
    }
    const keys = node === undefined || node.keys.length === 0 ? undefined : node.keys;
    let seen = 0;
    do {
      const start = this.at;
      if (this.body[start] !== QUOTE) throw this.broken();
      const plain = this.text() === 0;
      const position = keys === undefined ? -1 : this.wantedKey(keys, start, plain);
      if (position >= 0) seen = this.marked(seen, position, start);
      this.blank();
      if (this.body[this.at] !== COLON) throw this.broken();
      this.at += 1;
      this.blank();
      this.value(keys?.[position]?.node);
    } while (!this.closes(CLOSE_OBJECT));
  }

  private array(node: PathNode | undefined): void {
    this.open();
    let count = 0;
    if (this.body[this.at] === CLOSE_ARRAY) this.closes(CLOSE_ARRAY);
    else {
      const keys = node === undefined || node.keys.length === 0 ? undefined : node.keys;
      do {
        this.value(keys?.find((one) => one.index === count)?.node);
        count += 1;
      } while (!this.closes(CLOSE_ARRAY));
    }
    if (node !== undefined && node.length >= 0) this.answers[node.length] = count;
  }

  private numberAt(node: PathNode | undefined): void {
    const start = this.at;
    this.number();
    if (node !== undefined && node.number >= 0)
      this.answers[node.number] = this.body.toString('latin1', start, this.at);
  }
}
