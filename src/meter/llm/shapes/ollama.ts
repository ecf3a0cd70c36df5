/** Ollama's own API: chat, generate and embed. Answers are streams of JSON lines unless `stream` is false. */
import { type Problem, ProblemError } from '../../../errors/catalogue.js';
import { JsonLines } from '../json-lines.js';
import { compileLayout, INPUT_ONLY } from '../request.js';
import { plainPath, type Shape, type ShapeOf } from '../shape.js';
import { count, type Json, member, usageOf } from '../usage.js';
import type { UsageAccumulator } from '../usage-accumulator.js';
import type { ReadUsage } from '../usage-merge.js';

const COUNTERS = ['prompt_eval_count', 'eval_count'];

/** The last line has the counters. The counter of a cached prompt may be missing. */
const usageIn: ReadUsage = (document) =>
  usageOf({ input: count(document, 'prompt_eval_count'), output: count(document, 'eval_count') });

/** The counters are top-level members of a line. */
function observe(accumulator: UsageAccumulator, document: Json): void {
  if (COUNTERS.every((name) => document[name] === undefined)) return;
  const counters = Object.fromEntries(COUNTERS.map((name) => [name, document[name]]));
  accumulator.observe(counters, usageIn, document.done === false ? 'so far' : 'final');
}

function openAnswer(accumulator: UsageAccumulator): (document: Json) => void {
  return (document) => {
    const { message, error } = document;
    if (error !== undefined) accumulator.failed = true;
    for (const part of [
      member(message, 'content'),
      member(message, 'thinking'),
      member(message, 'tool_calls'),
    ])
      accumulator.write(part);
    accumulator.write(document.response);
    accumulator.write(document.thinking);
    observe(accumulator, document);
  };
}

function ollamaError({ message }: Problem): Json {
  return { error: message };
}

const answer: Shape = {
  request: compileLayout({
    model: ['model'],
    stream: ['stream'],
    streamDefault: true,
    outputLimits: [['options', 'num_predict']],
    negativeMeansUnlimited: true,
    choices: [],
    minOutputLimit: 1,
    nullable: true,
  }),
  open: openAnswer,
  openFrames: (...to) => new JsonLines(...to),
  answerMembers: [...COUNTERS, 'error'],
  streamsArrays: false,
  error: ollamaError,
  closing: (problem) => `${JSON.stringify(ollamaError(problem))}\n`,
};

const { openFrames: _, ...whole } = answer;

const embed: Shape = {
  ...whole,
  request: compileLayout(INPUT_ONLY),
  open: (accumulator) => (document) => observe(accumulator, document),
};

export const ollama: ShapeOf = (given) => {
  const path = plainPath(given);
  if (path.endsWith('/api/embed') || path.endsWith('/api/embeddings')) return embed;
  if (path === '' || path.endsWith('/api/chat') || path.endsWith('/api/generate')) return answer;
  throw new ProblemError(
    'cost-invalid',
    `${given} has no price: only /api/chat, /api/generate and /api/embed are supported.`,
  );
};
