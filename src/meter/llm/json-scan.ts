/**
 * Scans a JSON body in one strict pass. It finds the wanted values and measures text and media. A body that another
 * parser could price differently is refused, as in ../json-reader.ts. Byte positions are kept so that single values can
 * be edited.
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
  beginsWith,
  CONTENT,
  CONTENTS,
  DATA,
  FILE,
  hasScheme,
  isBase64,
  isMediaUrl,
  LINK,
  MEDIA_OBJECT,
  MediaObject,
  NOT_PROMPT,
  PLAIN,
  type Role,
  roleOf,
  TYPE,
} from './media.js';
import type { SpanNode } from './span-tree.js';

export type Kind = 'string' | 'number' | 'true' | 'false' | 'null' | 'object' | 'array';

/** The byte range [start, end) of one value. */
export interface ValueSpan {
  readonly kind: Kind;
  /** Where its key begins; -1 at the root. */
  readonly keyAt: number;
  readonly start: number;
  readonly end: number;
  /** The number of members of an object or elements of an array. */
  readonly count: number;
  /** How many elements are numbers. */
  readonly numbers: number;
}

export interface Scanned {
  readonly spans: readonly (ValueSpan | undefined)[];
  /** UTF-8 bytes of all strings that are not media, including keys. */
  readonly textBytes: number;
  /** The part of `textBytes` that the model certainly reads as its prompt. */
  readonly contentBytes: number;
  /** Each number counts as one token: prompts can be lists of tokens. */
  readonly numbers: number;
  readonly mediaParts: number;
  /** Start and end of each string, including quotes; undefined if they were not requested. */
  readonly texts: readonly number[] | undefined;
}

/** Throws ProblemError `body-malformed`. */
export function scanJson(body: Buffer, tree: SpanNode, slots: number, withTexts = false): Scanned {
  if (!isUtf8(body)) throw malformed('is not UTF-8', 0);
  const scan = new Scan(body, slots, withTexts);
  scan.document(tree);
  return scan;
}

class Scan extends JsonCursor implements Scanned {
  readonly spans: (ValueSpan | undefined)[];
  readonly texts: number[] | undefined;
  textBytes = 0;
  contentBytes = 0;
  numbers = 0;
  mediaParts = 0;
  /** Values of the array that was read last. */
  private count = 0;
  private arrayNumbers = 0;

  constructor(body: Buffer, slots: number, withTexts: boolean) {
    super(body);
    this.spans = new Array<ValueSpan | undefined>(slots).fill(undefined);
    this.texts = withTexts ? [] : undefined;
  }

  document(root: SpanNode): void {
    this.skipWhitespace();
    this.value(root, -1, false);
    this.skipWhitespace();
    if (this.at < this.body.length) throw this.invalidJson();
  }

  /** `isMediaObject`: the value belongs to a key that holds media. */
  private value(node: SpanNode | undefined, keyAt: number, isMediaObject: boolean): Kind {
    const start = this.at;
    const kind = this.anyValue(node, isMediaObject);
    if (node !== undefined && node.slot >= 0) {
      const isArray = kind === 'array';
      const count = isArray || kind === 'object' ? this.count : 0;
      const numbers = isArray ? this.arrayNumbers : 0;
      this.spans[node.slot] = { kind, keyAt, start, end: this.at, count, numbers };
    }
    return kind;
  }

  private anyValue(node: SpanNode | undefined, isMediaObject: boolean): Kind {
    const byte = this.body[this.at];
    if (byte === QUOTE) {
      const start = this.at;
      this.contentBytes += this.countText(start, this.skipString());
      return 'string';
    }
    if (byte === OPEN_OBJECT) return this.object(node, isMediaObject);
    if (byte === OPEN_ARRAY) return this.array();
    if (byte !== MINUS && !isDigit(byte)) return this.literal();
    this.number();
    this.numbers += 1;
    return 'number';
  }

  /** `saved`: how many bytes its escapes save. */
  private countText(start: number, saved: number): number {
    const bytes = this.at - start - 2 - saved;
    this.textBytes += bytes;
    this.texts?.push(start, this.at);
    return bytes;
  }

  private object(node: SpanNode | undefined, isMediaObject: boolean): Kind {
    this.open();
    if (this.body[this.at] === CLOSE_OBJECT) {
      this.closes(CLOSE_OBJECT);
      this.count = 0;
      return 'object';
    }
    const keys = node === undefined || node.keys.length === 0 ? undefined : node.keys;
    const media = isMediaObject ? new MediaObject() : undefined;
    let seenKeys = 0;
    let count = 0;
    do {
      const start = this.at;
      if (this.body[start] !== QUOTE) throw this.invalidJson();
      const saved = this.skipString();
      const plain = saved === 0;
      this.countText(start, saved);
      const position = keys === undefined ? -1 : this.wantedKey(keys, start, plain);
      if (position >= 0) seenKeys = this.markSeen(seenKeys, position, start);
      const role = plain ? roleOf(this.body, start + 1, this.at - 1) : PLAIN;
      this.skipWhitespace();
      if (this.body[this.at] !== COLON) throw this.invalidJson();
      this.at += 1;
      this.skipWhitespace();
      const { contentBytes } = this;
      const isMedia = role !== PLAIN && role !== MEDIA_OBJECT && role !== CONTENTS && role !== NOT_PROMPT;
      if (isMedia && this.body[this.at] === QUOTE && position < 0) this.mediaText(role, media);
      else if (role === CONTENTS && this.body[this.at] === OPEN_ARRAY && position < 0) this.array(true);
      else this.value(keys?.[position]?.node, start, role === MEDIA_OBJECT);
      if (role === NOT_PROMPT) this.contentBytes = contentBytes;
      count += 1;
    } while (!this.closes(CLOSE_OBJECT));
    if (media !== undefined) this.countMediaObject(media);
    this.count = count;
    return 'object';
  }

  /** Reads a string under a key that may hold media. */
  private mediaText(role: Role, media: MediaObject | undefined): void {
    const start = this.at;
    const saved = this.skipString();
    const [from, to] = [start + 1, this.at - 1];
    const { body } = this;
    if (role === DATA && media !== undefined && isBase64(body, from, to)) {
      media.dataAt = start;
      media.dataBytes += to - from;
      return;
    }
    const whole = isMediaUrl(body, from, to) && (role === LINK || role === CONTENT);
    const link = role === LINK && !whole && hasScheme(body, from, to);
    const base64 = role === CONTENT && isBase64(body, from, to);
    if (whole || base64 || link || role === FILE) this.mediaParts += 1;
    if (role === TYPE && media !== undefined && beginsWith(body, from, to, 'text/')) media.isText = true;
    if (!whole && !base64) this.countText(start, saved);
  }

  private countMediaObject(media: MediaObject): void {
    if (media.dataAt < 0) return;
    if (!media.isText) {
      this.mediaParts += 1;
      return;
    }
    this.textBytes += media.dataBytes;
    this.contentBytes += media.dataBytes;
    this.texts?.push(media.dataAt, media.dataAt + media.dataBytes + 2);
  }

  /**
   * @param contents its strings may be files
   */
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
