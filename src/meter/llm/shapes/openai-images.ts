/**
 * OpenAI images: made from a text (JSON), edited (a form, or JSON) and varied (a form). An image is seen only when it is made, so
 * all of the hold stands until then; models that tell no usage are charged it.
 */
import { ProblemError } from '../../../errors/catalogue.js';
import { type RequestForm, requestForm } from '../request.js';
import { plainPath, type Shape, type ShapeOf } from '../shape.js';
import { isObject, type Json } from '../usage.js';
import type { UsageAccumulator } from '../usage-accumulator.js';
import { openaiClosing, openaiError } from './openai-error.js';
import { answerUsage } from './openai-usage.js';

/** Images come as base64, many in one answer. */
const DOCUMENT_BYTES_MAX = 33_554_432;

const FORM: RequestForm = {
  model: ['model'],
  stream: ['stream'],
  ceilings: [],
  ceilingUnknown: true,
  outputUnseen: true,
  choices: [['n']],
  ceilingLeast: 1,
  nullable: true,
};

/** Of a stream each image has a last event with its own usage. */
function openImages(seen: UsageAccumulator): (document: Json) => void {
  return (document) => {
    const { type, usage } = document;
    if (isObject(document.error) || type === 'error') seen.failed = true;
    if (typeof type !== 'string') seen.observe(usage, answerUsage, 'final');
    else if (type.endsWith('.completed')) {
      if (isObject(usage)) seen.summed = sum(seen.summed ?? {}, usage);
      // Further images may come.
      seen.observe(isObject(usage) ? seen.summed : usage, answerUsage, 'so far');
    }
  };
}

/** Counters that are no numbers stay as they came, to be refused. */
function sum(before: Json, next: Json): Json {
  const entries = Object.entries(next).map(([key, value]): [string, unknown] => {
    const known = before[key];
    if (typeof known === 'number' && typeof value === 'number') return [key, known + value];
    return [key, isObject(value) ? sum(isObject(known) ? known : {}, value) : value];
  });
  return { ...before, ...Object.fromEntries(entries) };
}

const generations: Shape = {
  request: requestForm(FORM),
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
    `${given} has no price here: only /images/generations, /images/edits and /images/variations have.`,
  );
};
