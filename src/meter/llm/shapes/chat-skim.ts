/**
 * Most of a chat stream is chunks with a bit of text and nothing else. These are read in one pass over their bytes, for to parse
 * each would cost more than all the rest that the gateway does with it; whatever is not plainly such a chunk is for the parser.
 */
import { BACKSLASH, CLOSE_OBJECT, COLON, COMMA, OPEN_OBJECT, QUOTE } from '../../json-bytes.js';
import { NOT_SKIMMED } from '../shape.js';
import { denseBytes } from '../usage.js';
import type { UsageAccumulator } from '../usage-accumulator.js';

const SMALL_N = 0x6e;

type Meaning = 'delta' | 'nothing' | 'null' | 'usage' | 'text' | 'thought' | 'stranger';

/** Keys that decide, by length; outside the delta all others are no matter. */
const OUTSIDE = byLength({
  delta: 'delta',
  usage: 'usage',
  error: 'stranger',
  x_groq: 'stranger',
  finish_reason: 'null',
  text: 'stranger',
});
/** Inside the delta there must be no others. */
const INSIDE = byLength({
  role: 'nothing',
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

/** Tells where the chunk's `usage: null` begins, with the comma before it; 0: it has none. */
export function openSkim(seen: UsageAccumulator): (data: Buffer) => number {
  const scan = new ByteScan();
  return (data) => {
    if (!scan.through(data)) return NOT_SKIMMED;
    seen.textBytes += scan.textBytes + scan.thoughtBytes;
    seen.denseBytes += scan.denseBytes;
    return scan.usageAt;
  };
}

class ByteScan {
  textBytes = 0;
  /** Some servers send the same thought under both names. */
  thoughtBytes = 0;
  denseBytes = 0;
  usageAt = 0;
  private depth = 0;
  /** The delta is an object of this depth; 0: it has not come; -1: it is over. */
  private delta = 0;
  private isText = false;
  private isThought = false;

  /** False: it is no plain chunk. Strings with escapes are none, and so is white space before what decides. */
  through(data: Buffer): boolean {
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

  /** Its name is [start, end). */
  private key(data: Buffer, start: number, end: number): boolean {
    const value = data[end + 2];
    const isInside = this.delta > 0;
    switch (meaningOf(isInside ? INSIDE : OUTSIDE, data, start, end)) {
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
      case 'nothing':
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
