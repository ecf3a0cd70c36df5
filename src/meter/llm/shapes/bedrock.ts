/** Amazon Bedrock: Converse and InvokeModel, as JSON and as streams of Amazon's event messages. */
import { type Problem, ProblemError } from '../../../errors/catalogue.js';
import { type AmazonEvent, writeAmazonEvent } from '../../../http/amazon-event.js';
import { AmazonFrames } from '../amazon-frames.js';
import { compileLayout, modelAt, type RequestLayout } from '../request.js';
import type { HeadField, OpenFrames, Shape, ShapeOf } from '../shape.js';
import type { Path } from '../span-tree.js';
import { count, isObject, type Json, largerOf, member, usageOf } from '../usage.js';
import type { Certainty, UsageAccumulator } from '../usage-accumulator.js';
import type { ReadUsage } from '../usage-merge.js';
import { messagesUsage, startedUsage, writeMessage } from './anthropic-messages.js';
import { answerUsage } from './openai-usage.js';

const MODEL_AND_VERB = /\/model\/([^/]+)\/(converse|converse-stream|invoke|invoke-with-response-stream)$/;

const STREAMS = new Set(['converse-stream', 'invoke-with-response-stream']);

const ERROR_TYPES: Readonly<Record<number, string>> = {
  400: 'ValidationException',
  401: 'AccessDeniedException',
  403: 'AccessDeniedException',
  404: 'ResourceNotFoundException',
  408: 'ModelTimeoutException',
  429: 'ThrottlingException',
  503: 'ServiceUnavailableException',
};

/** Members for the number of answers: AI21 and Mistral; Cohere; older AI21 models. */
const CHOICES = ['n', 'num_generations', 'numResults'];

/**
 * Where requests of each model family state their output limit. A limit under a name that the model does not read is
 * ignored.
 */
const OUTPUT_LIMITS: readonly (readonly [RegExp, readonly Path[]])[] = [
  [/embed|rerank/, []],
  [/(^|[./:])(anthropic|mistral|cohere)\./, [['max_tokens']]],
  [/(^|[./:])meta\./, [['max_gen_len']]],
  [/(^|[./:])amazon\.titan/, [['textGenerationConfig', 'maxTokenCount']]],
  [
    /(^|[./:])amazon\.nova/,
    [
      ['inferenceConfig', 'maxTokens'],
      ['inferenceConfig', 'max_new_tokens'],
    ],
  ],
  [
    /(^|[./:])(openai|qwen|deepseek|moonshot|minimax|google|zai)\./,
    [['max_completion_tokens'], ['max_tokens']],
  ],
];

/** ARNs contain slashes, encoded. */
const modelInPath = modelAt(MODEL_AND_VERB);

const inPath = {
  modelInPath,
  streamInPath: (path: string) => STREAMS.has(MODEL_AND_VERB.exec(path)?.[2] ?? ''),
  choices: [],
  minOutputLimit: 1,
  nullable: true,
} satisfies Partial<RequestLayout>;

interface Names {
  readonly input: string;
  readonly output: string;
  readonly cacheRead?: string;
  readonly cacheWrite?: string;
}

const CONVERSE: Names = {
  input: 'inputTokens',
  output: 'outputTokens',
  cacheRead: 'cacheReadInputTokens',
  cacheWrite: 'cacheWriteInputTokens',
};
const METRICS: Names = {
  input: 'inputTokenCount',
  output: 'outputTokenCount',
  cacheRead: 'cacheReadInputTokenCount',
  cacheWrite: 'cacheWriteInputTokenCount',
};
const LLAMA: Names = { input: 'prompt_token_count', output: 'generation_token_count' };

/** The input count excludes cached tokens. */
const usageReader =
  (names: Names): ReadUsage =>
  (raw) => {
    const cachedInput = names.cacheRead === undefined ? 0 : count(raw, names.cacheRead);
    const cacheWrite = names.cacheWrite === undefined ? 0 : count(raw, names.cacheWrite);
    return usageOf({
      input: [count(raw, names.input), cachedInput, cacheWrite],
      cachedInput,
      cacheWrite,
      output: count(raw, names.output),
      total: count(raw, 'totalTokens'),
    });
  };

const readConverse = usageReader(CONVERSE);

/** Counters of the model families, and of Bedrock itself. */
const COUNTS: readonly ReadUsage[] = [
  messagesUsage,
  readConverse,
  answerUsage,
  usageReader(LLAMA),
  usageReader(METRICS),
];

/** One object contains several counts of the same answer, under different names. */
const readInvoked: ReadUsage = (raw) => {
  const all = COUNTS.map((read) => read(raw)).filter((usage) => usage !== undefined);
  const [first] = all;
  return first && all.reduce(largerOf, first);
};

function openConverse(accumulator: UsageAccumulator): (document: Json) => void {
  return (document) => {
    if (document.__type !== undefined) accumulator.failed = true;
    accumulator.write(member(member(document.output, 'message'), 'content'));
    accumulator.write(document.delta);
    accumulator.write(document.start);
    accumulator.observe(document.usage, readConverse, 'final');
  };
}

/** Where the answers of the model families have their text. */
const TEXTS = [
  'generation',
  'outputText',
  'outputs',
  'results',
  'choices',
  'text',
  'contentBlockDelta',
  'output',
];

