// A budget under many concurrent streams: never exceeded if the estimate holds, used up completely by clamping, and
// enforced by cutting streams.

import Anthropic from '@anthropic-ai/sdk';
import { Redis } from 'ioredis';
import OpenAI from 'openai';
import t, { type Test } from 'tap';
import { admin, ask } from '../support/gateway.js';
import { skipWithoutRedis, startRedis } from '../support/redis.js';
import { anthropicOf } from './anthropic-gemini-clients.js';
import { openaiOf } from './openai-clients.js';
import { post, type RawAnswer } from './raw.js';
import { type Bed, type BedParts, setUp, totalOf } from './support.js';

const CHAT = '/v1/chat/completions';
const STREAMS = 500;
const ROOM_FOR = 100;
const OUTPUT = 40;
const PROMPT = `Where is the sea? [[tokens=${OUTPUT} delay=20]]`;

function chat(prompt: string, maxTokens: number): unknown {
  const messages = [{ role: 'user', content: prompt }];
  return { model: 'sample-1', messages, max_tokens: maxTokens, stream: true };
}

function send(bed: Bed, body: unknown): Promise<RawAnswer> {
  return post(bed.url + CHAT, { body, headers: bed.headers });
}

/** What the sample truly spent on what it served. */
function spent({ sample }: Bed): number {
  return sample.log.reduce((sum, { usage }) => sum + (usage === undefined ? 0 : totalOf(usage)), 0);
}

async function overshoot(bed: Bed): Promise<string[]> {
  const { body } = await ask(bed.ops, '/metrics');
  return body.split('\n').filter((line) => /^quotagate_\w*overshoot\w*\{.*\} [1-9]/.test(line));
}

t.test(`${STREAMS} streams at once, and a budget for ${ROOM_FOR}`, async (t) => {
  const each = totalOfPrompt(PROMPT) + OUTPUT;
  const bed = await setUp(t, { allowance: ROOM_FOR * each });
  const answers = await Promise.all(Array.from({ length: STREAMS }, () => send(bed, chat(PROMPT, OUTPUT))));
  const served = answers.filter(({ status }) => status === 200).length;
  t.equal(bed.sample.log.length, served, 'what was refused did not go upstream');
  t.ok(answers.every(({ status }) => status === 200 || status === 429));
  // The estimate of the input is higher than its true cost, so a few are refused while the others are held.
  t.ok(served > ROOM_FOR * 0.6 && served <= ROOM_FOR, `${served} served`);
  t.equal(await bed.settled(t), served * each, 'the true cost, to the token');
  t.equal(spent(bed), served * each);
  t.strictSame(await overshoot(bed), []);
});

