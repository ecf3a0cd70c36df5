import type { Redis } from 'ioredis';

/**
 * ioredis listens to the first error of a socket only. A refused TLS handshake can report two, its own and the alert of the other side, and
 * the second one would end this process.
 */
export function ignoreLaterErrors(client: Redis): void {
  client.on('error', () => {
    client.stream?.on('error', () => undefined);
  });
}
