/**
 * A strict JSON parser for bodies that are priced. It checks the grammar and refuses keys that another parser could
 * take for a wanted key. Subclasses decide what to do with the values.
 */
import { ProblemError } from '../errors/catalogue.js';
import {
  BACKSLASH,
  CASE_BIT,
  COMMA,
  IS_ESCAPE,
  IS_HEX,
  IS_PLAIN,
  isDigit,
  LITERALS,
  LOWER_E,
  LOWER_U,
  MINUS,
  PLUS,
  POINT,
  QUOTE,
  UPPER_A,
  UPPER_Z,
  ZERO,
} from './json-bytes.js';
import { folded, type WantedKey } from './json-paths.js';

/** Deeper bodies are refused: the parser recurses, and no supported API needs more. */
export const DEPTH_MAX = 128;

/** Limits the keys with escapes or non-ASCII characters: each one needs a string allocation. */
const ODD_KEYS_MAX = 1_000;

type Literal = (typeof LITERALS)[number]['kind'];

export function malformed(what: string, at: number): ProblemError {
  return new ProblemError('body-malformed', `The body ${what} (byte ${at}).`);
}

/** One pass over one body. Every method starts at its first byte and leaves `at` after its last byte. */
export abstract class JsonCursor {
  protected at = 0;
  private depth = 0;
  private oddKeys = 0;

  constructor(protected readonly body: Buffer) {}

  protected invalidJson(): ProblemError {
    return malformed(this.at < this.body.length ? 'is not valid JSON' : 'is truncated', this.at);
  }

  protected skipWhitespace(): void {
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

  protected open(): void {
    this.depth += 1;
    if (this.depth > DEPTH_MAX) throw malformed(`nests deeper than ${DEPTH_MAX}`, this.at);
    this.at += 1;
    this.skipWhitespace();
  }

  /** Returns whether the object or array ends here; otherwise skips the comma. */
  protected closes(byte: number): boolean {
    this.skipWhitespace();
    const ends = this.body[this.at] === byte;
    if (ends) this.depth -= 1;
    else if (this.body[this.at] !== COMMA) throw this.invalidJson();
    this.at += 1;
    if (!ends) this.skipWhitespace();
    return ends;
  }

  /** Skips a string. Returns how many bytes its escapes save; 0 if it has none. */
  protected skipString(): number {
    const { body } = this;
    // A local copy: an imported binding is looked up at every use, and this loop takes most of the time.
    const isPlain = IS_PLAIN;
    let at = this.at + 1;
    let saved = 0;
    while (true) {
      let byte = body[at];
      while (byte !== undefined && isPlain[byte] === 1) {
        at += 1;
        byte = body[at];
      }
      if (byte === QUOTE) break;
      this.at = at;
      if (byte !== BACKSLASH) throw this.invalidJson();
      const end = this.escape(at);
      // A `\u` escape stands for at most three bytes of UTF-8.
      saved += end === at + 1 ? 1 : 3;
      at = end + 1;
    }
    this.at = at + 1;
    return saved;
  }

  /** Returns the index of the last byte of the escape that begins at `at`. */
  private escape(at: number): number {
    const { body } = this;
    const byte = body[at + 1] ?? 0;
    if (IS_ESCAPE[byte] === 1) return at + 1;
    const end = at + 5;
    if (byte !== LOWER_U) throw this.invalidJson();
    for (let digit = at + 2; digit <= end; digit += 1) {
      if (IS_HEX[body[digit] ?? 0] !== 1) throw this.invalidJson();
    }
    return end;
  }

  protected number(): void {
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
  }

  private digits(): void {
    const { body } = this;
    let { at } = this;
    while (isDigit(body[at])) at += 1;
    if (at === this.at) throw this.invalidJson();
    this.at = at;
  }

  protected literal(): Literal {
    for (const { kind, word } of LITERALS) {
      if (this.body[this.at] !== word[0]) continue;
      const end = this.at + word.length;
      if (this.body.compare(word, 0, word.length, this.at, Math.min(end, this.body.length)) !== 0) break;
      this.at = end;
      return kind;
    }
    throw this.invalidJson();
  }

  /** Marks a wanted key as seen. `seenKeys` has one bit per wanted key of the object. Returns the updated bits. */
  protected markSeen(seenKeys: number, position: number, start: number): number {
    const bit = 1 << position;
    if ((seenKeys & bit) !== 0) throw malformed('repeats a key that this route reads', start);
    return seenKeys | bit;
  }

  /**
   * Returns the index in `keys` of the key that ends at `at`; -1 for any other key. Refuses a key that another parser
   * could take for a wanted one.
   */
  protected wantedKey(keys: readonly WantedKey[], start: number, plain: boolean): number {
    if (!plain) return this.oddKey(keys, start);
    let lookalike = false;
    for (let position = 0; position < keys.length; position += 1) {
      const { foldedBytes, key } = keys[position] as WantedKey;
      if (foldedBytes === undefined || !this.isFoldOf(foldedBytes, start + 1)) continue;
      if (this.body.toString('latin1', start + 1, this.at - 1) === key) return position;
      lookalike = true;
    }
    if (lookalike) throw otherSpelling(start);
    return this.hasNonAscii(start) ? this.oddKey(keys, start) : -1;
  }

  /**
   * Case folding also covers non-ASCII letters (long s, Kelvin sign), but only keys with such bytes need that check.
   */
  private hasNonAscii(start: number): boolean {
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

  private oddKey(keys: readonly WantedKey[], start: number): number {
    this.oddKeys += 1;
    if (this.oddKeys > ODD_KEYS_MAX) throw malformed('has too many non-ASCII keys', start);
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
  return malformed('has another spelling of a key that this route reads', at);
}
