// The body of a metered request is read completely, up to its limit, and only in the one format that can be metered.
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import t from 'tap';
import { ProblemError } from '../../src/errors/catalogue.js';
import { BodyAborted, readBody } from '../../src/meter/body.js';
import { RawClient } from '../support/raw.js';

const LIMIT_BYTES = 200_000;

/** What became of reading a body. */
const read = (request: IncomingMessage): Promise<string> =>
  readBody(request, LIMIT_BYTES, request.url === '/forms').then(
    (body) => `${body.length} ${body.toString('latin1', 0, 20)}`,
    (error: unknown) => {
      if (error instanceof ProblemError) return error.code;
      return error instanceof BodyAborted ? 'aborted' : String(error);
    },
  );

/**
 * Answers with what became of the body; `/forms` takes forms too, `/twice` reads it again, `/destroy` gives the request up while it is
 * read.
 */
const server = createServer(async (request, response) => {
  if (request.url === '/twice') await read(request);
  const reading = read(request);
  if (request.url === '/destroy') request.destroy();
  const outcome = await reading;
  server.emit('outcome', outcome);
  response.writeHead(200, { connection: 'close' }).end(outcome);
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
t.teardown(() => server.close());
const { port } = server.address() as AddressInfo;

async function send(bytes: string, path = '/'): Promise<string> {
  const client = await RawClient.connect(port);
  const { body } = await client.write(`POST ${path} HTTP/1.1\r\nHost: h\r\n${bytes}`).answer('POST');
  client.destroy();
  return body.toString();
}

const chunked = (...chunks: string[]) =>
  `Transfer-Encoding: chunked\r\n\r\n${[...chunks, ''].map((one) => `${one.length.toString(16)}\r\n${one}\r\n`).join('')}`;

t.test('a body is read to its end', async (t) => {
  t.equal(await send('Content-Length: 7\r\n\r\n{"n":1}'), '7 {"n":1}');
  t.equal(await send(chunked('{"n"', ':1}')), '7 {"n":1}');
  t.equal(await send('\r\n'), '0 ');
  t.equal(
    await send(`Content-Length: ${LIMIT_BYTES}\r\n\r\n${'x'.repeat(LIMIT_BYTES)}`),
    `${LIMIT_BYTES} ${'x'.repeat(20)}`,
  );
  t.equal(await send(chunked('x'.repeat(LIMIT_BYTES))), `${LIMIT_BYTES} ${'x'.repeat(20)}`);
});

t.test('a body beyond the bound is refused, by what is said of it before any of it came', async (t) => {
  t.equal(await send(`Content-Length: ${LIMIT_BYTES + 1}\r\n\r\n`), 'body-too-large');
  t.equal(await send('Content-Length: 9007199254740992\r\n\r\n'), 'body-too-large');
  t.equal(await send(chunked('x'.repeat(LIMIT_BYTES), 'y')), 'body-too-large');
  const unfinished = `Transfer-Encoding: chunked\r\n\r\n${(LIMIT_BYTES + 1).toString(16)}\r\n${'x'.repeat(LIMIT_BYTES + 1)}`;
  t.equal(await send(unfinished), 'body-too-large', 'without waiting for its end');
});

t.test('what lets the upstream read something else is refused', async (t) => {
  const body = 'Content-Length: 7\r\n\r\n{"n":1}';
  for (const header of [
    'Content-Encoding: gzip',
    'Content-Encoding: br',
    'Content-Encoding: identity, gzip',
    'Content-Encoding: identity\r\nContent-Encoding: gzip',
    'Content-Encoding:',
    'Content-Type: application/x-www-form-urlencoded',
    'Content-Type: multipart/form-data; boundary=x',
    'Content-Type: text/csv',
    'Content-Type: application/jsonx',
    'Content-Type: application/json, text/csv',
    'Content-Type: application/json\r\nContent-Type: text/csv',
    'Content-Type: application/json; charset=utf-7',
    'Content-Type: application/json; charset=utf-16',
    'Content-Type: application/json; charset=utf-8; charset=utf-7',
    "Content-Type: application/json; charset*=utf-8''utf-7",
    'Content-Type:',
  ])
    t.equal(await send(`${header}\r\n${body}`), 'body-encoded', header);
  t.equal(await send(`Transfer-Encoding: gzip, chunked\r\n\r\n7\r\n{"n":1}\r\n0\r\n\r\n`), 'body-encoded');
  for (const header of [
    'Content-Encoding: identity',
    'CONTENT-ENCODING: Identity',
    'Content-Type: application/json',
    'Content-Type: Application/JSON; charset=UTF-8',
    'Content-Type: application/json;charset="utf-8" ; version=1',
    'Content-Type: application/vnd.api+json',
    'Content-Type: application/geo+json; odata=verbose',
    'Content-Type: text/plain;charset=UTF-8',
  ])
    t.equal(await send(`${header}\r\n${body}`), '7 {"n":1}', header);
});

t.test('a form is taken where forms are, in one spelling of its head', async (t) => {
  const body = 'Content-Length: 7\r\n\r\n{"n":1}';
  const form = 'Content-Type: multipart/form-data; boundary=x';
  for (const header of [form, 'content-type: Multipart/Form-Data;boundary="x:y"', 'Content-Type: text/json'])
    t.equal(await send(`${header}\r\n${body}`, '/forms'), '7 {"n":1}', header);
  for (const header of [
    'Content-Type: multipart/form-data',
    'Content-Type: multipart/form-data; boundary=',
    'Content-Type: multipart/form-data; boundary="x y "',
    'Content-Type: multipart/form-data; boundary=x; boundary=y',
    'Content-Type: multipart/form-data; boundary=x; charset=utf-16',
    "Content-Type: multipart/form-data; boundary*=utf-8''x",
    'Content-Type: multipart/mixed; boundary=x',
    'Content-Type: application/x-www-form-urlencoded',
    `${form}\r\n${form}`,
    `${form}\r\nContent-Type: application/json`,
    `Content-Type: application/json\r\n${form}`,
    `${form}\r\nContent-Encoding: gzip`,
  ])
    t.equal(await send(`${header}\r\n${body}`, '/forms'), 'body-encoded', header);
});

t.test('a client that leaves before the end is reported', async (t) => {
  for (const start of [
    'Content-Length: 100\r\n\r\n{"n"',
    'Transfer-Encoding: chunked\r\n\r\n4\r\n{"n"\r\n',
  ]) {
    const client = await RawClient.connect(port);
    const arrived = once(server, 'request');
    client.write(`POST / HTTP/1.1\r\nHost: h\r\n${start}`);
    await arrived;
    const reported = once(server, 'outcome');
    client.destroy();
    t.same(await reported, ['aborted'], start);
  }
});

t.test('a request that was aborted or already read does not wait forever', async (t) => {
  const client = await RawClient.connect(port);
  const reported = once(server, 'outcome');
  client.write('POST /destroy HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n');
  t.same(await reported, ['aborted']);
  client.destroy();
  t.equal(await send('Content-Length: 7\r\n\r\n{"n":1}', '/twice'), 'aborted');
});
