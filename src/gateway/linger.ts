/**
 * Closes a connection whose client may still be sending (RFC 9112, 9.6). Closing a socket with unread bytes resets it,
 * and a reset discards the response that the client has not read yet. The gateway therefore ends its own side, reads
 * and drops incoming bytes until the client ends its side, and then closes. Time limits apply, because a client may
 * never end.
 */
import type { Socket } from 'node:net';

export interface LingerBounds {
  readonly bytes: number;
  /** Longest pause. */
  readonly idleMs: number;
  readonly totalMs: number;
}

export const LINGER_BOUNDS: LingerBounds = { bytes: 64 * 1_048_576, idleMs: 2_000, totalMs: 30_000 };

/** How many checks fit into the longest pause. */
const LOOKS = 8;

/**
 * The caller keeps reading from the socket. Returns a function that shortens the remaining time to the longest pause.
 */
export function linger(socket: Socket, bounds: LingerBounds): () => void {
  const everyMs = Math.max(1, Math.floor(bounds.idleMs / LOOKS));
  const last = socket.bytesRead + bounds.bytes;
  let endsAt = performance.now() + bounds.totalMs;
  let seen = socket.bytesRead;
  let silentLooks = 0;
  const look = (): void => {
    const { bytesRead } = socket;
    silentLooks = bytesRead === seen ? silentLooks + 1 : 0;
    seen = bytesRead;
    if (silentLooks >= LOOKS || bytesRead > last || performance.now() >= endsAt) socket.destroy();
  };
  const timer = setInterval(look, everyMs);
  socket.once('close', () => clearInterval(timer));
  // If the client has already ended its side, this closes the connection.
  socket.end();
  return () => {
    endsAt = Math.min(endsAt, performance.now() + bounds.idleMs);
  };
}
