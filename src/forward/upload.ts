/** The client's body, as undici takes it. */
import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';

type Listener = (...args: unknown[]) => void;

/**
 * What undici uses of a stream, handed through to the request without a copy or a buffer between. Given the request
 * itself, undici destroys it when the upstream breaks off: nobody reads the rest of the upload then, and a client
 * that writes before it reads never sees the answer.
 */
class Upload {
  // undici asks this of a stream, to know whether it has to tidy up after it.
  readonly _readableState = { autoDestroy: true };

  constructor(private readonly request: IncomingMessage) {}

  // Errors and early ends are not passed on: they come with the loss of the client's connection, and that the exchange
  // sees.
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

  /** By this method undici knows a stream; it never calls it. */
  pipe(): never {
    throw new Error('an upload is not piped');
  }

  /** Nobody wants the rest: it is read and dropped, so that the client gets to the answer. */
  destroy(): void {
    this.request.resume();
  }
}

export function uploadOf(request: IncomingMessage): Readable {
  return new Upload(request) as unknown as Readable;
}
