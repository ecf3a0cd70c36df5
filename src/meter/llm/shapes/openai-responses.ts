/** OpenAI Responses. */
import type { Problem } from '../../../errors/catalogue.js';
import { compileLayout } from '../request.js';
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

function openResponses(accumulator: UsageAccumulator): (document: Json) => void {
  return (document) => {
    const { type } = document;
    if (typeof type !== 'string') readBody(document, accumulator);
    else readEvent(type, document, accumulator);
  };
}

function readEvent(type: string, document: Json, accumulator: UsageAccumulator): void {
  const { sequence_number: sequence, delta } = document;
  if (typeof sequence === 'number') accumulator.sequence = sequence;
  // Sound arrives as base64; its words arrive as a transcript.
  if (type.endsWith('.delta') && !type.endsWith('audio.delta')) accumulator.write(delta);
  if (type === 'error' || type === 'response.failed') accumulator.failed = true;
  if (LAST_EVENTS.has(type)) accumulator.pending = false;
  const usage = member(document.response, 'usage') ?? document.usage;
  accumulator.observe(usage, answerUsage, LAST_EVENTS.has(type) ? 'final' : 'so far');
}

/** A background response is only queued. Its cost is known when it is fetched, on another route. */
function readBody(document: Json, accumulator: UsageAccumulator): void {
  const { status } = document;
  accumulator.pending = status === 'queued' || status === 'in_progress';
  if (isObject(document.error)) accumulator.failed = true;
  for (const item of listOf(document.output)) {
    // The output of a tool is input of the next step.
    if (isObject(item)) accumulator.write({ ...item, output: undefined });
  }
  accumulator.observe(document.usage, answerUsage, 'final');
}

/** Clients throw at an event with this name. */
function closing(problem: Problem, accumulator: UsageAccumulator): string {
  const { error } = openaiError(problem, 429);
  const { message, code } = error as Json;
  const event = {
    type: 'error',
    sequence_number: accumulator.sequence + 1,
    error,
    message,
    code,
    param: null,
  };
  return `event: error\ndata: ${JSON.stringify(event)}\n\n`;
}

export const openaiResponses: Shape = {
  request: compileLayout({
    model: ['model'],
    storedPrompt: ['prompt'],
    stream: ['stream'],
    background: ['background'],
    outputLimits: [['max_output_tokens']],
    choices: [],
    minOutputLimit: 16,
    nullable: true,
  }),
  open: openResponses,
  answerMembers: ['usage', 'status', 'error'],
  streamsArrays: false,
  error: openaiError,
  closing,
};
