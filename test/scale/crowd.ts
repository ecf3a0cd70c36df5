/**
 * A process with many connections to a gateway: `crowd.js <host:port> <kind> <count>`. It sends its parent `{ ready: true }` when
 * all connections are open, and from then on the number that are still open.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** What a client does when it connects, and then once a second. */
interface Kind {
  begin(socket: Socket): Promise<void>;
  tick(socket: Socket): void;
}

export type KindName = 'idle' | 'slow';

const AT_ONCE = 100;
const TICK_MS = 1_000;
const READ_BYTES = 16_384;
const ENDLESS_BYTES = 1_000_000;

const nothing = (): void => undefined;

function head(line: string, ...fields: readonly string[]): string {
  const all = [`${line} HTTP/1.1`, 'host: a', 'x-quota-org: acme', 'x-quota-user: crowd', ...fields];
  return `${all.join('\r\n')}\r\n`;
}

/** Sends one request, then stays idle. */
const idle: Kind = {
  async begin(socket) {
    socket.write(`${head('GET /unit')}\r\n`);
    await once(socket, 'data');
  },
  tick: nothing,
};

const slowHead: Kind = {
  begin: async (socket) => void socket.write(head('GET /unit')),
  tick: (socket) => void socket.write('x: y\r\n'),
};

const sendsSlowly = (path: string): Kind => ({
  async begin(socket) {
    const fields = ['content-type: application/json', `content-length: ${ENDLESS_BYTES}`];
    socket.write(`${head(`POST ${path}`, ...fields)}\r\n`);
  },
  tick: (socket) => void socket.write(' '),
});

const readsSlowly: Kind = {
  async begin(socket) {
    socket.pause();
    socket.write(`${head('GET /unit', 'x-test-bytes: 8000000')}\r\n`);
  },
  tick: (socket) => void socket.read(Math.min(READ_BYTES, socket.readableLength)),
};

/** In equal parts: slow headers, slow bodies on a route that reads them, slow bodies that stream through, and slow readers. */
const SLOW = [slowHead, sendsSlowly('/rows'), sendsSlowly('/unit'), readsSlowly];

function kindOf(name: string, number: number): Kind {
  return name === 'idle' ? idle : (SLOW[number % SLOW.length] ?? slowHead);
}

let open = 0;

async function join(host: string, port: number, kind: Kind): Promise<void> {
  const socket = connect({ host, port, noDelay: true });
  socket.on('error', nothing);
  await once(socket, 'connect');
  open += 1;
  socket.once('close', () => {
    open -= 1;
  });
  if (kind !== readsSlowly) socket.on('data', nothing);
  await kind.begin(socket);
  if (kind.tick === nothing) return;
  setTimeout(() => {
    const timer = setInterval(() => kind.tick(socket), TICK_MS);
    socket.once('close', () => clearInterval(timer));
  }, Math.random() * TICK_MS);
}

const [address = '', name = '', count = '0'] = process.argv.slice(2);
const [host = '', port = ''] = address.split(':');
for (let made = 0; made < Number(count); made += AT_ONCE)
  await Promise.all(
    Array.from({ length: Math.min(AT_ONCE, Number(count) - made) }, (_, index) =>
      join(host, Number(port), kindOf(name, made + index)),
    ),
  );
process.send?.({ ready: true });
setInterval(() => process.send?.({ open }), 200);
process.once('disconnect', () => process.exit(0));
