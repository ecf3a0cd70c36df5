/**
 * The end of a connection whose client may still be sending (RFC 9112, 9.6). A socket that is closed with bytes unread is
 * reset, and a reset throws away the answer that the client has not read yet. So the gateway ends its own side, reads and
 * drops what comes until the client ends its side, and closes then; within bounds, for a client may never end.
 */
import type { Socket } from 'node:net';

export interface LingerBounds {
  readonly bytes: number;
  /** Longest silence. */
  readonly idleMs: number;
  readonly totalMs: number;
}

export const LINGER_BOUNDS: LingerBounds = { bytes: 64 * 1_048_576, idleMs: 2_000, totalMs: 30_000 };

/** How many looks fit into the longest silence. */
const LOOKS = 8;

/** The caller keeps reading from the socket. Gives what shortens the time that is left to the longest silence. */
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
  // Where the client has ended its side already, this closes the connection.
  socket.end();
  return () => {
    endsAt = Math.min(endsAt, performance.now() + bounds.idleMs);
  };
}
