// Bodies pass both ways unchanged and unbuffered: a slow receiver slows down the sender, and memory stays flat.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { hashOfBytes, TestUpstream } from '../support/upstream.js';
import { Relay } from './relay.js';

const MIB = 1024 * 1024;
const BIG = 64 * MIB;
// What the buffers of kernel and streams hold over three hops: far from the whole.
const UNDER_WAY_MOST = 24 * MIB;
const BUFFERED_MOST = MIB;
const WHOLE = [{ kind: 'answered', status: 200, complete: true, clientGone: false }];

async function start(t: Test, upstream?: TestUpstream): Promise<{ upstream: TestUpstream; relay: Relay }> {
  const started = upstream ?? (await TestUpstream.start());
  t.teardown(() => started.close());
  return { upstream: started, relay: await Relay.start(t, started.url) };
}

/** Waits until a figure no longer grows. */
async function settled(figure: () => number): Promise<number> {
  for (let before = 0; ; await delay(100)) {
    if (figure() > 0 && figure() === before) return before;
    before = figure();
  }
}

async function hashOf(message: IncomingMessage, onChunk: () => void = () => {}): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of message) {
    hash.update(chunk);
    onChunk();
  }
  return hash.digest('hex');
}

/** Writes as fast as it is allowed to, and returns the hash of what it wrote. */
async function upload(
  request: ClientRequest,
  bytes: number,
  onWritten: (bytes: number) => void,
): Promise<string> {
  const hash = createHash('sha256');
  const piece = Buffer.alloc(MIB, 'upload');
  for (let written = 0; written < bytes; written += MIB) {
    hash.update(piece);
    onWritten(written);
    if (!request.write(piece)) await once(request, 'drain');
  }
  request.end();
  return hash.digest('hex');
}

t.test('a client that does not read holds the upstream back; then it gets every byte', async (t) => {
  const { upstream, relay } = await start(t);
  const request = httpRequest(relay.url, { headers: { 'x-test-bytes': BIG } }).end();
  const [message] = (await once(request, 'response')) as [IncomingMessage];
  const written = await settled(() => upstream.log[0]?.bytesWritten ?? 0);
  t.ok(written < UNDER_WAY_MOST, `the upstream was stopped after ${written} bytes`);

  let peak = relay.responses[0]?.writableLength ?? BIG;
  const hash = await hashOf(message, () => {
    peak = Math.max(peak, relay.responses[0]?.writableLength ?? 0);
  });
  t.equal(hash, hashOfBytes(BIG));
  t.ok(peak < BUFFERED_MOST, `at most ${peak} bytes waited in memory`);
  t.same(await relay.outcomes(1), WHOLE);
});

t.test('an upstream that does not read holds the client back; then it gets every byte', async (t) => {
  let read = (): void => {};
  const mayRead = new Promise<void>((resolve) => {
    read = resolve;
  });
  const { relay } = await start(
    t,
    await TestUpstream.start({
      handler: async (request, response) => {
        await mayRead;
        response.end(await hashOf(request));
      },
    }),
  );
  const request = httpRequest(relay.url, { method: 'POST', headers: { 'content-length': BIG } });
  let sent = 0;
  const uploaded = upload(request, BIG, (written) => {
    sent = written;
  });
  const written = await settled(() => sent);
  t.ok(written < UNDER_WAY_MOST, `the client was stopped after ${written} bytes`);

  const waiting = relay.requests[0]?.readableLength ?? BIG;
  t.ok(waiting < BUFFERED_MOST, `${waiting} bytes waited in memory`);
  read();
  const [message] = (await once(request, 'response')) as [IncomingMessage];
  const [text] = await message.toArray();
  t.equal(String(text), await uploaded);
  t.same(await relay.outcomes(1), WHOLE);
});

t.test('both bodies flow at once, in chunks', async (t) => {
  const { upstream, relay } = await start(t);
  const request = httpRequest(relay.url, { method: 'POST', headers: { 'x-test-echo': 1 } });
  request.write('one');
  const [message] = (await once(request, 'response')) as [IncomingMessage];
  const pieces: string[] = [];
  for await (const piece of message) {
    pieces.push(String(piece));
    // Sent only when the echo of the first one has come.
    if (pieces.length === 1) request.end('two');
  }
  t.same(pieces, ['one', 'two']);
  t.equal(upstream.log[0]?.headers['transfer-encoding'], 'chunked');
  t.equal(message.headers['transfer-encoding'], 'chunked');
  t.same(await relay.outcomes(1), WHOLE);
});

t.test('the head of an answer is not held back until its body begins', async (t) => {
  const { upstream, relay } = await start(t);
  const request = httpRequest(relay.url, { headers: { 'x-test-hold': 'body', 'x-test-chunked': 1 } }).end();
  const [message] = (await once(request, 'response')) as [IncomingMessage];
  t.equal(upstream.log[0]?.bytesWritten, 0);
  upstream.release();
  await hashOf(message);
  t.same(await relay.outcomes(1), WHOLE);
});
