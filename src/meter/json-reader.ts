/**
 * Reads the metered places of a JSON body in one pass, strictly: what another parser could read as another
 * price is refused. `JSON.parse` will not do: it keeps the last of two equal keys where others keep the
 * first, it reads numbers to the nearest double, and it builds megabytes of objects to answer for one number.
 */
import { isUtf8 } from 'node:buffer';
import { ProblemError } from '../errors/catalogue.js';
import { type Ask, folded, type PathKey, type PathNode, pathTree } from './json-paths.js';

/** Deeper bodies are refused: the reader recurses, and no API of this world needs it. */
export const DEPTH_MAX = 128;

/** Keys with escapes or beyond ASCII beside a metered key: each costs a string. */
const ODD_KEYS_MAX = 1_000;

/** Per ask: the number's text, the array's length, or undefined where there is no such thing. */
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

function malformed(what: string, at: number): ProblemError {
  return new ProblemError('body-malformed', `The body ${what} (byte ${at}).`);
}

const QUOTE = 0x22;
const PLUS = 0x2b;
const COMMA = 0x2c;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const UPPER_A = 0x41;
const UPPER_Z = 0x5a;
const OPEN_ARRAY = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_ARRAY = 0x5d;
const LOWER_E = 0x65;
const LOWER_U = 0x75;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
/** Turns an ASCII capital into its small letter. */
const CASE_BIT = 0x20;

const LITERALS = ['true', 'false', 'null'].map((word) => Buffer.from(word, 'latin1'));
/** What may follow a backslash, but for `u`. */
const IS_ESCAPE = tableOf('"\\/bfnrt');
const IS_HEX = tableOf('0123456789abcdefABCDEF');

/** Characters of a string that stand for themselves: ASCII but quote and backslash. */
const IS_PLAIN = tableOf(String.fromCharCode(...Array.from({ length: 0x5f }, (_, index) => 0x20 + index)));
IS_PLAIN[QUOTE] = 0;
IS_PLAIN[BACKSLASH] = 0;

/** By byte: 1 where it is one of these characters. */
function tableOf(characters: string): Uint8Array {
  const table = new Uint8Array(256);
  for (const byte of Buffer.from(characters, 'latin1')) table[byte] = 1;
  return table;
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= ZERO && byte <= NINE;
}

/** One pass over one body. Every method begins at its own first byte and leaves `at` behind its last. */
class Scan {
  private at = 0;
  private depth = 0;
  private oddKeys = 0;

  constructor(
    private readonly body: Buffer,
    readonly answers: (string | number | undefined)[],
  ) {}

  document(root: PathNode): void {
    this.blank();
    this.value(root);
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

  private value(node: PathNode | undefined): void {
    const byte = this.body[this.at];
    if (byte === QUOTE) this.text();
    else if (byte === OPEN_OBJECT) this.object(node);
    else if (byte === OPEN_ARRAY) this.array(node);
    else if (byte === MINUS || isDigit(byte)) this.number(node);
    else this.literal();
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
      const plain = this.text();
      const position = keys === undefined ? -1 : this.meteredKey(keys, start, plain);
      if (position >= 0) {
        const bit = 1 << position;
        if ((seen & bit) !== 0) throw malformed('repeats a key that this route is metered by', start);
        seen |= bit;
      }
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

  /** Steps over a string; tells whether its bytes are its characters: ASCII, no escapes. */
  private text(): boolean {
    const { body } = this;
    let plain = true;
    let at = this.at + 1;
    while (true) {
      let byte = body[at];
      while (byte !== undefined && IS_PLAIN[byte] === 1) {
        at += 1;
        byte = body[at];
      }
      if (byte === QUOTE) break;
      this.at = at;
      if (byte === undefined || byte < 0x20) throw this.broken();
      if (byte === BACKSLASH) at = this.escape(at);
      at += 1;
      plain = false;
    }
    this.at = at + 1;
    return plain;
  }

  /** The last byte of the escape that begins at `at`. */
  private escape(at: number): number {
    const { body } = this;
    const byte = body[at + 1] ?? 0;
    if (IS_ESCAPE[byte] === 1) return at + 1;
    const end = at + 5;
    if (byte !== LOWER_U) throw this.broken();
    for (let digit = at + 2; digit <= end; digit += 1) {
      if (IS_HEX[body[digit] ?? 0] !== 1) throw this.broken();
    }
    return end;
  }

  private number(node: PathNode | undefined): void {
    const start = this.at;
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
    if (node !== undefined && node.number >= 0) {
      this.answers[node.number] = this.body.toString('latin1', start, this.at);
    }
  }

  private digits(): void {
    const { body } = this;
    let { at } = this;
    while (isDigit(body[at])) at += 1;
    if (at === this.at) throw this.broken();
    this.at = at;
  }

  private literal(): void {
    for (const word of LITERALS) {
      if (this.body[this.at] !== word[0]) continue;
      const end = this.at + word.length;
      if (this.body.compare(word, 0, word.length, this.at, Math.min(end, this.body.length)) !== 0) break;
      this.at = end;
      return;
    }
    throw this.broken();
  }

  /**
   * The position among the metered keys of the key that begins at `start` and ends at `at`, quotes included;
   * -1 for any other. Refuses a key that is not a metered one but that some parser would take for one.
   */
  private meteredKey(keys: readonly PathKey[], start: number, plain: boolean): number {
    return plain ? this.plainKey(keys, start + 1) : this.oddKey(keys, start);
  }

  private plainKey(keys: readonly PathKey[], start: number): number {
    let lookalike = false;
    for (let position = 0; position < keys.length; position += 1) {
      const { foldedBytes, key } = keys[position] as PathKey;
      if (foldedBytes === undefined || !this.isFoldOf(foldedBytes, start)) continue;
      if (this.body.toString('latin1', start, this.at - 1) === key) return position;
      lookalike = true;
    }
    if (lookalike) throw malformed('spells a key that this route is metered by in another way', start);
    return -1;
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

  private oddKey(keys: readonly PathKey[], start: number): number {
    this.oddKeys += 1;
    if (this.oddKeys > ODD_KEYS_MAX) throw malformed('has too many keys that are not plain ASCII', start);
    const key = JSON.parse(this.body.toString('utf8', start, this.at)) as string;
    const position = keys.findIndex((one) => one.key === key);
    if (position >= 0) return position;
    // Some parsers drop what follows a NUL or a lone surrogate, and then see the metered key.
    const cut = !key.isWellFormed() || key.includes('\0');
    const fold = folded(key);
    if (cut || keys.some((one) => one.folded === fold)) {
      throw malformed('spells a key that this route is metered by in another way', start);
    }
    return -1;
  }
}
