// The official clients, unmodified: answers, streams, tools, JSON, refusals of their own class, and streams that they leave.
import t, { type Test } from 'tap';
import type { Client } from './client.js';
import { clients } from './clients.js';
import { type Bed, OUTPUT_ONLY, setUp, totalOf } from './support.js';

/** After the client has left, the upstream is to hear of it within this time: far from the answer's end, also on a busy machine. */
const ABORT_MS = 1_000;
const TOKEN_BYTES = 4;

for (const { name } of clients({ url: 'http://localhost', headers: {} })) {
  t.test(name, async (t) => {
    const bed = await setUp(t);
    const client = of(bed, name);
    await works(t, bed, client);
    await isRefused(t, bed, client);
    if (client.stream !== undefined) await leaves(t, name);
  });
}

function of(bed: Bed, name: string): Client {
  const found = clients(bed).find((one) => one.name === name);
  if (found === undefined) throw new Error(`no client ${name}`);
  return found;
}

async function works(t: Test, bed: Bed, client: Client): Promise<void> {
  let consumed = 0;
  const is = async (t: Test, what: string) => {
    consumed += totalOf(bed.last().usage);
    await bed.settles(t, consumed, what);
  };
  await t.test('answers', async (t) => {
    const whole = await client.whole('Where is the sea? [[tokens=12]]', 100);
    const { usage } = bed.last();
    t.match(whole, { input: usage?.input, output: usage?.output });
    await is(t, 'an answer');
    if (client.stream === undefined) return;
    const pieces: string[] = [];
    const streamed = await client.stream('Where is the sea? [[tokens=12]]', {
      maxTokens: 100,
      onText: (text) => pieces.push(text),
    });
    t.match(streamed, whole, 'the same, streamed');
    t.ok(pieces.length > 1);
    await is(t, 'a stream');
    const unasked = await client.stream('Go on. [[tokens=12]]', { wantsUsage: false, maxTokens: 100 });
    t.equal(unasked.text, whole.text);
    await is(t, 'a stream without usage');
    if (client.call !== undefined) {
      t.strictSame(await client.call('The weather?'), { city: 'Madrid' });
      await is(t, 'a tool call');
    }
    if (client.json !== undefined) {
      t.strictSame(await client.json('A city?'), { city: 'Madrid' });
      await is(t, 'JSON');
    }
  });
}

async function isRefused(t: Test, bed: Bed, client: Client): Promise<void> {
  await t.test('a refusal', async (t) => {
    const { consumed } = await bed.figures();
    await bed.limit('ana', Math.max(1, consumed));
    const before = bed.sample.log.length;
    const tries = await bed.refusals();
    // Tries take their time.
    const asks =
      client.tries > 1 || client.stream === undefined ? [client.whole] : [client.whole, client.stream];
    for (const ask of asks) {
      const error = await ask('Where is the sea?').then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      t.ok(client.isRefused(error), `its own class: ${error}`);
    }
    t.equal((await bed.refusals()) - tries, asks.length * client.tries, 'tries');
    t.equal(bed.sample.log.length, before, 'nothing went upstream');
    await bed.settles(t, consumed, 'and nothing is charged');
  });
}

async function leaves(t: Test, name: string): Promise<void> {
  await t.test('a stream that the client leaves', async (t) => {
    const bed = await setUp(t, { llm: OUTPUT_ONLY });
    const client = of(bed, name);
    const leave = new AbortController();
    let bytes = 0;
    let leftAt = 0;
    const streaming = client.stream?.('Go on. [[tokens=400 delay=5]]', {
      maxTokens: 1_000,
      signal: leave.signal,
      onText: (text) => {
        bytes += Buffer.byteLength(text);
        if (bytes < 20 * TOKEN_BYTES || leftAt > 0) return;
        leftAt = performance.now();
        leave.abort();
      },
    });
    await streaming?.catch(() => undefined);
    await bed.sample.until((log) => log.at(-1)?.endedAt !== undefined);
    const { served, endedAt = 0, tokensSent } = bed.last();
    t.equal(served, 'aborted');
    t.ok(endedAt - leftAt <= ABORT_MS, `${endedAt - leftAt} ms`);
    const settled = await bed.settled(t);
    const received = bytes / TOKEN_BYTES;
    t.ok(received > 0 && settled >= received, `${settled} settled, ${received} received`);
    t.ok(settled <= tokensSent + 1, `${settled} settled, ${tokensSent} sent`);
  });
}