/** Answers have the counters of their model family. Bedrock's own counters are in the headers or in the last event. */
function openInvoked(accumulator: UsageAccumulator): (document: Json) => void {
  return (document) => {
    if (document.__type !== undefined) accumulator.failed = true;
    writeMessage(accumulator, document);
    for (const name of TEXTS) accumulator.write(document[name]);
    const started = startedUsage(document);
    const usage = started ?? document.usage ?? member(document.metadata, 'usage');
    const metrics = document[INVOCATION_METRICS];
    const raw = { ...counters(document, LLAMA), ...objectOf(usage), ...objectOf(metrics) };
    if (Object.keys(raw).length > 0) accumulator.observe(raw, readInvoked, certaintyOf(document));
  };
}

const INVOCATION_METRICS = 'amazon-bedrock-invocationMetrics';

/** Llama counts in each event and reports a stop reason only in the last one. */
function certaintyOf(document: Json): Certainty {
  if (startedUsage(document) !== undefined) return 'floor';
  return document.stop_reason === null && document[INVOCATION_METRICS] === undefined ? 'so far' : 'final';
}

function counters(document: Json, names: Names): Json {
  const reported = Object.values(names).filter(
    (name) => document[name] !== undefined && document[name] !== null,
  );
  return Object.fromEntries(reported.map((name) => [name, document[name]]));
}

const objectOf = (value: unknown): Json => (isObject(value) ? value : {});

/** Reads the counters in the headers of an answer that is not a stream. */
function readHead(accumulator: UsageAccumulator, field: HeadField): void {
  const reported = (name: string) => {
    const text = field(`x-amzn-bedrock-${name}-token-count`);
    return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
  };
  const counts = {
    inputTokenCount: reported('input'),
    outputTokenCount: reported('output'),
    cacheReadInputTokenCount: reported('cache-read-input'),
    cacheWriteInputTokenCount: reported('cache-write-input'),
  };
  accumulator.observe(counts, readInvoked, 'final');
}

/** `take` converts the payload of an event into a document. */
function framesOf(take: (payload: Json) => unknown): OpenFrames {
  return (read, unread, cutOff) =>
    new AmazonFrames(
      ({ headers, payload }: AmazonEvent) => {
        const body = parsed(payload.toString('utf8'));
        const type = headers[':exception-type'];
        const document = type === undefined ? take(isObject(body) ? body : {}) : { __type: type };
        if (isObject(document)) read(document);
        else unread(payload.length);
      },
      unread,
      cutOff,
    );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Returns the model's own event, which is in base64. */
function chunkIn({ bytes }: Json): unknown {
  return typeof bytes === 'string' ? parsed(Buffer.from(bytes, 'base64').toString('utf8')) : undefined;
}

/** Clients read the error type from the headers, which quotagate does not set, or from the body. */
function bedrockError({ code, message }: Problem, status: number): Json {
  const known = ERROR_TYPES[status] ?? (status >= 500 ? 'InternalServerException' : 'ValidationException');
  return { __type: code === 'quota-exceeded' ? 'ServiceQuotaExceededException' : known, message };
}

function closing({ message }: Problem): Buffer {
  const headers = {
    ':exception-type': 'throttlingException',
    ':content-type': 'application/json',
    ':message-type': 'exception',
  };
  return writeAmazonEvent(headers, Buffer.from(JSON.stringify({ message })));
}

const converse: Shape = {
  request: compileLayout({
    ...inPath,
    outputLimits: [
      ['inferenceConfig', 'maxTokens'],
      ['additionalModelRequestFields', 'max_tokens'],
    ],
    choices: CHOICES.map((name) => ['additionalModelRequestFields', name]),
    outputLimitAbove: ['additionalModelRequestFields', 'thinking', 'budget_tokens'],
  }),
  open: openConverse,
  openFrames: framesOf((payload) => payload),
  answerMembers: ['usage', '__type'],
  streamsArrays: false,
  error: bedrockError,
  closing,
};

function invoking(
  layout: Pick<RequestLayout, 'outputLimits' | 'outputLimitAbove' | 'outputLimitUnknown'>,
): Shape {
  return {
    ...converse,
    request: compileLayout({ ...inPath, choices: CHOICES.map((name) => [name]), ...layout }),
    open: openInvoked,
    readHead,
    openFrames: framesOf(chunkIn),
    answerMembers: ['type', 'usage', '__type', LLAMA.input, LLAMA.output],
  };
}

const BY_MAKER = OUTPUT_LIMITS.map(([maker, outputLimits]) => {
  const layout =
    outputLimits.length === 0
      ? { outputLimits }
      : { outputLimits, outputLimitAbove: ['thinking', 'budget_tokens'] };
  return [maker, invoking(layout)] as const;
});
/** An ARN does not show the model family. */
const invokeAny = invoking({ outputLimits: [], outputLimitUnknown: true });

export const bedrock: ShapeOf = (path) => {
  const [, , verb] = MODEL_AND_VERB.exec(path) ?? [];
  if (path === '' || verb?.startsWith('converse')) return converse;
  if (verb === undefined)
    throw new ProblemError(
      'cost-invalid',
      `${path} has no price: only Converse and InvokeModel are supported.`,
    );
  const model = (modelInPath(path) ?? '').toLowerCase();
  return BY_MAKER.find(([maker]) => maker.test(model))?.[1] ?? invokeAny;
};
