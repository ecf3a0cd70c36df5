/** Anthropic messages. */
import type { Problem } from '../../../errors/catalogue.js';
import type { Usage } from '../../../quota/tokens.js';
import type { Part } from '../rates.js';
import { requestForm } from '../request.js';
import type { Seen } from '../seen.js';
import type { Shape } from '../shape.js';
import { count, isObject, type Json, listOf, member, textBytes, usageOf } from '../usage.js';

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

/** Input leaves out what was cached; the passes of `iterations` are left out by the counters beside them. */
function usageIn(raw: Json): Usage | null | undefined {
  const top = plainUsage(raw);
  const passes = listOf(raw.iterations).map((pass) => (isObject(pass) ? plainUsage(pass) : null));
  if (top === null || passes.includes(null)) return top;
  const sum = passes.reduce<Usage | undefined>((all, pass) => (pass ? added(all, pass) : all), undefined);
  if (sum === undefined || (top !== undefined && sum.input + sum.output < top.input + top.output)) return top;
  return { ...sum, reasoning: Math.min(sum.output, Math.max(sum.reasoning, top?.reasoning ?? 0)) };
}

/** Passes that another model took than the one that was asked for (fallbacks, advisors). */
function partsOf(raw: Json): readonly Part[] {
  return listOf(raw.iterations).flatMap((pass) => {
    const model = member(pass, 'model');
    const usage = isObject(pass) ? plainUsage(pass) : undefined;
    return typeof model === 'string' && usage ? [{ model, usage }] : [];
  });
}

function plainUsage(raw: Json): Usage | null | undefined {
  const cachedInput = count(raw, 'cache_read_input_tokens');
  const cacheWrite = count(raw, 'cache_creation_input_tokens') || writtenIn(raw.cache_creation);
  return usageOf({
    input: count(raw, 'input_tokens') + cachedInput + cacheWrite,
    cachedInput,
    cacheWrite,
    output: count(raw, 'output_tokens'),
    reasoning: count(raw.output_tokens_details, 'thinking_tokens'),
    total: 0,
    surplus: 'output',
  });
}

function writtenIn(raw: unknown): number {
  return count(raw, 'ephemeral_5m_input_tokens') + count(raw, 'ephemeral_1h_input_tokens');
}

function added(a: Usage | undefined, b: Usage): Usage {
  if (a === undefined) return b;
  return {
    input: a.input + b.input,
    cachedInput: a.cachedInput + b.cachedInput,
    cacheWrite: a.cacheWrite + b.cacheWrite,
    output: a.output + b.output,
    reasoning: a.reasoning + b.reasoning,
  };
}

/** Counters are cumulative: the latest of each counts. Those of the start are only a floor. */
function openMessages(seen: Seen): (document: Json) => void {
  let merged: Json = {};
  return (document) => {
    if (document.type === 'error') seen.failed = true;
    const started = member(document.message, 'usage');
    const raw = started ?? document.usage;
    if (isObject(raw)) {
      merged = {
        ...merged,
        ...Object.fromEntries(Object.entries(raw).filter(([, value]) => value !== null)),
      };
      seen.tell(usageIn(merged), started === undefined ? 'final' : 'floor');
      seen.parts = partsOf(merged);
    } else if (raw !== undefined && raw !== null) seen.tell(null, 'floor');
    seen.textBytes +=
      textBytes(document.delta) + textBytes(document.content_block) + textBytes(document.content);
  };
}

function anthropicError({ message }: Problem, status: number): Json {
  const type = ERROR_TYPES[status] ?? (status >= 500 ? 'api_error' : 'invalid_request_error');
  return { type: 'error', error: { type, message } };
}

export const anthropicMessages: Shape = {
  request: requestForm({
    model: ['model'],
    stream: ['stream'],
    ceilings: [['max_tokens']],
    choices: [],
    ceilingAbove: ['thinking', 'budget_tokens'],
    ceilingLeast: 1,
    nullable: false,
  }),
  open: openMessages,
  answerMembers: ['type', 'usage'],
  streamsArrays: false,
  error: anthropicError,
  closing: (problem) => `event: error\ndata: ${JSON.stringify(anthropicError(problem, 429))}\n\n`,
};
