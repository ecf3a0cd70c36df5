/**
 * A process of its own: a long way between TCP clients and a unix socket, precise to a tenth of a millisecond – timers of Node
 * have steps of one, which is the way's whole length. Arguments: the socket, milliseconds of a round trip.
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
/** All ways are equally long: pieces arrive in the order in which they came. */
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
