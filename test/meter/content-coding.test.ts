// Encoded answers are decoded for the meter: soon after their end however small the chunks, in bounded memory, and with
// the same estimate.
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import t from 'tap';
import { openBody } from '../../src/meter/content-coding.js';
import { events } from './llm/answers.js';
import { cutUp, meterOf, PATHS, pass, priced } from './llm/drive.js';

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

t.test('the bytes that wait to be decoded are bounded', async (t) => {
  const plain = Buffer.alloc(8_000_000, 'not so small');
  const stored = { level: 0 };
  for (const [coding, coded] of [
    ['gzip', gzipSync(plain, stored)],
    ['gzip, gzip', gzipSync(gzipSync(plain, stored), stored)],
  ] as const) {
    let bytes = 0;
    let ended = false;
    const frames = { push: (chunk: Buffer) => (bytes += chunk.length), end: () => (ended = true) };
    const body = openBody(coding, frames, () => t.fail('all of it can be decoded'));
    let waits = 0;
    for (const chunk of cutUp(coded, 65_536)) {
      body.push(chunk);
      const ready = body.ready();
      if (ready !== undefined) waits += 1;
      await ready;
    }
    await body.end();
    t.ok(waits > 0 && ended && !body.failed, coding);
    t.equal(bytes, plain.length, coding);
  }
});

interface Decoded {
  readonly plain: Buffer;
  readonly unread: number;
  readonly failed: boolean;
  readonly ends: number;
}

async function decode(coding: string, coded: Buffer, chunkBytes = 50): Promise<Decoded> {
  const chunks: Buffer[] = [];
  let [unread, ends] = [0, 0];
  const frames = { push: (chunk: Buffer) => chunks.push(chunk), end: () => (ends += 1) };
  const body = openBody(coding, frames, (bytes) => (unread += bytes));
  for (const chunk of cutUp(coded, chunkBytes)) {
    body.push(chunk);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await body.end();
  return { plain: Buffer.concat(chunks), unread, failed: body.failed, ends };
}

const LONG = Buffer.from(Array.from({ length: 3_000 }, (_, n) => `${n} ${TEXT}`).join(''));

t.test('codings are taken off in the reverse of their order', async (t) => {
  const chains: [string, Buffer][] = [
    ['gzip, gzip', gzipSync(gzipSync(LONG))],
    ['gzip, identity', gzipSync(LONG)],
    ['identity,gzip', gzipSync(LONG)],
    ['Identity', LONG],
    ['deflate , br', brotliCompressSync(deflateRawSync(LONG))],
    ['br, gzip, deflate', deflateSync(gzipSync(brotliCompressSync(LONG)))],
  ];
  for (const [coding, coded] of chains)
    for (const chunkBytes of [7, coded.length])
      t.match(
        await decode(coding, coded, chunkBytes),
        { plain: LONG, unread: 0, failed: false, ends: 1 },
        coding,
      );
});

t.test('bytes that cannot be decoded are counted', async (t) => {
  const four = [gzipSync, gzipSync, gzipSync, gzipSync].reduce((body, code) => code(body), LONG);
  const gzip = gzipSync(LONG);
  const second = brotliCompressSync(Buffer.from(TEXT.repeat(3)));
  const bodies: [what: string, coding: string, coded: Buffer, least: number, plain: Buffer][] = [
    ['no gzip at all', 'gzip', Buffer.from('no gzip at all'), 14, Buffer.of()],
    ['an unknown coding', 'compress', LONG, LONG.length, Buffer.of()],
    ['an unknown coding in a chain', 'compress, gzip', gzip, gzip.length, Buffer.of()],
    ['too many codings', 'gzip, gzip, gzip, gzip', four, four.length, Buffer.of()],
    ['a second brotli stream', 'br', Buffer.concat([brotliCompressSync(LONG), second]), second.length, LONG],
    [
      'a second brotli stream within gzip',
      'br, gzip',
      gzipSync(Buffer.concat([brotliCompressSync(LONG), second])),
      second.length,
      LONG,
    ],
    ['plain text within gzip', 'gzip, gzip', gzip, 1, Buffer.of()],
  ];
  for (const [what, coding, coded, least, plain] of bodies)
    for (const chunkBytes of [64, coded.length]) {
      const decoded = await decode(coding, coded, chunkBytes);
      t.ok(decoded.failed && decoded.unread >= least, `${what}: ${decoded.unread} bytes`);
      t.same(decoded.plain, plain, what);
    }
});

t.test('a body that breaks off is decoded to its last byte', async (t) => {
  const whole = gzipSync(LONG);
  const coded = whole.subarray(0, whole.length / 2);
  for (const [coding, part] of [
    ['gzip', coded],
    ['gzip, gzip', gzipSync(coded)],
    ['gzip, br', brotliCompressSync(whole).subarray(0, whole.length / 2)],
  ] as const) {
    const { plain, ends } = await decode(coding, part, 1_000);
    t.ok(plain.length > 1_000 && plain.equals(LONG.subarray(0, plain.length)), coding);
    t.equal(ends, 1);
  }
});

t.test('an estimate counts what several codings hide', async (t) => {
  const body = Buffer.from(`data: ${TEXT.repeat(200)}\n\n`.repeat(3));
  const plain = await estimateOf(body);
  t.equal(await estimateOf(gzipSync(gzipSync(body)), 'gzip, gzip'), plain);
  t.equal(await estimateOf(gzipSync(body), 'gzip, identity'), plain);
});
