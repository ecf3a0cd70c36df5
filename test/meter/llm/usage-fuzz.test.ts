/**
 * Usage objects of every shape with counters removed, lowered, raised or broken: what is charged is never below half of the estimate of
 * the text that passed on a side, never below what the counters left untouched say, and never above all figures and the estimate.
 * `CASES=10000` for all of it, `SEED=…` for the same cases again.
 */
import t from 'tap';
import type { Api } from '../../../src/meter/llm/index.js';
import { events } from './answers.js';
import { AZURE_QUERY, meterOf, PATHS, pass, priced } from './drive.js';

const CASES = Number(process.env.CASES ?? 3_000);
const SEED = Number(process.env.SEED ?? Date.now() % 2 ** 31);

type Random = (below: number) => number;
type Side = 'input' | 'output' | 'total' | 'part';
type Counters = Record<string, unknown>;

/** mulberry32: the same cases for the same seed. */
function randomOf(seed: number): Random {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

interface Counts {
  readonly input: number;
  readonly cached: number;
  readonly output: number;
  readonly reasoning: number;
}

interface Form {
  readonly name: string;
  readonly api: Api;
  readonly path?: string;
  request(prompt: string): object;
  usage(counts: Counts): Counters;
  /** Which counters add up to a side. */
  readonly sides: Readonly<Record<string, Side>>;
  /** A stream where it has more than one document. */
  answer(text: string, usages: readonly Counters[]): { body: string; isStream: boolean };
}

const chatUsage = ({ input, cached, output, reasoning }: Counts): Counters => ({
  prompt_tokens: input,
  completion_tokens: output,
  total_tokens: input + output,
  prompt_tokens_details: { cached_tokens: cached },
  completion_tokens_details: { reasoning_tokens: reasoning },
});
const CHAT_SIDES: Form['sides'] = {
  prompt_tokens: 'input',
  completion_tokens: 'output',
  total_tokens: 'total',
};
const responsesUsage = ({ input, cached, output, reasoning }: Counts): Counters => ({
  input_tokens: input,
  input_tokens_details: { cached_tokens: cached },
  output_tokens: output,
  output_tokens_details: { reasoning_tokens: reasoning },
  total_tokens: input + output,
});
const RESPONSES_SIDES: Form['sides'] = {
  input_tokens: 'input',
  output_tokens: 'output',
  total_tokens: 'total',
};
const messagesUsage = ({ input, cached, output, reasoning }: Counts): Counters => ({
  input_tokens: input - cached,
  cache_read_input_tokens: cached,
  output_tokens: output,
  output_tokens_details: { thinking_tokens: reasoning },
});
const MESSAGES_SIDES: Form['sides'] = {
  input_tokens: 'input',
  cache_read_input_tokens: 'input',
  output_tokens: 'output',
};
const geminiUsage = ({ input, cached, output, reasoning }: Counts): Counters => ({
  promptTokenCount: input,
  cachedContentTokenCount: cached,
  candidatesTokenCount: output - reasoning,
  thoughtsTokenCount: reasoning,
  totalTokenCount: input + output,
});
const GEMINI_SIDES: Form['sides'] = {
  promptTokenCount: 'input',
  candidatesTokenCount: 'output',
  thoughtsTokenCount: 'output',
  totalTokenCount: 'total',
};

const chatRequest = (prompt: string) => ({ model: 'm', messages: [{ role: 'user', content: prompt }] });
const json = (value: unknown) => ({ body: JSON.stringify(value), isStream: false });
const stream = (list: readonly unknown[]) => ({ body: events(list), isStream: true });
const last = (usages: readonly Counters[]) => usages.at(-1);

const chat = (name: string, api: Api): Form[] => [
  {
    name,
    api,
    request: chatRequest,
    usage: chatUsage,
    sides: CHAT_SIDES,
    answer: (text, usages) => json({ choices: [{ message: { content: text } }], usage: last(usages) }),
  },
  {
    name: `${name} stream`,
    api,
    request: (prompt) => ({ ...chatRequest(prompt), stream: true, stream_options: { include_usage: true } }),
    usage: chatUsage,
    sides: CHAT_SIDES,
    answer: (text, usages) =>
      stream([
        { choices: [{ delta: { content: text } }] },
        ...usages.slice(0, -1).map((usage) => ({ choices: [{ delta: {} }], usage })),
        { choices: [], usage: last(usages) },
      ]),
  },
];

const FORMS: readonly Form[] = [
  ...chat('chat', 'openai-chat'),
  ...chat('azure', 'azure-openai'),
  ...chat('compatible', 'openai-compatible'),
  {
    name: 'responses',
    api: 'openai-responses',
    request: (prompt) => ({ model: 'm', input: prompt }),
    usage: responsesUsage,
    sides: RESPONSES_SIDES,
    answer: (text, usages) =>
      json({ status: 'completed', output: [{ type: 'message', content: [{ text }] }], usage: last(usages) }),
  },
  {
    name: 'responses stream',
    api: 'openai-responses',
    request: (prompt) => ({ model: 'm', input: prompt, stream: true }),
    usage: responsesUsage,
    sides: RESPONSES_SIDES,
    answer: (text, usages) =>
      stream([
        { type: 'response.output_text.delta', delta: text },
        ...usages.slice(0, -1).map((usage) => ({ type: 'response.in_progress', response: { usage } })),
        { type: 'response.completed', response: { usage: last(usages) } },
      ]),
  },
  {
    name: 'messages',
    api: 'anthropic-messages',
    request: (prompt) => ({ ...chatRequest(prompt), max_tokens: 100_000 }),
    usage: messagesUsage,
    sides: MESSAGES_SIDES,
    answer: (text, usages) => json({ content: [{ type: 'text', text }], usage: last(usages) }),
  },
  {
    name: 'messages stream',
    api: 'anthropic-messages',
    request: (prompt) => ({ ...chatRequest(prompt), max_tokens: 100_000, stream: true }),
    usage: messagesUsage,
    sides: MESSAGES_SIDES,
    answer: (text, usages) =>
      stream([
        { type: 'message_start', message: { usage: usages[0] } },
        { type: 'content_block_delta', delta: { type: 'text_delta', text } },
        ...usages.map((usage) => ({ type: 'message_delta', delta: {}, usage })),
      ]),
  },
  ...['generateContent', 'streamGenerateContent'].map(
    (verb): Form => ({
      name: verb,
      api: 'gemini',
      path: `/v1beta/models/m:${verb}`,
      request: (prompt) => ({ contents: [{ parts: [{ text: prompt }] }] }),
      usage: geminiUsage,
      sides: GEMINI_SIDES,
      answer: (text, usages) => {
        const candidates = [{ content: { parts: [{ text }] }, finishReason: 'STOP' }];
        if (verb === 'generateContent') return json({ candidates, usageMetadata: last(usages) });
        const heads = usages.slice(0, -1).map((usageMetadata) => ({ candidates: [], usageMetadata }));
        return stream([...heads, { candidates, usageMetadata: last(usages) }]);
      },
    }),
  ),
];

const BROKEN: readonly unknown[] = [-1, 'x', null, 1.5, 1e300, [], {}, true];

/** One counter, anywhere in it; true where what is left says nothing of it any more. */
function mutate(usage: Counters, random: Random, touched: Set<string>): void {
  const keys = Object.keys(usage);
  const key = keys[random(keys.length)];
  if (key === undefined) return;
  const value = usage[key];
  if (typeof value === 'object' && value !== null && random(3) > 0) {
    mutate(value as Counters, random, touched);
    return;
  }
  touched.add(key);
  const kind = random(5);
  if (kind === 0) delete usage[key];
  else if (kind === 1) usage[key] = BROKEN[random(BROKEN.length)];
  else if (typeof value !== 'number') delete usage[key];
  else if (kind === 2) usage[key] = 0;
  else if (kind === 3) usage[key] = random(value + 1);
  else usage[key] = value + random(1_000);
}

function figuresOf(value: unknown): number {
  if (typeof value === 'number') return Number.isInteger(value) && value > 0 && value < 1e12 ? value : 0;
  if (typeof value !== 'object' || value === null) return 0;
  return Object.values(value).reduce<number>((sum, one) => sum + figuresOf(one), 0);
}

/** What the counters of one object that are as they were say of a side. */
function untouched({ sides }: Form, usage: Counters, touched: Set<string>, side: Side): number {
  const keys = Object.keys(sides).filter((key) => sides[key] === side && !touched.has(key));
  return keys.reduce((sum, key) => sum + figuresOf(usage[key]), 0);
}

interface Case {
  readonly form: Form;
  readonly prompt: string;
  readonly text: string;
  readonly usages: readonly Counters[];
  readonly least: Record<Side, number>;
}

function caseOf(random: Random): Case {
  const form = FORMS[random(FORMS.length)] as Form;
  const [prompt, text] = ['word, '.repeat(random(400)), 'some text. '.repeat(20 + random(300))];
  const reasoning = random(300);
  const input = Math.ceil(prompt.length / (2 + random(3))) + 5;
  const output = Math.ceil(text.length / (2 + random(3))) + reasoning;
  const counts = { input, cached: random(input), output, reasoning };
  const early = { ...counts, output: Math.floor(output / 2), reasoning: Math.floor(reasoning / 2) };
  const { isStream } = form.answer('', [{}]);
  const stated = isStream && random(2) === 0 ? [early, counts] : [counts];
  const usages = stated.map((one) => form.usage(one));
  const least: Record<Side, number> = { input: 0, output: 0, total: 0, part: 0 };
  for (const usage of usages) {
    const touched = new Set<string>();
    for (let times = random(4); times > 0; times -= 1) mutate(usage, random, touched);
    for (const side of ['input', 'output', 'total'] as const)
      least[side] = Math.max(least[side], untouched(form, usage, touched, side));
  }
  return { form, prompt, text, usages, least };
}

t.test(`${CASES} mutated usages, seed ${SEED}`, async (t) => {
  const random = randomOf(SEED);
  const meters = new Map(FORMS.map(({ api }) => [api, meterOf(api)]));
  let exact = 0;
  for (let number = 0; number < CASES; number += 1) {
    const { form, prompt, text, usages, least } = caseOf(random);
    const meter = meters.get(form.api);
    if (meter === undefined) continue;
    const request = form.request(prompt);
    const asked = { query: form.api === 'azure-openai' ? AZURE_QUERY : '' };
    const one = await priced(meter, request, form.path ?? PATHS[form.api], asked);
    const { body, isStream } = form.answer(text, usages);
    const type = isStream ? 'text/event-stream' : 'application/json';
    const { costs, report } = await pass(one, Buffer.from(body), { type, chunkBytes: 50 + random(2_000) });
    const units = costs[0]?.units ?? -1;
    const {
      input = -1,
      cachedInput = -1,
      cacheWrite = -1,
      output = -1,
      reasoning = -1,
    } = report?.usage ?? {};
    const estimate = Math.ceil(JSON.stringify(request).length / 3) + Math.ceil(text.length / 3) + 10;
    const failures = [
      !Number.isSafeInteger(units) && 'no number',
      Math.min(input, cachedInput, cacheWrite, output, reasoning) < 0 && 'negative',
      (cachedInput + cacheWrite > input || reasoning > output) && 'a part beyond its side',
      input < prompt.length / 6 && 'input below half of its text',
      output < text.length / 6 && 'output below half of its text',
      input < least.input && `input below ${least.input}`,
      output < least.output && `output below ${least.output}`,
      units < least.total && `below the total of ${least.total}`,
      units > figuresOf(usages) + estimate && 'above all figures and the estimate',
    ].filter((failure) => failure !== false);
    if (failures.length > 0) {
      const detail = { usages, report: report?.usage, prompt: prompt.length, text: text.length };
      t.fail(`case ${number} of seed ${SEED}, ${form.name}: ${failures.join(', ')}`, detail);
    }
    if (costs[0]?.estimated === false) exact += 1;
  }
  t.comment(`${exact} charged to the token`);
  t.ok(exact > CASES / 4 && exact < CASES, 'neither all are whole nor all broken');
  await Promise.all([...meters.values()].map((meter) => meter.close()));
});
