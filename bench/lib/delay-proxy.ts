/**
 * A separate process that adds latency between TCP clients and a unix socket, precise to 0.1 ms. Timers of Node have a resolution of
 * 1 ms, which is the whole latency. Arguments: the socket, and the milliseconds of a round trip.
 */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { nap } from './nap.js';

interface Piece {
  readonly to: Socket;
  readonly data: Buffer;
  readonly at: number;
}

const [, , target = '', roundTripMs = '0'] = process.argv;
const oneWayMs = Number(roundTripMs) / 2;
/** All pieces have the same delay, so they are due in the order of their arrival. */
const pieces: Piece[] = [];

function look(): void {
  const now = performance.now();
  let due = 0;
  while (due < pieces.length && (pieces[due]?.at ?? 0) <= now) due += 1;
  for (const { to, data } of pieces.splice(0, due)) to.write(data);
  if (pieces.length === 0) return;
  nap();
  setImmediate(look);
}

function relay(from: Socket, to: Socket): void {
  from.on('data', (data: Buffer) => {
    pieces.push({ to, data, at: performance.now() + oneWayMs });
    if (pieces.length === 1) setImmediate(look);
  });
  from.on('close', () => to.destroy());
  from.on('error', () => undefined);
}

const server = createServer({ noDelay: true }, (client) => {
  const store = connect(target);
  relay(client, store);
  relay(store, client);
});
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
process.on('disconnect', () => process.exit(0));
