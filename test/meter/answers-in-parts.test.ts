// A number in the answer's JSON is found however the answer comes: as a body, as events or as lines, plain or coded.
import { createHook } from 'node:async_hooks';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import t from 'tap';
import { compileMeter, type MeterSpec } from '../../src/meter/meter.js';
import type { Priced } from '../../src/meter/priced.js';
import { terms } from './llm/drive.js';

const QUOTAS = { usd: { decimals: 4 }, ai: { decimals: 0 }, bytes: { decimals: 0 } };
const COST: MeterSpec = { quota: 'usd', responseJson: '/usage/cost', hold: '0.05' };
const SUM: MeterSpec = { ...COST, across: 'sum' };
const LLM: MeterSpec = { quota: 'ai', llm: terms('openai-chat', { whenShort: 'clamp' }) };

interface Answer {
  readonly type?: string;
  readonly coding?: string;
  readonly chunkBytes?: number;
  readonly whole?: boolean;
}

async function priced(charges: readonly MeterSpec[], body: unknown, headers: string[] = []): Promise<Priced> {
  const meter = compileMeter({ action: 'a', charges, bodyLimitBytes: 1e6 }, QUOTAS);
  t.teardown(() => meter.close());
  const request = { path: '/v1/chat/completions', query: '', rawHeaders: headers };
  return meter.measure({ ...request, body: Buffer.from(JSON.stringify(body)) });
}

async function reported(
  charges: readonly MeterSpec[],
  body: string | Buffer,
  answer: Answer = {},
  request: unknown = {},
) {
  const { reader } = await priced(charges, request);
  if (reader === undefined) throw new Error('no reader');
  const fields = ['Content-Type', answer.type ?? 'application/json'];
  if (answer.coding !== undefined) fields.push('Content-Encoding', answer.coding);
  reader.head(
    200,
    fields.map((text) => Buffer.from(text)),
  );
  const bytes = Buffer.from(body);
  const size = answer.chunkBytes ?? bytes.length;
  for (let at = 0; at < bytes.length; at += size) reader.data(bytes.subarray(at, at + size));
  if (answer.whole !== false) reader.end();
  return reader.costs(answer.whole !== false);
}

const exact = (units: number) => [{ units, estimated: false, partial: false }];
const least = (units: number) => [{ units, estimated: true, partial: true }];
const cost = (amount: unknown) => ({ id: 'c', usage: { cost: amount } });
const sse = (list: readonly unknown[]) =>
  `: hello\n\n${list.map((one) => `event: x\ndata: ${typeof one === 'string' ? one : JSON.stringify(one)}\n\n`).join('')}`;
const lines = (list: readonly unknown[]) => list.map((one) => JSON.stringify(one)).join('\n');
const NOTHING = { choices: [{ delta: { content: 'usage "cost": 9' } }], usage: null };

t.test('the price is the same however the answer comes', async (t) => {
  const bodies: [string, string][] = [
    ['application/json', JSON.stringify(cost(3.2))],
    ['text/event-stream', sse([NOTHING, cost(3.2), '[DONE]'])],
    ['text/plain', sse([NOTHING, cost(3.2), '[DONE]'])],
    ['application/json', `data: ${JSON.stringify(cost(3.2))}\r\n\r\ndata: [DONE]`],
    ['application/x-ndjson', `${lines([NOTHING, cost(3.2)])}\n`],
    ['application/json', lines([NOTHING, cost(3.2), { done: true }])],
    ['application/json-seq', `\x1e${JSON.stringify(NOTHING)}\n\x1e${JSON.stringify(cost(3.2))}\n`],
    ['text/event-stream', `\ufeff${sse([cost(3.2)]).slice(10)}`],
    ['text/event-stream', `\r\n${JSON.stringify(cost(3.2))}`],
  ];
  for (const [type, body] of bodies) {
    for (const chunkBytes of [1, 7, 10_000]) {
      t.strictSame(await reported([COST], body, { type, chunkBytes }), exact(32_000), `${type} ${body}`);
      t.strictSame(
        await reported([COST], gzipSync(body), { type, coding: 'gzip', chunkBytes }),
        exact(32_000),
      );
      t.strictSame(
        await reported([COST], brotliCompressSync(body), { type, coding: 'br', chunkBytes }),
        exact(32_000),
      );
    }
  }
});

