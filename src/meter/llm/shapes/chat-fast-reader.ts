/**
 * Most chunks of a chat stream contain a bit of text and nothing else. This reader handles them in one pass over their
 * bytes, because parsing each would cost more than all other work of the gateway. Any other chunk goes to the JSON
 * parser.
 */
import { BACKSLASH, CLOSE_OBJECT, COLON, COMMA, OPEN_OBJECT, QUOTE } from '../../json-bytes.js';
import { NOT_PLAIN } from '../shape.js';
import { denseBytes } from '../usage.js';
import type { UsageAccumulator } from '../usage-accumulator.js';

const SMALL_N = 0x6e;

type Meaning = 'delta' | 'ignored' | 'null' | 'usage' | 'text' | 'thought' | 'unknown';

/** Relevant keys outside the delta, by length. Other keys are ignored there. */
const CHUNK_KEYS = byLength({
  delta: 'delta',
  usage: 'usage',
  error: 'unknown',
  x_groq: 'unknown',
  finish_reason: 'null',
  text: 'unknown',
});
/** The only keys that are allowed inside the delta. */
const DELTA_KEYS = byLength({
  role: 'ignored',
  content: 'text',
  refusal: 'text',
  reasoning: 'thought',
  reasoning_content: 'thought',
});

type Keys = readonly (readonly { readonly bytes: Uint8Array; readonly meaning: Meaning }[] | undefined)[];

function byLength(keys: Readonly<Record<string, Meaning>>): Keys {
  const table: { bytes: Uint8Array; meaning: Meaning }[][] = [];
  for (const [key, meaning] of Object.entries(keys)) {
    const same = table[key.length] ?? [];
    same.push({ bytes: Buffer.from(key, 'latin1'), meaning });
    table[key.length] = same;
  }
  return table;
}

function meaningOf(keys: Keys, data: Buffer, start: number, end: number): Meaning | undefined {
  const same = keys[end - start];
  if (same === undefined) return undefined;
  for (const { bytes, meaning } of same) {
    let at = 0;
    while (at < bytes.length && data[start + at] === bytes[at]) at += 1;
    if (at === bytes.length) return meaning;
  }
  return undefined;
}

/** Returns where the chunk's `usage: null` begins, including the comma before it; 0 if it is absent. */
export function openFastReader(accumulator: UsageAccumulator): (data: Buffer) => number {
  const scanner = new ChunkScanner();
  return (data) => {
    if (!scanner.scan(data)) return NOT_PLAIN;
    accumulator.textBytes += scanner.textBytes + scanner.thoughtBytes;
    accumulator.denseBytes += scanner.denseBytes;
    return scanner.usageAt;
  };
}

class ChunkScanner {
  textBytes = 0;
  /** Some servers send the same reasoning under both names. */
  thoughtBytes = 0;
  denseBytes = 0;
  usageAt = 0;
  private depth = 0;
  /** The depth of the delta object; 0: not reached yet; -1: already closed. */
  private delta = 0;
  private isText = false;
  private isThought = false;

  /**
   * Returns false if the chunk is not plain. Escapes in strings, or white space before a relevant value, make it not
   * plain.
   */
  scan(data: Buffer): boolean {
    this.textBytes = 0;
    this.thoughtBytes = 0;
    this.denseBytes = 0;
    this.usageAt = 0;
    this.depth = 0;
    this.delta = 0;
    this.isText = false;
    this.isThought = false;
    const { length } = data;
    let at = 0;
    while (at < length) {
      const byte = data[at];
      if (byte === QUOTE) {
        const start = at + 1;
        at = endOfText(data, start);
        if (at < 0) return false;
        const isKey = data[at + 1] === COLON;
        if (isKey && !this.key(data, start, at)) return false;
        if (!isKey) this.value(data, start, at);
      } else if (byte === OPEN_OBJECT) {
        this.depth += 1;
        if (this.delta > 0 && this.depth > this.delta) return false;
      } else if (byte === CLOSE_OBJECT) {
        if (this.depth === this.delta) this.delta = -1;
        this.depth -= 1;
      }
      at += 1;
    }
    return this.delta === -1 && this.depth === 0;
  }

  private value(data: Buffer, start: number, end: number): void {
    if (this.isText) this.textBytes += end - start;
    else if (this.isThought) this.thoughtBytes = Math.max(this.thoughtBytes, end - start);
    if (this.isText || this.isThought) this.denseBytes += denseBytes(data, start, end);
    this.isText = false;
    this.isThought = false;
  }

  /** The name of the key is [start, end). */
  private key(data: Buffer, start: number, end: number): boolean {
    const value = data[end + 2];
    const isInside = this.delta > 0;
    switch (meaningOf(isInside ? DELTA_KEYS : CHUNK_KEYS, data, start, end)) {
      case undefined:
        return !isInside;
      case 'delta':
        if (this.delta !== 0 || value !== OPEN_OBJECT) return false;
        this.delta = this.depth + 1;
        return true;
      case 'usage':
        if (value !== SMALL_N || this.depth !== 1 || this.usageAt !== 0 || data[start - 2] !== COMMA)
          return false;
        this.usageAt = start - 2;
        return true;
      case 'null':
        return value === SMALL_N;
      case 'text':
        this.isText = value === QUOTE;
        return value === QUOTE || value === SMALL_N;
      case 'thought':
        this.isThought = value === QUOTE;
        return value === QUOTE || value === SMALL_N;
      case 'ignored':
        return value === QUOTE || value === SMALL_N;
      default:
        return false;
    }
  }
}

function endOfText(data: Buffer, start: number): number {
  let at = start;
  let byte = data[at];
  while (byte !== QUOTE) {
    if (byte === undefined || byte === BACKSLASH) return -1;
    at += 1;
    byte = data[at];
  }
  return at;
}
