// Prompts of many megabytes and endless words never hold up the event loop: they are read in a thread of their own.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { meterOf, PATHS, priced } from './drive.js';

const MEGABYTE = 1_048_576;
/** Measured: 5–15 ms on two shared cores; CI machines stumble more. */
const PAUSE_MS_MAX = 100;

/** The longest that the event loop stood still while `work` ran. */
async function longestPauseMs(work: () => Promise<unknown>): Promise<number> {
  await sleep(30);
  const monitor = monitorEventLoopDelay({ resolution: 1 });
  monitor.enable();
  await sleep(30);
  monitor.reset();
  await work();
  await sleep(5);
  monitor.disable();
  return monitor.max / 1e6;
}

const bodyOf = (content: string): Buffer =>
  Buffer.from(JSON.stringify({ model: 'm', max_tokens: 1, messages: [{ role: 'user', content }] }));

t.test('a prompt of 20 MB', async (t) => {
  const meter = meterOf('openai-chat');
  const body = bodyOf('word '.repeat(4 * MEGABYTE));
  await priced(meter, bodyOf('x'.repeat(MEGABYTE)), PATHS['openai-chat']);
  const pauseMs = await longestPauseMs(async () => {
    const { charges } = await priced(meter, body, PATHS['openai-chat']);
    t.ok((charges.items[0]?.units ?? 0) >= (20 * MEGABYTE) / 3);
  });
  t.comment(`20 MB: ${pauseMs.toFixed(1)} ms`);
  t.ok(pauseMs < PAUSE_MS_MAX, `${pauseMs} ms`);
  await meter.close();
});

t.test('a body that is refused, in the thread', async (t) => {
  const meter = meterOf('openai-chat');
  await t.rejects(priced(meter, `{"a":"${'x'.repeat(MEGABYTE)}"`, PATHS['openai-chat']), {
    code: 'body-malformed',
    status: 400,
  });
  await t.rejects(priced(meter, `${'['.repeat(MEGABYTE)}`, PATHS['openai-chat']), { code: 'body-malformed' });
  await t.rejects(priced(meter, `{"a":"${'x'.repeat(MEGABYTE)}"}`, PATHS['openai-chat']), {
    code: 'model-unknown',
  });
  await meter.close();
});

t.test('many at once, each with its own answer', async (t) => {
  const meter = meterOf('openai-chat', { bytesPerToken: 1 });
  const sizes = Array.from({ length: 12 }, (_, index) => MEGABYTE + index);
  const held = await Promise.all(
    sizes.map((size) => priced(meter, bodyOf('x'.repeat(size)), PATHS['openai-chat'])),
  );
  const [first = 0, ...others] = held.map(({ charges }) => charges.items[0]?.units ?? 0);
  t.strictSame(
    others.map((units) => units - first),
    sizes.slice(1).map((size) => size - MEGABYTE),
  );
  await meter.close();
  const again = meterOf('openai-chat');
  await t.resolves(
    priced(again, bodyOf('x'.repeat(MEGABYTE)), PATHS['openai-chat']),
    'the thread is started anew',
  );
  await again.close();
});

const tokenizer = await import('gpt-tokenizer/encoding/o200k_base' as string).then(
  () => undefined,
  () => 'gpt-tokenizer is not installed',
);

t.test('a tokenizer counts what the provider would', { skip: tokenizer ?? false }, async (t) => {
  const meter = meterOf('openai-chat', { tokenizer: 'o200k_base' });
  const held = async (content: string) =>
    (await priced(meter, bodyOf(content), PATHS['openai-chat'])).charges.items[0]?.units ?? 0;
  const base = await held('');
  t.equal((await held('The quick brown fox jumps over the lazy dog.')) - base, 10);
  t.equal((await held('<|endoftext|>')) - base, 7, 'special tokens are text');
  t.ok((await held('東京都に行きます')) - base < 10);
  await meter.close();
});

t.test('1 MB of letters with a tokenizer', { skip: tokenizer ?? false, timeout: 120_000 }, async (t) => {
  const meter = meterOf('openai-chat', { tokenizer: 'o200k_base' });
  await priced(meter, bodyOf('warm'), PATHS['openai-chat']);
  const letters = Array.from({ length: MEGABYTE }, (_, index) =>
    String.fromCharCode(97 + ((index * 7919) % 26)),
  ).join('');
  const pauseMs = await longestPauseMs(async () => {
    const { charges } = await priced(meter, bodyOf(letters), PATHS['openai-chat']);
    t.ok((charges.items[0]?.units ?? 0) > MEGABYTE / 8);
  });
  t.comment(`1 MB of letters: ${pauseMs.toFixed(1)} ms`);
  t.ok(pauseMs < PAUSE_MS_MAX, `${pauseMs} ms`);
  await meter.close();
});
