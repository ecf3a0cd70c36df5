/**
 * Messages of `application/vnd.amazon.eventstream`: lengths, named headers, payload, checksums. Only text headers are
 * returned. Checksums are written, not verified: readers only observe the messages.
 */
import { crc32 } from 'node:zlib';

export interface AmazonEvent {
  readonly headers: Readonly<Record<string, string>>;
  readonly payload: Buffer;
}

/** Both lengths and their checksum. */
export const PRELUDE_BYTES = 12;
const CHECKSUM_BYTES = 4;
/** AWS allows 16 MiB of payload and 128 KiB of headers. */
const MESSAGE_BYTES_MAX = 25_165_824;

const TEXT_TYPE = 7;
/** Size of a value by its type; bytes and strings contain their own length. */
const VALUE_BYTES: readonly (number | undefined)[] = [0, 0, 1, 2, 4, 8, undefined, undefined, 8, 16];

/** Returns the length of the message that begins with this prelude; undefined if it is invalid. */
export function lengthOf(prelude: Buffer): number | undefined {
  const [whole, headers] = [prelude.readUInt32BE(0), prelude.readUInt32BE(4)];
  const least = PRELUDE_BYTES + headers + CHECKSUM_BYTES;
  return whole < least || whole > MESSAGE_BYTES_MAX ? undefined : whole;
}

/** Returns undefined if its headers are invalid. */
export function readAmazonEvent(message: Buffer): AmazonEvent | undefined {
  const end = PRELUDE_BYTES + message.readUInt32BE(4);
  const headers: Record<string, string> = {};
  let at = PRELUDE_BYTES;
  try {
    while (at < end) {
      const nameEnd = at + 1 + message.readUInt8(at);
      const name = message.toString('utf8', at + 1, nameEnd);
      const type = message.readUInt8(nameEnd);
      const fixed = VALUE_BYTES[type];
      if (fixed === undefined && type !== TEXT_TYPE && type !== TEXT_TYPE - 1) return undefined;
      const from = nameEnd + (fixed === undefined ? 3 : 1);
      at = from + (fixed ?? message.readUInt16BE(nameEnd + 1));
      if (type === TEXT_TYPE) headers[name] = message.toString('utf8', from, at);
    }
  } catch {
    return undefined;
  }
  return at === end
    ? { headers, payload: message.subarray(end, message.length - CHECKSUM_BYTES) }
    : undefined;
}

export function writeAmazonEvent(headers: AmazonEvent['headers'], payload: Buffer): Buffer {
  const parts = Object.entries(headers).flatMap(([name, value]) => {
    const [key, text] = [Buffer.from(name), Buffer.from(value)];
    const length = Buffer.from([TEXT_TYPE, text.length >> 8, text.length & 0xff]);
    return [Buffer.from([key.length]), key, length, text];
  });
  const head = Buffer.concat(parts);
  const whole = PRELUDE_BYTES + head.length + payload.length + CHECKSUM_BYTES;
  const prelude = Buffer.alloc(PRELUDE_BYTES);
  prelude.writeUInt32BE(whole, 0);
  prelude.writeUInt32BE(head.length, 4);
  prelude.writeUInt32BE(crc32(prelude.subarray(0, 8)), 8);
  const message = Buffer.concat([prelude, head, payload, Buffer.alloc(CHECKSUM_BYTES)]);
  message.writeUInt32BE(crc32(message.subarray(0, whole - CHECKSUM_BYTES)), whole - CHECKSUM_BYTES);
  return message;
}
