// Coded answers are read on the side: soon after their end however small their chunks, in bounded memory, and to the same estimate.
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import t from 'tap';
import { Decoder } from '../../../src/meter/llm/decode.js';
import { events } from './answers.js';
import { cutUp, meterOf, PATHS, pass, priced } from './drive.js';

const SSE = 'text/event-stream';
const TEXT = 'Some words of an answer, and some more of them. ';

const CODINGS: [string, (body: Buffer) => Buffer][] = [
  ['gzip', gzipSync],
  ['x-gzip', gzipSync],
  ['deflate', deflateSync],
  ['deflate', deflateRawSync],
  ['br', brotliCompressSync],
];

async function estimateOf(body: Buffer, coding?: string, type = SSE): Promise<number> {
  const meter = meterOf('openai-chat');
  const one = await priced(
    meter,
    { model: 'm', max_tokens: 9_000, stream: type === SSE },
    PATHS['openai-chat'],
  );
  const { costs } = await pass(one, body, {
    type,
    chunkBytes: 100,
    ...(coding === undefined ? {} : { coding }),
  });
  await meter.close();
  t.equal(costs[0]?.estimated, true);
  return costs[0]?.units ?? 0;
}

t.test('an estimate is the same in every coding', async (t) => {
  const noJson = `data: ${TEXT.repeat(20)}\n\n`.repeat(3);
  const bodies: [string, string][] = [
    [events(Array.from({ length: 30 }, () => ({ choices: [{ delta: { content: TEXT } }] }))), SSE],
    [noJson, SSE],
    [`${noJson}data: {"choices":[{"delta":{"content":"bro`, SSE],
    [JSON.stringify({ choices: [{ message: { content: TEXT.repeat(30) } }] }), 'application/json'],
    ['<html>No.</html>'.repeat(30), 'text/html'],
  ];
  for (const [body, type] of bodies) {
    const plain = await estimateOf(Buffer.from(body), undefined, type);
    t.ok(plain > 100);
    for (const [coding, code] of CODINGS)
      t.equal(await estimateOf(code(Buffer.from(body)), coding, type), plain, `${type} ${coding}`);
  }
});

t.test('tiny chunks: read a moment after the end', async (t) => {
  const list = Array.from({ length: 20_000 }, (_, n) => ({
    choices: [{ delta: { content: `${n} ${TEXT}` } }],
  }));
  const body = gzipSync(
    events([...list, { choices: [], usage: { prompt_tokens: 9, completion_tokens: 400_000 } }]),
  );
  const chunks = cutUp(body, 2);
  const meter = meterOf('openai-chat');
  const one = await priced(meter, { model: 'm', stream: true }, PATHS['openai-chat']);
  const begun = performance.now();
  const { costs } = await pass(one, body, { type: SSE, coding: 'gzip', chunks });
  const ms = performance.now() - begun;
  t.strictSame(costs, [{ units: 400_009, estimated: false }]);
  t.ok(ms < 3_000, `${chunks.length} chunks in ${Math.round(ms)} ms`);
  await meter.close();
});

t.test('what waits to be decoded is bounded, for it can be waited for', async (t) => {
  let bytes = 0;
  let ended = false;
  const frames = { push: (chunk: Buffer) => (bytes += chunk.length), end: () => (ended = true) };
  const decoder = Decoder.of('gzip', frames, () => t.fail('all of it can be decoded'));
  const body = gzipSync(Buffer.alloc(8_000_000, 'not so small'), { level: 0 });
  let waits = 0;
  for (const chunk of cutUp(body, 65_536)) {
    decoder?.push(chunk);
    const ready = decoder?.ready();
    if (ready !== undefined) waits += 1;
    await ready;
  }
  await decoder?.end();
  t.ok(waits > 0 && ended);
  t.equal(bytes, 8_000_000);
});

t.test('what cannot be decoded is told, and ends', async (t) => {
  for (const body of [Buffer.from('no gzip at all'), gzipSync(TEXT.repeat(100)).subarray(0, 40)]) {
    let ended = 0;
    const decoder = Decoder.of('gzip', { push: () => undefined, end: () => (ended += 1) }, () => undefined);
    for (const chunk of cutUp(body, 3)) {
      decoder?.push(chunk);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await decoder?.end();
    t.equal(ended, 1);
  }
  t.equal(
    Decoder.of('compress', { push: () => undefined, end: () => undefined }, () => undefined),
    undefined,
  );
});
