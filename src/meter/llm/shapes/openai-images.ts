/**
 * OpenAI images: generations (JSON), edits (a form, or JSON) and variations (a form). An image cannot be counted while
 * it is made, so the whole output is held. A model that reports no usage is charged the whole hold.
 */
import { ProblemError } from '../../../errors/catalogue.js';
import { compileLayout, type RequestLayout } from '../request.js';
import { plainPath, type Shape, type ShapeOf } from '../shape.js';
import { isObject, type Json } from '../usage.js';
import type { UsageAccumulator } from '../usage-accumulator.js';
import { openaiClosing, openaiError } from './openai-error.js';
import { answerUsage } from './openai-usage.js';

/** Images arrive as base64, several in one answer. */
const DOCUMENT_BYTES_MAX = 33_554_432;

const LAYOUT: RequestLayout = {
  model: ['model'],
  stream: ['stream'],
  outputLimits: [],
  outputLimitUnknown: true,
  outputUnseen: true,
  choices: [['n']],
  minOutputLimit: 1,
  nullable: true,
};

/** In a stream, the last event of each image has its own usage. */
function openImages(accumulator: UsageAccumulator): (document: Json) => void {
  return (document) => {
    const { type, usage } = document;
    if (isObject(document.error) || type === 'error') accumulator.failed = true;
    if (typeof type !== 'string') accumulator.observe(usage, answerUsage, 'final');
    else if (type.endsWith('.completed')) {
      if (isObject(usage)) accumulator.summed = sum(accumulator.summed ?? {}, usage);
      // More images may follow.
      accumulator.observe(isObject(usage) ? accumulator.summed : usage, answerUsage, 'so far');
    }
  };
}

/** Counters that are not numbers are kept unchanged, so that the usage is rejected later. */
function sum(before: Json, next: Json): Json {
  const entries = Object.entries(next).map(([key, value]): [string, unknown] => {
    const known = before[key];
    if (typeof known === 'number' && typeof value === 'number') return [key, known + value];
    return [key, isObject(value) ? sum(isObject(known) ? known : {}, value) : value];
  });
  return { ...before, ...Object.fromEntries(entries) };
}

const generations: Shape = {
  request: compileLayout(LAYOUT),
  open: openImages,
  answerMembers: ['usage', 'error'],
  documentBytesMax: DOCUMENT_BYTES_MAX,
  outputKind: 'imageOutput',
  streamsArrays: false,
  error: openaiError,
  closing: openaiClosing,
};

const edits: Shape = { ...generations, bodies: 'either' };
const variations: Shape = { ...generations, bodies: 'form' };

export const openaiImages: ShapeOf = (given) => {
  const path = plainPath(given);
  if (path === '' || path.endsWith('/images/generations')) return generations;
  if (path.endsWith('/images/edits')) return edits;
  if (path.endsWith('/images/variations')) return variations;
  throw new ProblemError(
    'cost-invalid',
    `${given} has no price: only /images/generations, /images/edits and /images/variations are supported.`,
  );
};
