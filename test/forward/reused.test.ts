// Earlier events of a connection do not affect the next request: closed while idle, interim responses, unsolicited
// responses.
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { Relay, type RelayOptions } from './relay.js';

type Answer = (socket: Socket, request: { connection: number; request: number; text: string }) => void;

interface Scene {
  readonly relay: Relay;
  /** Requests that came, as connection and number on it. */
  readonly seen: string[];
}

/** An upstream that says these bytes to each request; all requests come in one piece. */
async function start(t: Test, answer: Answer, options: RelayOptions = {}): Promise<Scene> {
  const seen: string[] = [];
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    const connection = connections;
    let request = 0;
    socket.setNoDelay(true);
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      request += 1;
      seen.push(`${connection}.${request}`);
      answer(socket, { connection, request, text: String(chunk) });
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { relay: await Relay.start(t, url, options), seen };
}

const head = (method: string, ...fields: readonly string[]): string =>
  [`${method} / HTTP/1.1`, 'Host: a', ...fields, '', ''].join('\r\n');
const OK = (body: string): string => `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

/** The first request on a connection is answered; the second one finds it dropped. */
const drops =
  (how: (socket: Socket) => void): Answer =>
  (socket, { request, connection }) =>
    request === 1 ? socket.write(OK(String(connection))) : how(socket);

for (const [title, how] of [
  ['reset', (socket: Socket) => socket.resetAndDestroy()],
  ['ended', (socket: Socket) => socket.end()],
] as const) {
  for (const method of ['GET', 'HEAD', 'OPTIONS', 'DELETE', 'PUT']) {
    t.test(`${method}: an idle connection that is ${title} is replaced by a fresh one`, async (t) => {
      const { relay, seen } = await start(t, drops(how), { retries: 1 });
      const client = await relay.connect(t);
      t.equal((await client.write(head('GET')).answer()).status, 200);
      const { status, body } = await client.write(head(method)).answer(method);
      t.same([status, String(body)], [200, method === 'HEAD' ? '' : '2']);
      t.same(seen, ['1.1', '1.2', '2.1']);
      t.match(await relay.outcomes(2), Array(2).fill({ kind: 'answered', complete: true }));
    });
  }
}

for (const [title, method, answer, options] of [
  ['a POST', 'POST', drops((socket) => socket.resetAndDestroy()), { retries: 1 }],
  ['where nothing is tried again', 'GET', drops((socket) => socket.resetAndDestroy()), { retries: 0 }],
  [
    'once a byte came',
    'GET',
    drops((socket) => socket.write('H', () => socket.resetAndDestroy())),
    { retries: 1 },
  ],
  [
    'once an interim answer came',
    'GET',
    drops((socket) => socket.write('HTTP/1.1 100 Continue\r\n\r\n', () => socket.resetAndDestroy())),
    { retries: 1 },
  ],
] as const) {
  t.test(`not sent again: ${title}`, async (t) => {
    const { relay, seen } = await start(t, answer, options);
    const client = await relay.connect(t);
    t.equal((await client.write(head('GET')).answer()).status, 200);
    t.equal((await client.write(head(method, 'Content-Length: 0')).answer()).status, 502);
    t.same(seen, ['1.1', '1.2']);
  });
}

t.test('sent again once only', async (t) => {
  const answer: Answer = (socket, { request, connection }) =>
    request === 1 && connection === 1 ? socket.write(OK('a')) : socket.resetAndDestroy();
  const { relay, seen } = await start(t, answer, { retries: 5 });
  const client = await relay.connect(t);
  t.equal((await client.write(head('GET')).answer()).status, 200);
  t.equal((await client.write(head('GET')).answer()).status, 502);
  t.same(seen, ['1.1', '1.2', '2.1']);
});

t.test('a body that was read already is sent again', async (t) => {
  const bodies: string[] = [];
  const answer: Answer = (socket, { request, text }) => {
    bodies.push(text.slice(text.indexOf('\r\n\r\n') + 4));
    if (request === 1) socket.write(OK('a'));
    else socket.resetAndDestroy();
  };
  const { relay } = await start(t, answer, { retries: 1, job: () => ({ body: Buffer.from('hello') }) });
  const client = await relay.connect(t);
  for (let count = 0; count < 2; count++) t.equal((await client.write(head('PUT')).answer()).status, 200);
  t.same(bodies, ['hello', 'hello', 'hello']);
});

const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';
const HINTS = 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n';

for (const [title, before] of [
  ['one', CONTINUE],
  ['two', CONTINUE + CONTINUE],
  ['with a field', 'HTTP/1.1 100 Continue\r\nServer: x\r\n\r\n'],
  ['without a reason', 'HTTP/1.1 100\r\n\r\n'],
  ['in HTTP/1.0', 'HTTP/1.0 100 Continue\r\n\r\n'],
  ['behind early hints', HINTS + CONTINUE],
  ['before early hints', CONTINUE + HINTS],
] as const) {
  for (const [pieces, send] of [
    ['whole', async (socket: Socket, text: string) => void socket.write(text)],
    [
      'letter by letter',
      async (socket: Socket, text: string) => {
        for (const letter of text) {
          socket.write(letter);
          await delay(1);
        }
      },
    ],
  ] as const) {
    t.test(`an unasked 100 Continue is no answer: ${title}, ${pieces}`, async (t) => {
      const said = before + OK(CONTINUE + CONTINUE);
      const { relay, seen } = await start(t, (socket) => void send(socket, said));
      const client = await relay.connect(t);
      for (const method of ['GET', 'POST']) {
        const { status, body } = await client.write(head(method, 'Content-Length: 0')).answer();
        t.same([status, String(body)], [200, CONTINUE + CONTINUE]);
      }
      t.same(seen, ['1.1', '1.2'], 'on one connection');
    });
  }
}

for (const [title, ms] of [
  ['at once', 0],
  ['while the connection is idle', 20],
] as const) {
  t.test(`a second answer, ${title}, is nobody's`, async (t) => {
    const answer: Answer = (socket, { connection, request }) => {
      if (ms === 0) socket.write(OK(`${connection}.${request}`) + OK('second'));
      else {
        socket.write(OK(`${connection}.${request}`));
        setTimeout(() => socket.write(OK('second')), ms);
      }
    };
    const { relay } = await start(t, answer);
    const client = await relay.connect(t);
    for (let connection = 1; connection <= 3; connection++) {
      t.equal(String((await client.write(head('GET')).answer()).body), `${connection}.1`);
      await delay(3 * ms);
    }
  });
}

t.test('nor that of a request which waits for the connection', async (t) => {
  const answer: Answer = (socket, { connection, request }) =>
    socket.write(OK(`${connection}.${request}`) + OK('second'));
  const { relay } = await start(t, answer, { connections: 1 });
  const clients = await Promise.all([relay.connect(t), relay.connect(t), relay.connect(t)]);
  const answers = await Promise.all(clients.map((client) => client.write(head('GET')).answer()));
  t.same(answers.map(({ body }) => String(body)).sort(), ['1.1', '2.1', '3.1']);
});