t.test('last or sum', async (t) => {
  for (const form of [sse, lines]) {
    const body = form([cost(0.5), NOTHING, cost(1.25), cost(1)]);
    t.strictSame(await reported([COST], body), exact(10_000));
    t.strictSame(await reported([SUM], body), exact(27_500));
    const small = form(Array.from({ length: 1_000 }, () => cost(0.00001)));
    t.strictSame(await reported([SUM], small), exact(100), 'rounded up once, not once an event');
    t.strictSame(await reported([COST], small), exact(1));
  }
  const large = sse([cost(9e11), cost(9e11)]);
  t.strictSame(await reported([SUM], large), least(9_000_000_000_000_000), 'more than can be counted');
});

t.test('what cannot be read, or broke off, is at least what was reported', async (t) => {
  const cases: [string, string, Answer, unknown][] = [
    ['a broken event', `${sse([cost(2)])}data: {"usage":{"cost":9}\n\n`, {}, least(20_000)],
    [
      'an event with two prices',
      `${sse([cost(2)])}data: {"usage":{"cost":1,"cost":3}}\n\n`,
      {},
      least(20_000),
    ],
    ['broken off', sse([cost(2)]), { whole: false }, least(20_000)],
    ['no number', sse([cost('free'), cost(null)]), {}, [undefined]],
    ['a bad last one', sse([cost(2), cost(-1)]), {}, least(20_000)],
    ['a good one behind a bad one', sse([cost(-1), cost(2)]), {}, exact(20_000)],
    ['no JSON', 'not JSON', {}, [undefined]],
    ['rubbish behind it', `${JSON.stringify(cost(2))} and more`, {}, least(20_000)],
    ['a coding that is not known', JSON.stringify(cost(2)), { coding: 'lzma' }, [undefined]],
    ['cut within its coding', '', { coding: 'gzip' }, [undefined]],
    ['too large', `{"a":"${'x'.repeat(1_100_000)}","usage":{"cost":2}}`, {}, [undefined]],
    ['empty', '', {}, [undefined]],
  ];
  for (const [name, body, answer, due] of cases)
    t.strictSame(await reported([COST], body, answer), due, name);
  const bad = await reported([SUM], sse([cost(-1), cost(2)]));
  t.strictSame(bad, least(20_000), 'of a sum each has to be good');
});

t.test('the upstream is asked only for codings that can be read', async (t) => {
  const { setFields } = await priced([COST], {}, ['Accept-Encoding', 'dcb, gzip']);
  t.strictSame(setFields, ['accept-encoding', 'gzip']);
  t.equal((await priced([COST], {}, ['Accept-Encoding', 'gzip'])).setFields, undefined);
  const bytes: MeterSpec = { quota: 'bytes', bytes: 'out', hold: 1 };
  t.equal((await priced([bytes], {}, ['Accept-Encoding', 'dcb'])).setFields, undefined);
});