t.test('clamped, and come back until it is spent', async (t) => {
  const allowance = 20_000;
  const bed = await setUp(t, { allowance, llm: 'whenShort: clamp' });
  let clamped = 0;
  const client = async (number: number): Promise<void> => {
    for (let turn = 0; ; turn += 1) {
      const tokens = 50 + ((number * 31 + turn * 17) % 150);
      const answer = await send(bed, chat(`[[tokens=${tokens}]]`, 300));
      if (answer.headers['quotagate-clamped'] !== undefined) clamped += 1;
      if (answer.headers['x-should-retry'] === 'false') return;
      if (answer.status !== 200) await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  await Promise.all(Array.from({ length: 50 }, (_, number) => client(number)));
  const consumed = await bed.settled(t);
  t.ok(consumed <= allowance, `${consumed} of ${allowance}: never over`);
  t.ok(consumed >= allowance * 0.99, `${consumed} of ${allowance}: and used`);
  t.equal(consumed, spent(bed));
  t.ok(clamped > 0);
  t.strictSame(await overshoot(bed), []);
});

t.test('a clamped request has a header, and a lower output limit', async (t) => {
  const bed = await setUp(t, { allowance: 200, llm: 'whenShort: clamp' });
  const messages = [{ role: 'user' as const, content: '[[tokens=1000]]' }];
  const { data, response } = await openaiOf(bed)
    .chat.completions.create({ model: 'sample-1', messages, max_tokens: 5_000 })
    .withResponse();
  const clamp = Number(response.headers.get('quotagate-clamped'));
  t.ok(clamp > 100 && clamp < 200, `${clamp}`);
  t.equal(data.usage?.completion_tokens, clamp);
  t.equal(data.choices[0]?.finish_reason, 'length');
  t.match(bed.last().body, { max_tokens: clamp });
});

const STEP = 64;

async function cut(t: Test, streams: number, run: (bed: Bed) => Promise<unknown>): Promise<unknown[]> {
  const allowance = 3_000;
  const bed = await setUp(t, {
    allowance,
    llm: `hold: step, stepTokens: ${STEP}, whenSpent: cut, bytesPerToken: 4`,
  });
  const ends = await Promise.all(
    Array.from({ length: streams }, () =>
      run(bed).then(
        (text) => text,
        (error: unknown) => error,
      ),
    ),
  );
  const consumed = await bed.settled(t);
  t.ok(consumed <= allowance + STEP, `${consumed} of ${allowance}: over by at most a step of ${STEP}`);
  t.ok(consumed >= allowance - streams * STEP, `${consumed} of ${allowance}: and used`);
  await bed.sample.until((log) => log.every(({ served }) => served !== 'open'));
  const log = bed.sample.log.filter(({ served }) => served === 'aborted');
  t.ok(log.length > 0, 'the upstream was aborted');
  return ends;
}

const LONG = 'On and on. [[tokens=2000 delay=2]]';

t.test('cut: OpenAI', async (t) => {
  const ends = await cut(t, 10, async (bed) => {
    const messages = [{ role: 'user' as const, content: LONG }];
    const stream = await openaiOf(bed).chat.completions.create({ model: 'sample-1', messages, stream: true });
    for await (const _ of stream);
  });
  for (const end of ends) {
    t.ok(end instanceof OpenAI.APIError, `its own error: ${end}`);
    // What is left may be held by the other streams.
    t.match(end, { code: /^(insufficient_quota|budget_held)$/ });
  }
});

t.test('cut: OpenAI Responses', async (t) => {
  const ends = await cut(t, 10, async (bed) => {
    const stream = await openaiOf(bed).responses.create({ model: 'sample-1', input: LONG, stream: true });
    for await (const event of stream)
      if (event.type === 'response.failed' || event.type === 'error') return event;
    return undefined;
  });
  for (const end of ends) {
    const raised = end instanceof OpenAI.APIError ? end : (end as { type?: string } | undefined);
    t.ok(raised instanceof OpenAI.APIError || raised?.type !== undefined, `an error: ${JSON.stringify(end)}`);
    t.match(JSON.stringify(end), /insufficient_quota|budget_held/);
  }
});

t.test('cut: Anthropic', async (t) => {
  const ends = await cut(t, 10, (bed) => {
    const messages = [{ role: 'user' as const, content: LONG }];
    return anthropicOf(bed)
      .messages.stream({ model: 'sample-1', max_tokens: 4_000, messages })
      .finalMessage();
  });
  for (const end of ends) t.ok(end instanceof Anthropic.APIError, `its own error: ${end}`);
});

type Lose = (bed: Bed) => Promise<void>;

/** A stream loses its hold while it goes on: it must end at the budget all the same. */
async function cutWithoutHold(t: Test, parts: BedParts, lose: Lose): Promise<RawAnswer> {
  const allowance = 600;
  const llm = `hold: step, stepTokens: ${STEP}, whenSpent: cut, bytesPerToken: 4`;
  const bed = await setUp(t, { ...parts, allowance, llm });
  const answer = send(bed, chat('[[tokens=2000 delay=2]]', 4_000));
  await bed.sample.until((log) => log.length > 0);
  await lose(bed);
  const { body, ...rest } = await answer;
  const { consumed } = await bed.figures();
  t.ok(consumed <= allowance + STEP, `${consumed} of ${allowance}: over by at most a step of ${STEP}`);
  await bed.sample.until((log) => log.every(({ served }) => served !== 'open'));
  t.equal(bed.last().served, 'aborted');
  return { body, ...rest };
}

/** Of the only stream under way. */
async function holdOf(bed: Bed): Promise<string> {
  for (;;) {
    const { body } = await admin(bed.admin, 'GET', '/orgs/acme/holds');
    const [hold] = (body as { items: { id: string }[] }).items;
    if (hold !== undefined) return hold.id;
  }
}

t.test('cut: its hold was released by hand', async (t) => {
  const { body } = await cutWithoutHold(t, {}, async (bed) => {
    await admin(bed.admin, 'DELETE', `/orgs/acme/holds/${await holdOf(bed)}`);
  });
  t.match(body.toString(), /insufficient_quota|budget_held/);
});

t.test('cut: the store has lost its hold', { skip: skipWithoutRedis }, async (t) => {
  const redis = await startRedis();
  t.teardown(() => redis.stop());
  const store = new Redis(redis.url.replace(/^unix:\/\//, ''));
  const { body } = await cutWithoutHold(t, { redis: redis.url }, async (bed) => {
    const hold = await holdOf(bed);
    await store.multi().hdel('qg:{acme}:holds', hold).zrem('qg:{acme}:due', hold).exec();
    store.disconnect();
  });
  t.match(body.toString(), /"error":.*hold/);
});

t.test('finish: the stream continues, and the overshoot is counted', async (t) => {
  const bed = await setUp(t, { allowance: 500, llm: `hold: step, stepTokens: ${STEP}, whenSpent: finish` });
  const answer = await send(bed, chat('[[tokens=1000 delay=1]]', 2_000));
  t.ok(answer.whole);
  await bed.settles(t, totalOf(bed.last().usage), 'charged in full');
  t.not((await overshoot(bed)).length, 0, 'and seen');
  t.equal((await send(bed, chat('', 10))).status, 429, 'the next is refused');
});

/** As the sample counts it. */
function totalOfPrompt(prompt: string): number {
  return Math.ceil(Buffer.byteLength(prompt) / 4);
}
