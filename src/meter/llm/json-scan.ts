/**
 * Reads a JSON body in one strict pass: where the wanted places lie, and how much text and media there is. What another
 * parser could read as another price is refused, as in ../json-reader.ts; positions are kept so that a body can be changed
 * there and stay the same everywhere else.
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
} from '../json-bytes.js';
import { JsonCursor, malformed } from '../json-cursor.js';
import {
  ASIDE,
  BOX,
  Box,
  beginsWith,
  CONTENT,
  CONTENTS,
  DATA,
  FILE,
  hasScheme,
  isBase64,
  isMediaUrl,
  LINK,
  PLAIN,
  type Role,
  roleOf,
  TYPE,
} from './media.js';
import type { PlaceNode } from './places.js';

export type Kind = 'string' | 'number' | 'true' | 'false' | 'null' | 'object' | 'array';

/** One value: its bytes are [start, end). */
export interface Place {
  readonly kind: Kind;
  /** Where its key begins, -1 at the root. */
  readonly keyAt: number;
  readonly start: number;
  readonly end: number;
  /** Members of an object, elements of an array. */
  readonly count: number;
  /** Elements that are numbers. */
  readonly numbers: number;
}

export interface Scanned {
  readonly places: readonly (Place | undefined)[];
  /** UTF-8 bytes of all strings that are not media, keys too. */
  readonly textBytes: number;
  /** The part of it that is sure to be the prompt's. */
  readonly contentBytes: number;
  /** Each counts as one token: prompts can be lists of tokens. */
  readonly numbers: number;
  readonly mediaParts: number;
  /** Start and end of each text, quotes included, where they were asked for. */
  readonly texts: readonly number[] | undefined;
}

/** Throws ProblemError `body-malformed`. */
export function scanJson(body: Buffer, tree: PlaceNode, slots: number, withTexts = false): Scanned {
  if (!isUtf8(body)) throw malformed('is not UTF-8', 0);
  const scan = new Scan(body, slots, withTexts);
  scan.document(tree);
  return scan;
}

/** One pass over one body. Every method begins at its own first byte and leaves `at` behind its last. */
class Scan extends JsonCursor implements Scanned {
  readonly places: (Place | undefined)[];
  readonly texts: number[] | undefined;
  textBytes = 0;
  contentBytes = 0;
  numbers = 0;
  mediaParts = 0;
  /** Of the array read last. */
  private count = 0;
  private arrayNumbers = 0;

  constructor(body: Buffer, slots: number, withTexts: boolean) {
    super(body);
    this.places = new Array<Place | undefined>(slots).fill(undefined);
    this.texts = withTexts ? [] : undefined;
  }

  document(root: PlaceNode): void {
    this.blank();
    this.value(root, -1, false);
    this.blank();
    if (this.at < this.body.length) throw this.broken();
  }

  /** `boxed`: it is the value of a key that holds media. */
  private value(node: PlaceNode | undefined, keyAt: number, boxed: boolean): Kind {
    const start = this.at;
    const kind = this.anyValue(node, boxed);
    if (node !== undefined && node.slot >= 0) {
      const isArray = kind === 'array';
      const count = isArray || kind === 'object' ? this.count : 0;
      const numbers = isArray ? this.arrayNumbers : 0;
      this.places[node.slot] = { kind, keyAt, start, end: this.at, count, numbers };
    }
    return kind;
  }

  private anyValue(node: PlaceNode | undefined, boxed: boolean): Kind {
    const byte = this.body[this.at];
    if (byte === QUOTE) {
      const start = this.at;
      this.contentBytes += this.countText(start, this.text());
      return 'string';
    }
    if (byte === OPEN_OBJECT) return this.object(node, boxed);
    if (byte === OPEN_ARRAY) return this.array();
    if (byte !== MINUS && !isDigit(byte)) return this.literal();
    this.number();
    this.numbers += 1;
    return 'number';
  }

  /** `saved`: the bytes that its escapes save. */
  private countText(start: number, saved: number): number {
    const bytes = this.at - start - 2 - saved;
    this.textBytes += bytes;
    this.texts?.push(start, this.at);
    return bytes;
  }

  private object(node: PlaceNode | undefined, boxed: boolean): Kind {
    this.open();
    if (this.body[this.at] === CLOSE_OBJECT) {
      this.closes(CLOSE_OBJECT);
      this.count = 0;
      return 'object';
    }
    const keys = node === undefined || node.keys.length === 0 ? undefined : node.keys;
    const box = boxed ? new Box() : undefined;
    let seen = 0;
    let count = 0;
    do {
      const start = this.at;
      if (this.body[start] !== QUOTE) throw this.broken();
      const saved = this.text();
      const plain = saved === 0;
      this.countText(start, saved);
      const position = keys === undefined ? -1 : this.wantedKey(keys, start, plain);
      if (position >= 0) seen = this.marked(seen, position, start);
      const role = plain ? roleOf(this.body, start + 1, this.at - 1) : PLAIN;
      this.blank();
      if (this.body[this.at] !== COLON) throw this.broken();
      this.at += 1;
      this.blank();
      const { contentBytes } = this;
      const isMedia = role !== PLAIN && role !== BOX && role !== CONTENTS && role !== ASIDE;
      if (isMedia && this.body[this.at] === QUOTE && position < 0) this.mediaText(role, box);
      else if (role === CONTENTS && this.body[this.at] === OPEN_ARRAY && position < 0) this.array(true);
      else this.value(keys?.[position]?.node, start, role === BOX);
      if (role === ASIDE) this.contentBytes = contentBytes;
      count += 1;
    } while (!this.closes(CLOSE_OBJECT));
    if (box !== undefined) this.unpack(box);
    this.count = count;
    return 'object';
  }

  /** A string under a key that may hold media. */
  private mediaText(role: Role, box: Box | undefined): void {
    const start = this.at;
    const saved = this.text();
    const [from, to] = [start + 1, this.at - 1];
    const { body } = this;
    if (role === DATA && box !== undefined && isBase64(body, from, to)) {
      box.dataAt = start;
      box.dataBytes += to - from;
      return;
    }
    const whole = isMediaUrl(body, from, to) && (role === LINK || role === CONTENT);
    const link = role === LINK && !whole && hasScheme(body, from, to);
    const base64 = role === CONTENT && isBase64(body, from, to);
    if (whole || base64 || link || role === FILE) this.mediaParts += 1;
    if (role === TYPE && box !== undefined && beginsWith(body, from, to, 'text/')) box.isText = true;
    if (!whole && !base64) this.countText(start, saved);
  }

  private unpack(box: Box): void {
    if (box.dataAt < 0) return;
    if (!box.isText) {
      this.mediaParts += 1;
      return;
    }
    this.textBytes += box.dataBytes;
    this.contentBytes += box.dataBytes;
    this.texts?.push(box.dataAt, box.dataAt + box.dataBytes + 2);
  }

  /** @param contents its strings may be files */
  private array(contents = false): Kind {
    this.open();
    let count = 0;
    let numbers = 0;
    if (this.body[this.at] === CLOSE_ARRAY) this.closes(CLOSE_ARRAY);
    else {
      do {
        if (contents && this.body[this.at] === QUOTE) this.mediaText(CONTENT, undefined);
        else if (this.value(undefined, -1, false) === 'number') numbers += 1;
        count += 1;
      } while (!this.closes(CLOSE_ARRAY));
    }
    this.count = count;
    this.arrayNumbers = numbers;
    return 'array';
  }
}