t.test('tokens and other costs of one answer', async (t) => {
  const usage = { prompt_tokens: 9, completion_tokens: 40, total_tokens: 49, cost: 0.75 };
  const bytes: MeterSpec = { quota: 'bytes', bytes: 'out', hold: 1 };
  const charges = [LLM, COST, { quota: 'ai', gate: true }, bytes] as const;
  const asked = { model: 'm', max_tokens: 100 };
  const one = await priced(charges, asked);
  t.strictSame(
    one.charges.items.map(({ quota, kind }) => `${quota} ${kind}`),
    ['usd held', 'bytes held', 'ai held'],
  );
  const body = JSON.stringify({ choices: [{ message: { content: 'Hello.' } }], usage });
  const both = (size: number) => [
    ...exact(7_500),
    { units: size, estimated: false },
    { units: 49, estimated: false },
  ];
  t.strictSame(await reported(charges, body, {}, asked), both(body.length));
  const chunk = { choices: [{ delta: { content: 'Hello.' } }] };
  const stream = sse([chunk, { choices: [], usage }, '[DONE]']);
  const asking = { ...asked, stream: true, stream_options: { include_usage: true } };
  t.strictSame(
    await reported(charges, stream, { type: 'text/event-stream', chunkBytes: 9 }, asking),
    both(stream.length),
  );
  const unasked = await reported(charges, stream, { type: 'text/event-stream' }, { ...asked, stream: true });
  t.strictSame(
    unasked,
    both(stream.length - `event: x\ndata: ${JSON.stringify({ choices: [], usage })}\n\n`.length),
  );
  const clamped = one.clamp?.(() => 60);
  t.equal(clamped?.charges.items.length, 3);
  t.strictSame(clamped?.reader?.progress(), [0, 0, 0]);
  t.strictSame(clamped?.floors, [0, 0]);
});

t.test('an answer is decoded once for tokens and other costs', async (t) => {
  const usage = { prompt_tokens: 9, completion_tokens: 40, total_tokens: 49, cost: 0.75 };
  const asked = { model: 'm', max_tokens: 100 };
  const body = JSON.stringify({ choices: [{ message: { content: 'Hello.' } }], usage });
  const tokens = { units: 49, estimated: false };
  const zipped = { coding: 'gzip', chunkBytes: 7 };
  const whole = gzipSync(body);
  let decoders = 0;
  const hook = createHook({
    init: (_id, type) => {
      if (type === 'ZLIB') decoders += 1;
    },
  }).enable();
  t.teardown(() => hook.disable());
  t.strictSame(await reported([COST, LLM], whole, zipped, asked), [...exact(7_500), tokens]);
  t.equal(decoders, 1);
  const broken = Buffer.from(whole);
  broken.writeUInt32LE(1, broken.length - 4);
  const inTwo = { coding: 'gzip', chunkBytes: broken.length - 8 };
  const [lower] = await reported([LLM, COST], broken, inTwo, asked);
  t.strictSame(lower, least(7_500)[0], 'what cannot be decoded leaves a lower bound');
  const unknown = await reported([LLM, COST], body, { coding: 'lzma' }, asked);
  t.equal(unknown[0], undefined);
});

t.test('a gate on the quota of a later cost does not take its place', async (t) => {
  const bytes: MeterSpec = { quota: 'bytes', bytes: 'out', hold: 7 };
  const { charges } = await priced([{ quota: 'bytes', gate: true }, COST, bytes], {});
  t.strictSame(
    charges.items.map(({ quota, units }) => [quota, units]),
    [
      ['usd', 500],
      ['bytes', 7],
    ],
  );
});

t.test('an array of documents, a byte order mark, and a part of an answer', async (t) => {
  const parts = [cost(1.5), { id: 'x' }, cost(3.2)];
  for (const chunkBytes of [1, 5, 10_000]) {
    const array = JSON.stringify(parts, null, 1);
    t.strictSame(await reported([COST], array, { chunkBytes }), exact(32_000), 'the last one of an array');
    t.strictSame(await reported([SUM], array, { chunkBytes }), exact(47_000), 'the sum of an array');
    t.strictSame(await reported([COST], array.slice(0, -2), { chunkBytes }), least(32_000), 'broken off');
    const element: MeterSpec = { ...COST, responseJson: '/0/usage/cost' };
    t.strictSame(
      await reported([element], array, { chunkBytes }),
      exact(15_000),
      'a pointer that says which',
    );
    t.strictSame(await reported([COST], `\ufeff${JSON.stringify(cost(3.2))}`, { chunkBytes }), exact(32_000));
    t.strictSame(await reported([COST], '[]', { chunkBytes }), [undefined]);
  }
  await t.rejects(priced([COST], {}, ['Range', 'bytes=0-9']), { code: 'cost-invalid', status: 400 });
  await t.rejects(priced([LLM], { model: 'm' }, ['range', 'bytes=0-9']), { code: 'cost-invalid' });
});
