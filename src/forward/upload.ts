/** Adapts the client's body for undici. */
import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';

type Listener = (...args: unknown[]) => void;

/**
 * Implements the stream methods that undici uses, without a copy or a buffer. If undici got the request itself, it
 * would destroy it when the upstream fails: nobody would read the rest of the upload, and a client that writes before
 * it reads would never see the response.
 */
class Upload {
  // undici checks this to know whether it must clean up the stream.
  readonly _readableState = { autoDestroy: true };

  constructor(private readonly request: IncomingMessage) {}

  // Errors and early ends are not passed on: they come with the loss of the client's connection, which the exchange
  // observes.
  on(event: string, listener: Listener): this {
    if (event === 'data' || event === 'end') this.request.on(event, listener);
    return this;
  }

  removeListener(event: string, listener: Listener): this {
    this.request.removeListener(event, listener);
    return this;
  }

  off(event: string, listener: Listener): this {
    return this.removeListener(event, listener);
  }

  resume(): void {
    this.request.resume();
  }

  /** undici recognizes a stream by this method but never calls it. */
  pipe(): never {
    throw new Error('an upload cannot be piped');
  }

  /** Nobody needs the rest. It is read and dropped, so that the client gets to the response. */
  destroy(): void {
    this.request.resume();
  }
}

export function uploadOf(request: IncomingMessage): Readable {
  return new Upload(request) as unknown as Readable;
}
