/** Gemini generateContent and streamGenerateContent, and its embeddings. */
import { type Problem, ProblemError } from '../../../errors/catalogue.js';
import { parameters } from '../query.js';
import { compileLayout, modelAt, type RequestLayout } from '../request.js';
import type { Shape, ShapeOf } from '../shape.js';
import type { Path } from '../span-tree.js';
import { count, isObject, type Json, listOf, member, usageOf } from '../usage.js';
import type { UsageAccumulator } from '../usage-accumulator.js';
import type { ReadUsage } from '../usage-merge.js';

const MODEL_AND_VERB = /\/([^/:]+):([A-Za-z]+)$/;

/** Verbs with an immediate answer. Others only start a job (batches, videos), and no answer here shows its cost. */
const VERBS = new Set([
  'generateContent',
  'streamGenerateContent',
  'countTokens',
  'embedContent',
  'batchEmbedContents',
]);

/** With these parameters, Google APIs omit parts of the answer, including the usage, or change its format. */
const MASKS = new Set([
  'fields',
  '$fields',
  'callback',
  '$callback',
  // These override headers, the method, or the body format.
  '$httpheaders',
  '$httpmethod',
  '$ct',
  '$req',
]);
const MASK_HEADERS = new Set(['x-goog-fieldmask', 'x-goog-encode-response-if-executable']);
/** Both names of the format parameter. REST clients request enums as numbers, which hides nothing. */
const FORM_NAMES = new Set(['alt', '$alt']);
const FORM_VALUE = /^(?:json|sse)(?:;enum-encoding=int)?$/;

/** The upstream accepts both spellings of a name. */
const CONFIGS = ['generationConfig', 'generation_config'];
const OUTPUT_LIMITS = CONFIGS.flatMap((one): Path[] => [
  [one, 'maxOutputTokens'],
  [one, 'max_output_tokens'],
]);
const CHOICES = CONFIGS.flatMap((one): Path[] => [
  [one, 'candidateCount'],
  [one, 'candidate_count'],
]);

/** Vertex AI runs the model chosen here instead of the one in the path. */
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

export const modelInPath = modelAt(MODEL_AND_VERB);

export const verbOf = (path: string): string => MODEL_AND_VERB.exec(path)?.[2] ?? '';

const LAYOUT: RequestLayout = {
  modelInPath,
  otherModels: [...ROUTINGS, ['tools']],
  streamInPath: (path) => verbOf(path).startsWith('stream'),
  outputLimits: OUTPUT_LIMITS,
  choices: CHOICES,
  spellings: [CONFIGS.map((one) => [one]), OUTPUT_LIMITS, CHOICES],
  minOutputLimit: 1,
  nullable: true,
};

/** Thinking tokens are counted beside the candidates, and tool results beside the prompt. */
const readingWith =
  (surplus: 'input' | 'output'): ReadUsage =>
  (raw) => {
    const reasoning = count(raw, 'thoughtsTokenCount');
    const total = count(raw, 'totalTokenCount');
    const candidates = count(raw, 'candidatesTokenCount');
    return usageOf({
      input: [count(raw, 'promptTokenCount'), count(raw, 'toolUsePromptTokenCount')],
      cachedInput: count(raw, 'cachedContentTokenCount'),
      output: [candidates, reasoning],
      reasoning,
      total,
      surplus,
      inputDetails: detailed(raw.promptTokensDetails) + detailed(raw.toolUsePromptTokensDetails),
      outputDetails: detailed(raw.candidatesTokensDetails) + (reasoning || 0),
      outputOmitted: raw.candidatesTokenCount === undefined && raw.totalTokenCount === undefined,
    });
  };

const usageIn = readingWith('output');
const embeddingUsageIn = readingWith('input');

/** Returns the sum over the modalities. */
function detailed(list: unknown): number {
  return listOf(list).reduce<number>((sum, one) => sum + (count(one, 'tokenCount') || 0), 0);
}

/** Usage objects are repeated with every chunk. Counters can be missing, and the prompt's counter can decrease. */
function openContent(accumulator: UsageAccumulator): (document: Json) => void {
  return (document) => {
    if (isObject(document.error)) accumulator.failed = true;
    let finished = false;
    for (const candidate of listOf(document.candidates)) {
      // The reason is a number if enums were requested as numbers; 0 means unspecified.
      const reason = member(candidate, 'finishReason');
      if (typeof reason === 'string' || (typeof reason === 'number' && reason > 0)) finished = true;
      for (const part of listOf(member(member(candidate, 'content'), 'parts'))) writePart(accumulator, part);
    }
    accumulator.observe(document.usageMetadata, usageIn, finished ? 'final' : 'so far');
  };
}

/** Output of code that the model ran is input of the next step. */
function writePart(accumulator: UsageAccumulator, part: unknown): void {
  if (member(part, 'codeExecutionResult') === undefined) accumulator.write(part);
}

function geminiError({ code, message }: Problem, status: number): Json {
  const name = STATUSES[status] ?? (status >= 500 ? 'INTERNAL' : 'FAILED_PRECONDITION');
  const info = { '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: code, domain: 'quotagate' };
  return { error: { code: status, message, status: name, details: [info] } };
}

const content: Shape = {
  request: compileLayout(LAYOUT),
  open: openContent,
  answerMembers: ['usageMetadata', 'error'],
  streamsArrays: true,
  error: geminiError,
  // Google sends errors without `data:`, in a chunk of their own, and its client recognizes them by that.
  closing: (problem) => `${JSON.stringify(geminiError(problem, 429))}\n\n`,
};

/** All tokens of an embedding are input. */
const embeddings: Shape = {
  ...content,
  open: (accumulator) => (document) => accumulator.observe(document.usageMetadata, embeddingUsageIn, 'final'),
  request: compileLayout({ ...LAYOUT, outputLimits: [], choices: [], spellings: [] }),
};

export const gemini: ShapeOf = (path, query, rawHeaders) => {
  const verb = verbOf(path);
  if (verb !== '' && !VERBS.has(verb))
    throw new ProblemError('cost-invalid', `The method ${verb} has no price: it is not supported.`);
  refuseMasks(query, rawHeaders);
  return /embed/i.test(verb) ? embeddings : content;
};

export function refuseMasks(query: string, rawHeaders: readonly string[]): void {
  for (const [name, value] of parameters(query)) {
    if (MASKS.has(name) || (FORM_NAMES.has(name) && !FORM_VALUE.test(value)))
      throw new ProblemError('cost-invalid', `${name} can hide the cost of the answer: remove it.`);
  }
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]?.toLowerCase() ?? '';
    const isBinary = name === 'accept' && /protobuf/i.test(rawHeaders[at + 1] ?? '');
    if (isBinary || MASK_HEADERS.has(name))
      throw new ProblemError('cost-invalid', `${name} can hide the cost of the answer: remove it.`);
  }
}
