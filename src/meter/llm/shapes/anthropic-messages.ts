/** Anthropic messages. */
import type { Problem } from '../../../errors/catalogue.js';
import { plus, type UsagePart } from '../rates.js';
import { compileLayout } from '../request.js';
import type { Shape, ShapeOf } from '../shape.js';
import { count, isObject, type Json, largerOf, listOf, member, type StatedUsage, usageOf } from '../usage.js';
import type { UsageAccumulator } from '../usage-accumulator.js';
import type { ReadUsage } from '../usage-merge.js';

const ERROR_TYPES: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  503: 'overloaded_error',
  504: 'timeout_error',
};

/** `input_tokens` excludes cached tokens. The counters beside `iterations` may exclude the passes listed there. */
export const messagesUsage: ReadUsage = (raw) => {
  const top = plainUsage(raw);
  const passes = listOf(raw.iterations).filter(isObject).map(plainUsage);
  const sum = passes.reduce<StatedUsage | undefined>(
    (all, pass) => (pass ? added(all, pass) : all),
    undefined,
  );
  return sum === undefined || top === undefined ? (sum ?? top) : largerOf(sum, top);
};

/** Returns the usage of passes that name a model, which may differ from the requested one (fallbacks, advisors). */
function partsOf(raw: Json): readonly UsagePart[] {
  return listOf(raw.iterations).flatMap((pass) => {
    const model = member(pass, 'model');
    const usage = isObject(pass) ? plainUsage(pass) : undefined;
    return typeof model === 'string' && usage ? [{ model, usage }] : [];
  });
}

function plainUsage(raw: Json): StatedUsage | undefined {
  const cachedInput = count(raw, 'cache_read_input_tokens');
  const written = count(raw, 'cache_creation_input_tokens');
  const cacheWrite = Math.max(written || 0, writtenIn(raw.cache_creation));
  return usageOf({
    // Evaluates to 0, or to NaN for an unusable counter, which marks the input as broken.
    input: [count(raw, 'input_tokens'), cachedInput, cacheWrite, written - written],
    cachedInput,
    cacheWrite,
    output: count(raw, 'output_tokens'),
    reasoning: count(raw.output_tokens_details, 'thinking_tokens'),
  });
}

function writtenIn(raw: unknown): number {
  const [short, long] = [count(raw, 'ephemeral_5m_input_tokens'), count(raw, 'ephemeral_1h_input_tokens')];
  return (short || 0) + (long || 0);
}

function added(a: StatedUsage | undefined, b: StatedUsage): StatedUsage {
  if (a === undefined) return b;
  return {
    ...plus(a, b),
    inputBroken: a.inputBroken === true || b.inputBroken === true,
    outputBroken: a.outputBroken === true || b.outputBroken === true,
  };
}

/** Counters are cumulative. Those of the start event are lower bounds. */
function openMessages(accumulator: UsageAccumulator): (document: Json) => void {
  return (document) => {
    writeMessage(accumulator, document);
    const started = startedUsage(document);
    accumulator.observe(started ?? document.usage, messagesUsage, started === undefined ? 'final' : 'floor');
  };
}

/** Returns the counters of the start event. */
export function startedUsage(document: Json): unknown {
  return member(document.message, 'usage');
}

/** Reads everything from an event or body except its counters. */
export function writeMessage(accumulator: UsageAccumulator, document: Json): void {
  if (document.type === 'error') accumulator.failed = true;
  const raw = startedUsage(document) ?? document.usage;
  if (isObject(raw) && raw.iterations !== undefined) accumulator.parts = partsOf(raw);
  accumulator.write(document.delta);
  writeBlock(accumulator, document.content_block);
  for (const block of listOf(document.content)) writeBlock(accumulator, block);
}

/** Results of the provider's tools are input of the next step. */
function writeBlock(accumulator: UsageAccumulator, block: unknown): void {
  if (!String(member(block, 'type')).endsWith('_result')) accumulator.write(block);
}

function anthropicError({ message }: Problem, status: number): Json {
  const type = ERROR_TYPES[status] ?? (status >= 500 ? 'api_error' : 'invalid_request_error');
  return { type: 'error', error: { type, message } };
}

/** With this beta, a thinking budget covers all steps of a turn, and may exceed `max_tokens` of one step. */
const INTERLEAVED = /interleaved-thinking/i;

export const anthropicApi: ShapeOf = (_path, _query, rawHeaders) => {
  for (let at = 0; at < rawHeaders.length; at += 2)
    if (rawHeaders[at]?.toLowerCase() === 'anthropic-beta' && INTERLEAVED.test(rawHeaders[at + 1] ?? ''))
      return interleaved;
  return anthropicMessages;
};

export const anthropicMessages: Shape = {
  request: compileLayout({
    model: ['model'],
    stream: ['stream'],
    outputLimits: [['max_tokens']],
    choices: [],
    outputLimitAbove: ['thinking', 'budget_tokens'],
    minOutputLimit: 1,
    nullable: false,
  }),
  open: openMessages,
  answerMembers: ['type', 'usage'],
  streamsArrays: false,
  error: anthropicError,
  closing: (problem) => `event: error\ndata: ${JSON.stringify(anthropicError(problem, 429))}\n\n`,
};

const { outputLimitAbove: _, ...anyBudget } = anthropicMessages.request;
const interleaved: Shape = { ...anthropicMessages, request: compileLayout(anyBudget) };
