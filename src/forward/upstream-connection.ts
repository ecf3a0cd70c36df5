/**
 * Tracks what undici does not report about the connection of an exchange: whether it was used before, and whether a
 * byte of the response arrived. undici also treats an unsolicited `100 Continue` as a broken response
 * (nodejs/undici#197), so it is read here and dropped.
 */
import { subscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';

/** Longer heads are left to undici, which refuses them. */
const HEAD_MAX_BYTES = 65_536;
const HEAD_END = '\r\n\r\n';
/** In `HTTP/1.1 100`: the digit that marks an interim response, and its position. */
const STATUS_END = 12;
const FIRST_DIGIT = 9;
const ONE = 0x31;
const INTERIM = /^HTTP\/1\.[01] 1(?!01)\d\d/;

export class UpstreamConnection {
  /** A byte arrived since the last request was written. */
  heard = false;
  private requests = 0;
  /** The next bytes start a response. */
  private atHead = false;
  private held: Buffer | undefined;

  /** An earlier request was answered on this connection. */
  get isReused(): boolean {
    return this.requests > 1;
  }

  begin(): void {
    this.requests += 1;
    this.heard = false;
    this.atHead = true;
    this.held = undefined;
  }

  /** Returns the received bytes that undici gets. */
  taken(chunk: Buffer | null): Buffer | null {
    if (chunk === null) return null;
    this.heard = true;
    if (!this.atHead) return chunk;
    const bytes = this.held === undefined ? chunk : Buffer.concat([this.held, chunk]);
    this.held = undefined;
    return this.withoutContinue(bytes);
  }

  private withoutContinue(bytes: Buffer): Buffer | null {
    let rest = bytes;
    let passed: Buffer | undefined;
    while (rest.length > 0) {
      const isInterim = rest.length > FIRST_DIGIT && rest[FIRST_DIGIT] === ONE;
      const status = isInterim ? rest.toString('latin1', 0, STATUS_END) : '';
      const end = rest.indexOf(HEAD_END);
      const isCut = rest.length < STATUS_END || (INTERIM.test(status) && end === -1);
      if (isCut && rest.length < HEAD_MAX_BYTES) {
        this.held = rest;
        break;
      }
      if (isCut || !INTERIM.test(status)) {
        this.atHead = false;
        return passed === undefined ? rest : Buffer.concat([passed, rest]);
      }
      const head = rest.subarray(0, end + HEAD_END.length);
      if (!status.endsWith('100')) passed = passed === undefined ? head : Buffer.concat([passed, head]);
      rest = rest.subarray(head.length);
    }
    return passed ?? null;
  }
}

const connections = new WeakMap<object, UpstreamConnection>();
let onWritten: ((connection: UpstreamConnection) => void) | undefined;

/** Must be called for each new socket, before undici reads from it. */
export function observe(socket: Socket): void {
  const connection = new UpstreamConnection();
  connections.set(socket, connection);
  const read = socket.read.bind(socket);
  socket.read = (size?: number) => connection.taken(read(size));
}

/** Calls `tell` with the connection on which undici writes the next request, in the same turn. */
export function whenWritten(tell: (connection: UpstreamConnection) => void): void {
  onWritten = tell;
}

subscribe('undici:client:sendHeaders', (message) => {
  const { socket } = message as { readonly socket: object };
  const connection = connections.get(socket);
  if (connection === undefined) return;
  connection.begin();
  onWritten?.(connection);
  onWritten = undefined;
});
