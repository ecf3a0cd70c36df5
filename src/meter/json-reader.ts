/**
 * Reads the metered values of a JSON body in one strict pass. A body that another parser could price differently is
 * refused. `JSON.parse` does not fit: it keeps the last of two equal keys where other parsers keep the first, rounds
 * numbers to doubles, and builds megabytes of objects to read one number.
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
import { type JsonQuery, type PathNode, pathTree } from './json-paths.js';

/** Marks a value that is not a number. */
export const NO_NUMBER = -1;

/**
 * One result per query: the text of the number, or NO_NUMBER; the length of the array; undefined if the value is absent
 * or null.
 */
export type JsonReader = (body: Buffer) => (string | number | undefined)[];

/** Each (pointer, want) pair must occur once. The reader throws ProblemError `body-malformed`. */
export function jsonReader(queries: readonly JsonQuery[]): JsonReader {
  const root = pathTree(queries);
  return (body) => {
    if (!isUtf8(body)) throw malformed('is not UTF-8', 0);
    const scan = new Scan(body, new Array<string | number | undefined>(queries.length).fill(undefined));
    scan.document(root);
    return scan.results;
  };
}

class Scan extends JsonCursor {
  constructor(
    body: Buffer,
    readonly results: (string | number | undefined)[],
  ) {
    super(body);
  }

  document(root: PathNode): void {
    this.skipWhitespace();
    this.value(root);
    this.skipWhitespace();
    if (this.at < this.body.length) throw this.invalidJson();
  }

  private value(node: PathNode | undefined): void {
    const byte = this.body[this.at];
    if (byte === MINUS || isDigit(byte)) {
      this.numberAt(node);
      return;
    }
    const kind = this.other(node, byte);
    if (node !== undefined && node.number >= 0 && kind !== 'null') this.results[node.number] = NO_NUMBER;
  }

  private other(node: PathNode | undefined, byte: number | undefined): string {
    if (byte === QUOTE) this.skipString();
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
    let seenKeys = 0;
    do {
      const start = this.at;
      if (this.body[start] !== QUOTE) throw this.invalidJson();
      const plain = this.skipString() === 0;
      const position = keys === undefined ? -1 : this.wantedKey(keys, start, plain);
      if (position >= 0) seenKeys = this.markSeen(seenKeys, position, start);
      this.skipWhitespace();
      if (this.body[this.at] !== COLON) throw this.invalidJson();
      this.at += 1;
      this.skipWhitespace();
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
    if (node !== undefined && node.length >= 0) this.results[node.length] = count;
  }

  private numberAt(node: PathNode | undefined): void {
    const start = this.at;
    this.number();
    if (node !== undefined && node.number >= 0)
      this.results[node.number] = this.body.toString('latin1', start, this.at);
  }
}
