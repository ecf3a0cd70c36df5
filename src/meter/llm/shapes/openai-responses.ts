/** OpenAI Responses. */
import type { Problem } from '../../../errors/catalogue.js';
import { requestForm } from '../request.js';
import type { Shape } from '../shape.js';
import { isObject, type Json, listOf, member } from '../usage.js';
import type { UsageAccumulator } from '../usage-accumulator.js';
import { openaiError } from './openai-error.js';
import { answerUsage } from './openai-usage.js';

const LAST_EVENTS = new Set([
  'response.completed',
  'response.incomplete',
  'response.failed',
  'response.cancelled',
]);

function openResponses(seen: UsageAccumulator): (document: Json) => void {
  return (document) => {
    const { type } = document;
    if (typeof type !== 'string') readBody(document, seen);
    else readEvent(type, document, seen);
  };
}

function readEvent(type: string, document: Json, seen: UsageAccumulator): void {
  const { sequence_number: sequence, delta } = document;
  if (typeof sequence === 'number') seen.sequence = sequence;
  // Sound comes as base64, its words as a transcript.
  if (type.endsWith('.delta') && !type.endsWith('audio.delta')) seen.write(delta);
  if (type === 'error' || type === 'response.failed') seen.failed = true;
  if (LAST_EVENTS.has(type)) seen.pending = false;
  const usage = member(document.response, 'usage') ?? document.usage;
  seen.observe(usage, answerUsage, LAST_EVENTS.has(type) ? 'final' : 'so far');
}

/** A response in the background is only queued: what it cost is known when it is fetched, on another route. */
function readBody(document: Json, seen: UsageAccumulator): void {
  const { status } = document;
  seen.pending = status === 'queued' || status === 'in_progress';
  if (isObject(document.error)) seen.failed = true;
  for (const item of listOf(document.output)) {
    // What a tool brought is input of the next step.
    if (isObject(item)) seen.write({ ...item, output: undefined });
  }
  seen.observe(document.usage, answerUsage, 'final');
}

/** Clients throw at an event of this name. */
function closing(problem: Problem, seen: UsageAccumulator): string {
  const { error } = openaiError(problem, 429);
  const { message, code } = error as Json;
  const event = { type: 'error', sequence_number: seen.sequence + 1, error, message, code, param: null };
  return `event: error\ndata: ${JSON.stringify(event)}\n\n`;
}

export const openaiResponses: Shape = {
  request: requestForm({
    model: ['model'],
    storedPrompt: ['prompt'],
    stream: ['stream'],
    later: ['background'],
    ceilings: [['max_output_tokens']],
    choices: [],
    ceilingLeast: 16,
    nullable: true,
  }),
  open: openResponses,
  answerMembers: ['usage', 'status', 'error'],
  streamsArrays: false,
  error: openaiError,
  closing,
};
