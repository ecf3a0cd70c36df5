/**
 * Most of a chat stream is chunks with a bit of text and nothing else. These are read without being parsed, which costs more
 * than all the rest that the gateway does with them; whatever is not plainly such a chunk is left to the parser.
 */
import type { Seen } from '../seen.js';

const DELTA = Buffer.from('"delta":{', 'latin1');
const UNFINISHED = Buffer.from('"finish_reason":null', 'latin1');
const USAGE = Buffer.from('"usage"', 'latin1');
const ERROR = Buffer.from('"error"', 'latin1');
const VENDOR = Buffer.from('"x_groq"', 'latin1');

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const SMALL_N = 0x6e;
const CLOSE = 0x7d;

const ROLE = 'role';
const TEXT_KEYS = ['content', 'reasoning_content', 'reasoning', 'refusal'];
const KEYS = [ROLE, ...TEXT_KEYS].map((key) => ({ bytes: Buffer.from(key, 'latin1'), isText: key !== ROLE }));

/** True where the chunk was read. */
export function openSkim(seen: Seen): (data: Buffer) => boolean {
  const skim = new Skim();
  return (data) => {
    const open = data.indexOf(DELTA);
    if (open < 0 || !skim.members(data, open + DELTA.length)) return false;
    if (data.indexOf(UNFINISHED, skim.at) < 0 || data.indexOf(DELTA, skim.at) >= 0) return false;
    if (data.indexOf(ERROR) >= 0 || data.indexOf(VENDOR) >= 0 || !hasNoUsage(data)) return false;
    seen.textBytes += skim.textBytes;
    return true;
  };
}

function hasNoUsage(data: Buffer): boolean {
  const at = data.indexOf(USAGE);
  if (at < 0) return true;
  const value = at + USAGE.length;
  return data[value] === COLON && data[value + 1] === SMALL_N && data.indexOf(USAGE, value) < 0;
}

/** Steps through an object whose values are strings without escapes, or null. */
class Skim {
  at = 0;
  textBytes = 0;

  members(data: Buffer, from: number): boolean {
    this.at = from;
    this.textBytes = 0;
    if (data[from] === CLOSE) return true;
    while (this.member(data)) {
      const byte = data[this.at];
      if (byte === CLOSE) return true;
      if (byte !== COMMA) return false;
      this.at += 1;
    }
    return false;
  }

  private member(data: Buffer): boolean {
    const keyAt = this.at + 1;
    if (!this.text(data)) return false;
    const isText = isTextKey(data, keyAt, this.at - 1);
    if (isText === undefined || data[this.at] !== COLON) return false;
    this.at += 1;
    if (data[this.at] === SMALL_N) {
      this.at += 4;
      return true;
    }
    const start = this.at + 1;
    if (!this.text(data)) return false;
    if (isText) this.textBytes += this.at - 1 - start;
    return true;
  }

  private text(data: Buffer): boolean {
    if (data[this.at] !== QUOTE) return false;
    let at = this.at + 1;
    let byte = data[at];
    while (byte !== QUOTE) {
      if (byte === undefined || byte === BACKSLASH) return false;
      at += 1;
      byte = data[at];
    }
    this.at = at + 1;
    return true;
  }
}

/** Undefined: another key. */
function isTextKey(data: Buffer, start: number, end: number): boolean | undefined {
  for (const { bytes, isText } of KEYS) {
    if (bytes.length !== end - start) continue;
    let at = 0;
    while (at < bytes.length && data[start + at] === bytes[at]) at += 1;
    if (at === bytes.length) return isText;
  }
  return undefined;
}
