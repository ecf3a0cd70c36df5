/** Gemini generateContent and streamGenerateContent, and its embeddings. */
import { type Problem, ProblemError } from '../../../errors/catalogue.js';
import type { Path } from '../places.js';
import { parameters } from '../query.js';
import { type RequestForm, requestForm } from '../request.js';
import type { Shape, ShapeOf } from '../shape.js';
import { count, isObject, type Json, listOf, member, usageOf } from '../usage.js';
import type { UsageAccumulator } from '../usage-accumulator.js';
import type { ReadUsage } from '../usage-merge.js';

const MODEL_AND_VERB = /\/([^/:]+):([A-Za-z]+)$/;

/** All that are answered at once: others only begin a work (batches, films) of which no answer here tells the cost. */
const VERBS = new Set([
  'generateContent',
  'streamGenerateContent',
  'countTokens',
  'embedContent',
  'batchEmbedContents',
]);

/** By these, every Google API leaves parts out of its answer, the usage too, or puts it into another form. */
const MASKS = new Set([
  'fields',
  '$fields',
  'callback',
  '$callback',
  // These stand for headers, the method, or the form of the body.
  '$httpheaders',
  '$httpmethod',
  '$ct',
  '$req',
]);
const MASK_HEADERS = new Set(['x-goog-fieldmask', 'x-goog-encode-response-if-executable']);
/** Both names of the form; clients over REST ask for enums as numbers, which hides nothing. */
const FORM_NAMES = new Set(['alt', '$alt']);
const FORM_VALUE = /^(?:json|sse)(?:;enum-encoding=int)?$/;

/** Both spellings of a name are read upstream. */
const CONFIGS = ['generationConfig', 'generation_config'];
const CEILINGS = CONFIGS.flatMap((one): Path[] => [
  [one, 'maxOutputTokens'],
  [one, 'max_output_tokens'],
]);
const CHOICES = CONFIGS.flatMap((one): Path[] => [
  [one, 'candidateCount'],
  [one, 'candidate_count'],
]);

/** Vertex AI runs the model that is chosen there in place of the path's. */
const ROUTINGS = CONFIGS.flatMap((one): Path[] => [
  [one, 'routingConfig'],
  [one, 'routing_config'],
]);

const STATUSES: Readonly<Record<number, string>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  429: 'RESOURCE_EXHAUSTED',
  503: 'UNAVAILABLE',
  504: 'DEADLINE_EXCEEDED',
};

export function modelInPath(path: string): string | undefined {
  const name = MODEL_AND_VERB.exec(path)?.[1];
  if (name === undefined) return undefined;
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

export const verbOf = (path: string): string => MODEL_AND_VERB.exec(path)?.[2] ?? '';

const FORM: RequestForm = {
  modelInPath,
  otherModels: [...ROUTINGS, ['tools']],
  streamInPath: (path) => verbOf(path).startsWith('stream'),
  ceilings: CEILINGS,
  choices: CHOICES,
  spellings: [CONFIGS.map((one) => [one]), CEILINGS, CHOICES],
  ceilingLeast: 1,
  nullable: true,
};

/** Thoughts stand beside the candidates, and what tools put into the prompt beside the prompt. */
const readingWith =
  (surplus: 'input' | 'output'): ReadUsage =>
  (raw) => {
    const reasoning = count(raw, 'thoughtsTokenCount');
    const total = count(raw, 'totalTokenCount');
    const candidates = count(raw, 'candidatesTokenCount');
    return usageOf({
      input: [count(raw, 'promptTokenCount'), count(raw, 'toolUsePromptTokenCount')],
      cachedInput: count(raw, 'cachedContentTokenCount'),
      cacheWrite: 0,
      output: [candidates, reasoning],
      reasoning,
      total,
      surplus,
      inputDetails: detailed(raw.promptTokensDetails) + detailed(raw.toolUsePromptTokensDetails),
      outputDetails: detailed(raw.candidatesTokensDetails) + (reasoning || 0),
      outputUntold: raw.candidatesTokenCount === undefined && raw.totalTokenCount === undefined,
    });
  };

const usageIn = readingWith('output');
const embeddingUsageIn = readingWith('input');

/** What the modalities add up to. */
function detailed(list: unknown): number {
  return listOf(list).reduce<number>((sum, one) => sum + (count(one, 'tokenCount') || 0), 0);
}

/** Its objects are restated with every part; counters can be missing, and the prompt's can become less. */
function openContent(seen: UsageAccumulator): (document: Json) => void {
  return (document) => {
    if (isObject(document.error)) seen.failed = true;
    let finished = false;
    for (const candidate of listOf(document.candidates)) {
      // A number where enums were asked for so; 0 is none.
      const reason = member(candidate, 'finishReason');
      if (typeof reason === 'string' || (typeof reason === 'number' && reason > 0)) finished = true;
      for (const part of listOf(member(member(candidate, 'content'), 'parts'))) writePart(seen, part);
    }
    seen.observe(document.usageMetadata, usageIn, finished ? 'final' : 'so far');
  };
}

/** What code put out that the model ran is input of the next step. */
function writePart(seen: UsageAccumulator, part: unknown): void {
  if (member(part, 'codeExecutionResult') === undefined) seen.write(part);
}

function geminiError({ code, message }: Problem, status: number): Json {
  const name = STATUSES[status] ?? (status >= 500 ? 'INTERNAL' : 'FAILED_PRECONDITION');
  const info = { '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: code, domain: 'quotagate' };
  return { error: { code: status, message, status: name, details: [info] } };
}

const content: Shape = {
  request: requestForm(FORM),
  open: openContent,
  answerMembers: ['usageMetadata', 'error'],
  streamsArrays: true,
  error: geminiError,
  // Google sends it bare, in a chunk of its own, and that is how its client knows it.
  closing: (problem) => `${JSON.stringify(geminiError(problem, 429))}\n\n`,
};

/** All of it is input. */
const embeddings: Shape = {
  ...content,
  open: (seen) => (document) => seen.observe(document.usageMetadata, embeddingUsageIn, 'final'),
  request: requestForm({ ...FORM, ceilings: [], choices: [], spellings: [] }),
};

export const gemini: ShapeOf = (path, query, rawHeaders) => {
  const verb = verbOf(path);
  if (verb !== '' && !VERBS.has(verb)) throw new ProblemError('cost-invalid', `${verb} has no price here.`);
  refuseMasks(query, rawHeaders);
  return /embed/i.test(verb) ? embeddings : content;
};

export function refuseMasks(query: string, rawHeaders: readonly string[]): void {
  for (const [name, value] of parameters(query)) {
    if (MASKS.has(name) || (FORM_NAMES.has(name) && !FORM_VALUE.test(value)))
      throw new ProblemError('cost-invalid', `${name} can hide what the answer cost.`);
  }
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]?.toLowerCase() ?? '';
    const isBinary = name === 'accept' && /protobuf/i.test(rawHeaders[at + 1] ?? '');
    if (isBinary || MASK_HEADERS.has(name))
      throw new ProblemError('cost-invalid', `${name} can hide what the answer cost.`);
  }
}
