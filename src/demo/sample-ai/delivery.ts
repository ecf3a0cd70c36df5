/** Writes one answer at the ordered pace and in the ordered pieces, possibly not to its end. */
import type { ServerResponse } from 'node:http';
import type { Writable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { constants, createBrotliCompress, createDeflate, createGzip } from 'node:zlib';
import type { SampleEntry } from './log.js';
import type { Coding, Orders } from './orders.js';
import type { Framing, StreamEvent } from './shape.js';

const PIECE_MAX_BYTES = 40;
const COMMENT_EVERY = 8;

export interface Hooks {
  /** The entry has changed. */
  heard(): void;
  /** Calls back when held answers may continue; returns the function that cancels the wait. */
  onRelease(go: () => void): () => void;
}

/** The ordered failure that replaces the rest of the answer. */
export interface Failure {
  readonly events: readonly StreamEvent[];
}

export interface DeliveryOptions {
  readonly entry: SampleEntry;
  readonly orders: Orders;
  readonly hooks: Hooks;
}

export class Delivery {
  /** The client has disconnected, or has received everything. */
  private gone = false;
  /** Cancels the current wait. */
  private wake: (() => void) | undefined;
  private readonly entry: SampleEntry;
  private readonly orders: Orders;
  private readonly hooks: Hooks;
  private readonly random: () => number;
  private sink: Writable;

  constructor(
    private readonly response: ServerResponse,
    { entry, orders, hooks }: DeliveryOptions,
  ) {
    this.entry = entry;
    this.orders = orders;
    this.hooks = hooks;
    this.sink = response;
    this.random = randomFrom(orders.split ?? 0);
    response.on('close', () => {
      this.gone = true;
      this.wake?.();
    });
  }

  /** Resolves when the bytes are written, or when the client has disconnected. */
  async json(status: number, value: unknown, fields: Readonly<Record<string, string>> = {}): Promise<void> {
    const { wait, cut, hold } = this.orders;
    const text = JSON.stringify(value);
    const bytes = Buffer.from(text);
    if (wait > 0) await this.sleep(wait);
    if (hold !== undefined) await this.wait((go) => this.hooks.onRelease(go));
    if (this.gone) return;
    this.head(status, { 'content-type': 'application/json', ...fields }, bytes.length);
    if (cut === undefined || cut >= bytes.length) {
      await this.put(bytes);
      this.entry.tokensSent = this.shownTokens;
      this.end();
      return;
    }
    await this.put(bytes.subarray(0, cut));
    await this.reset();
  }

  async stream(framing: Framing, events: Iterable<StreamEvent>, failure: Failure): Promise<void> {
    const { orders, entry } = this;
    if (orders.wait > 0) await this.sleep(orders.wait);
    if (this.gone) return;
    this.head(200, { 'content-type': framing.contentType, 'cache-control': 'no-cache' });
    this.response.flushHeaders();
    let index = 0;
    let isHeld = orders.hold !== undefined;
    for (const event of failing(events, failure.events, orders.fail)) {
      if (isHeld && (event.tokens ?? 0) > 0 && entry.tokensSent >= (orders.hold ?? 0)) {
        isHeld = false;
        await this.wait((go) => this.hooks.onRelease(go));
      }
      if (entry.tokensSent >= (orders.cut ?? Number.POSITIVE_INFINITY)) return await this.reset();
      if (this.gone) return;
      const comment = orders.comments && index % COMMENT_EVERY === 1 ? framing.comment : '';
      entry.tokensSent += event.tokens ?? 0;
      const bytes = framing.event(event, index);
      await this.put(typeof bytes === 'string' ? Buffer.from(comment + bytes) : bytes);
      index += 1;
      if ((event.tokens ?? 0) > 0) await this.pace();
    }
    if (this.gone) return;
    if (framing.close !== '') await this.put(Buffer.from(framing.close));
    this.end();
  }

  private get shownTokens(): number {
    const { output = 0, reasoning = 0 } = this.entry.usage ?? {};
    return output - reasoning;
  }

  private head(status: number, fields: Record<string, string>, length?: number): void {
    const { response, entry } = this;
    entry.status = status;
    const coding = this.coding();
    if (coding !== 'identity') {
      const compressor = compressorOf(coding);
      compressor.pipe(response);
      this.sink = compressor;
      response.on('close', () => compressor.destroy());
      response.writeHead(status, { ...fields, 'content-encoding': coding, vary: 'accept-encoding' });
    } else if (length === undefined) response.writeHead(status, fields);
    else response.writeHead(status, { ...fields, 'content-length': String(length) });
  }

  private coding(): Coding {
    const { coding, insist } = this.orders;
    const accepted = String(this.entry.headers['accept-encoding'] ?? '');
    return insist || accepted.split(/[\s,]+/).includes(coding) ? coding : 'identity';
  }

  private async put(bytes: Buffer): Promise<void> {
    if (this.orders.split === undefined) {
      await this.write(bytes);
      return;
    }
    for (let at = 0; at < bytes.length && !this.gone; ) {
      const length = 1 + Math.floor(this.random() * PIECE_MAX_BYTES);
      await this.write(bytes.subarray(at, at + length));
      await nextTurn();
      at += length;
    }
  }

  private async write(bytes: Buffer): Promise<void> {
    this.entry.bytesSent += bytes.length;
    const isWritable = this.sink.write(bytes);
    this.hooks.heard();
    if (isWritable) return;
    await this.wait((go) => {
      this.sink.once('drain', go);
      return () => this.sink.off('drain', go);
    });
  }

  private async pace(): Promise<void> {
    const { burst, delay } = this.orders;
    if (burst) return;
    if (delay === 0) await nextTurn();
    else await this.sleep(delay);
  }

  private async sleep(ms: number): Promise<void> {
    await this.wait((go) => {
      const timer = setTimeout(go, ms);
      return () => clearTimeout(timer);
    });
  }

  /**
   * Resolves when `begin` calls back, or when the client has disconnected; the function that `begin` returned cancels
   * its wait.
   */
  private async wait(begin: (go: () => void) => () => void): Promise<void> {
    if (this.gone) return;
    await new Promise<void>((resolve) => {
      const end = begin(() => this.wake?.());
      this.wake = () => {
        this.wake = undefined;
        end();
        resolve();
      };
    });
  }

  private end(): void {
    this.sink.end();
  }

  /** The written bytes must be sent before the reset. */
  private async reset(): Promise<void> {
    const { response, entry } = this;
    entry.served = 'cut';
    await this.wait((go) => {
      this.sink.write('', go);
      return () => undefined;
    });
    await nextTurn();
    response.socket?.resetAndDestroy();
  }
}

/** `failure` replaces what follows `after` tokens. */
function* failing(
  events: Iterable<StreamEvent>,
  failure: readonly StreamEvent[],
  after = Number.POSITIVE_INFINITY,
): Iterable<StreamEvent> {
  let tokens = 0;
  for (const event of events) {
    if (tokens >= after) {
      yield* failure;
      return;
    }
    tokens += event.tokens ?? 0;
    yield event;
  }
}

/** Each event can be read as soon as it arrives. */
function compressorOf(coding: Coding): Writable & { pipe(to: Writable): unknown } {
  if (coding === 'br') return createBrotliCompress({ flush: constants.BROTLI_OPERATION_FLUSH });
  const options = { flush: constants.Z_SYNC_FLUSH };
  return coding === 'gzip' ? createGzip(options) : createDeflate(options);
}

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
