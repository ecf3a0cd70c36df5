/**
 * Reads a JSON body in one strict pass: where the wanted places lie, and how much text and media there is. What another
 * parser could read as another price is refused, as in ../json-reader.ts; positions are kept so that a body can be changed
 * there and stay the same everywhere else.
 */
import { isUtf8 } from 'node:buffer';
import { ProblemError } from '../../errors/catalogue.js';
import { folded } from '../json-paths.js';
import { DEPTH_MAX } from '../json-reader.js';
import {
  BACKSLASH,
  CASE_BIT,
  CLOSE_ARRAY,
  CLOSE_OBJECT,
  COLON,
  COMMA,
  IS_ESCAPE,
  IS_HEX,
  IS_PLAIN,
  isDigit,
  LITERALS,
  LOWER_E,
  LOWER_U,
  MINUS,
  OPEN_ARRAY,
  OPEN_OBJECT,
  PLUS,
  POINT,
  QUOTE,
  UPPER_A,
  UPPER_Z,
  ZERO,
} from './json-bytes.js';
import {
  BOX,
  Box,
  beginsWith,
  CONTENT,
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
import type { PlaceKey, PlaceNode } from './places.js';

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

/** The keys beside a wanted one that have escapes or are not ASCII: each costs a string. */
const ODD_KEYS_MAX = 1_000;

function malformed(what: string, at: number): ProblemError {
  return new ProblemError('body-malformed', `The body ${what} (byte ${at}).`);
}

/** One pass over one body. Every method begins at its own first byte and leaves `at` behind its last. */
class Scan implements Scanned {
  readonly places: (Place | undefined)[];
  readonly texts: number[] | undefined;
  textBytes = 0;
  numbers = 0;
  mediaParts = 0;
  private at = 0;
  private depth = 0;
  private oddKeys = 0;
  /** Of the string read last: how many bytes its escapes save. */
  private saved = 0;
  /** Of the array read last. */
  private count = 0;
  private arrayNumbers = 0;

  constructor(
    private readonly body: Buffer,
    slots: number,
    withTexts: boolean,
  ) {
    this.places = new Array<Place | undefined>(slots).fill(undefined);
    this.texts = withTexts ? [] : undefined;
  }

  document(root: PlaceNode): void {
    this.blank();
    this.value(root, -1, false);
    this.blank();
    if (this.at < this.body.length) throw this.broken();
  }

  private broken(): ProblemError {
    return malformed(this.at < this.body.length ? 'is not valid JSON' : 'ends too early', this.at);
  }

  private blank(): void {
    const { body } = this;
    let { at } = this;
    let byte = body[at];
    if (byte === undefined || byte > 0x20) return;
    while (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) {
      at += 1;
      byte = body[at];
    }
    this.at = at;
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
      this.text();
      this.countText(start);
      return 'string';
    }
    if (byte === OPEN_OBJECT) return this.object(node, boxed);
    if (byte === OPEN_ARRAY) return this.array();
    if (byte === MINUS || isDigit(byte)) return this.number();
    return this.literal();
  }

  private countText(start: number): void {
    this.textBytes += this.at - start - 2 - this.saved;
    this.texts?.push(start, this.at);
  }

  private open(): void {
    this.depth += 1;
    if (this.depth > DEPTH_MAX) throw malformed(`nests deeper than ${DEPTH_MAX}`, this.at);
    this.at += 1;
    this.blank();
  }

  /** Whether the object or array ends here; else steps over the comma. */
  private closes(byte: number): boolean {
    this.blank();
    const ends = this.body[this.at] === byte;
    if (ends) this.depth -= 1;
    else if (this.body[this.at] !== COMMA) throw this.broken();
    this.at += 1;
    if (!ends) this.blank();
    return ends;
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
      const plain = this.text();
      this.countText(start);
      const position = keys === undefined ? -1 : this.wantedKey(keys, start, plain);
      if (position >= 0) {
        const bit = 1 << position;
        if ((seen & bit) !== 0) throw malformed('repeats a key that this route is metered by', start);
        seen |= bit;
      }
      const role = plain ? roleOf(this.body, start + 1, this.at - 1) : PLAIN;
      this.blank();
      if (this.body[this.at] !== COLON) throw this.broken();
      this.at += 1;
      this.blank();
      if (role !== PLAIN && role !== BOX && this.body[this.at] === QUOTE && position < 0)
        this.mediaText(role, box);
      else this.value(keys?.[position]?.node, start, role === BOX);
      count += 1;
    } while (!this.closes(CLOSE_OBJECT));
    if (box !== undefined) this.unpack(box);
    this.count = count;
    return 'object';
  }

  /** A string under a key that may hold media. */
  private mediaText(role: Role, box: Box | undefined): void {
    const start = this.at;
    this.text();
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
    if (!whole && !base64) this.countText(start);
  }

  private unpack(box: Box): void {
    if (box.dataAt < 0) return;
    if (!box.isText) {
      this.mediaParts += 1;
      return;
    }
    this.textBytes += box.dataBytes;
    this.texts?.push(box.dataAt, box.dataAt + box.dataBytes + 2);
  }

  private array(): Kind {
    this.open();
    let count = 0;
    let numbers = 0;
    if (this.body[this.at] === CLOSE_ARRAY) this.closes(CLOSE_ARRAY);
    else {
      do {
        if (this.value(undefined, -1, false) === 'number') numbers += 1;
        count += 1;
      } while (!this.closes(CLOSE_ARRAY));
    }
    this.count = count;
    this.arrayNumbers = numbers;
    return 'array';
  }

  /** Steps over a string; tells whether it has no escapes. */
  private text(): boolean {
    const { body } = this;
    let at = this.at + 1;
    this.saved = 0;
    let plain = true;
    while (true) {
      let byte = body[at];
      while (byte !== undefined && IS_PLAIN[byte] === 1) {
        at += 1;
        byte = body[at];
      }
      if (byte === QUOTE) break;
      this.at = at;
      if (byte !== BACKSLASH) throw this.broken();
      at = this.escape(at) + 1;
      plain = false;
    }
    this.at = at + 1;
    return plain;
  }

  /** The last byte of the escape that begins at `at`. A `\u` stands for at most three bytes of UTF-8. */
  private escape(at: number): number {
    const { body } = this;
    const byte = body[at + 1] ?? 0;
    if (IS_ESCAPE[byte] === 1) {
      this.saved += 1;
      return at + 1;
    }
    const end = at + 5;
    if (byte !== LOWER_U) throw this.broken();
    for (let digit = at + 2; digit <= end; digit += 1) {
      if (IS_HEX[body[digit] ?? 0] !== 1) throw this.broken();
    }
    this.saved += 3;
    return end;
  }

  private number(): Kind {
    if (this.body[this.at] === MINUS) this.at += 1;
    if (this.body[this.at] === ZERO) this.at += 1;
    else this.digits();
    if (this.body[this.at] === POINT) {
      this.at += 1;
      this.digits();
    }
    if (((this.body[this.at] ?? 0) | CASE_BIT) === LOWER_E) {
      this.at += 1;
      const sign = this.body[this.at];
      if (sign === PLUS || sign === MINUS) this.at += 1;
      this.digits();
    }
    this.numbers += 1;
    return 'number';
  }

  private digits(): void {
    const { body } = this;
    let { at } = this;
    while (isDigit(body[at])) at += 1;
    if (at === this.at) throw this.broken();
    this.at = at;
  }

  private literal(): Kind {
    for (const { kind, word } of LITERALS) {
      if (this.body[this.at] !== word[0]) continue;
      const end = this.at + word.length;
      if (this.body.compare(word, 0, word.length, this.at, Math.min(end, this.body.length)) !== 0) break;
      this.at = end;
      return kind;
    }
    throw this.broken();
  }

  /** The position among `keys` of the key that ends at `at`, -1 for any other. Refuses what some parser would take for one. */
  private wantedKey(keys: readonly PlaceKey[], start: number, plain: boolean): number {
    if (!plain) return this.oddKey(keys, start);
    let lookalike = false;
    for (let position = 0; position < keys.length; position += 1) {
      const { foldedBytes, key } = keys[position] as PlaceKey;
      if (!this.isFoldOf(foldedBytes, start + 1)) continue;
      if (this.body.toString('latin1', start + 1, this.at - 1) === key) return position;
      lookalike = true;
    }
    if (lookalike) throw otherSpelling(start);
    return this.hasHighByte(start) ? this.oddKey(keys, start) : -1;
  }

  /** Case is folded beyond ASCII too (the long s, the Kelvin sign), which only needs a look where there is such a byte. */
  private hasHighByte(start: number): boolean {
    for (let at = start + 1; at < this.at - 1; at += 1) if ((this.body[at] ?? 0) > 0x7f) return true;
    return false;
  }

  private isFoldOf(foldedBytes: Uint8Array, start: number): boolean {
    const { body } = this;
    if (this.at - 1 - start !== foldedBytes.length) return false;
    for (let index = 0; index < foldedBytes.length; index += 1) {
      const byte = body[start + index] ?? 0;
      const small = byte >= UPPER_A && byte <= UPPER_Z ? byte | CASE_BIT : byte;
      if (small !== foldedBytes[index]) return false;
    }
    return true;
  }

  private oddKey(keys: readonly PlaceKey[], start: number): number {
    this.oddKeys += 1;
    if (this.oddKeys > ODD_KEYS_MAX) throw malformed('has too many keys that are not plain ASCII', start);
    const key = JSON.parse(this.body.toString('utf8', start, this.at)) as string;
    const position = keys.findIndex((one) => one.key === key);
    if (position >= 0) return position;
    // Some parsers drop what follows a NUL or a lone surrogate, and then see the wanted key.
    const cut = !key.isWellFormed() || key.includes('\0');
    const fold = folded(key);
    if (cut || keys.some((one) => one.folded === fold)) throw otherSpelling(start);
    return -1;
  }
}

function otherSpelling(at: number): ProblemError {
  return malformed('spells a key that this route is metered by in another way', at);
}
