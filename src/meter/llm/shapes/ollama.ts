/** Ollama's own API: chat, generate and embed. It streams JSON lines unless it is asked not to. */
import { type Problem, ProblemError } from '../../../errors/catalogue.js';
import { JsonLines } from '../json-lines.js';
import { requestForm } from '../request.js';
import { plainPath, type Shape, type ShapeOf } from '../shape.js';
import { count, type Json, member, usageOf } from '../usage.js';
import type { UsageAccumulator } from '../usage-accumulator.js';
import type { ReadUsage } from '../usage-merge.js';

const COUNTERS = ['prompt_eval_count', 'eval_count'];

/** The last line has the counters; a prompt that was in the cache may leave out its own. */
const usageIn: ReadUsage = (document) =>
  usageOf({
    input: count(document, 'prompt_eval_count'),
    cachedInput: 0,
    cacheWrite: 0,
    output: count(document, 'eval_count'),
    reasoning: 0,
    total: 0,
    surplus: 'output',
  });

/** The counters stand among the members of a line. */
function observe(seen: UsageAccumulator, document: Json): void {
  if (COUNTERS.every((name) => document[name] === undefined)) return;
  const counters = Object.fromEntries(COUNTERS.map((name) => [name, document[name]]));
  seen.observe(counters, usageIn, document.done === false ? 'so far' : 'final');
}

function openAnswer(seen: UsageAccumulator): (document: Json) => void {
  return (document) => {
    const { message, error } = document;
    if (error !== undefined) seen.failed = true;
    for (const part of [
      member(message, 'content'),
      member(message, 'thinking'),
      member(message, 'tool_calls'),
    ])
      seen.write(part);
    seen.write(document.response);
    seen.write(document.thinking);
    observe(seen, document);
  };
}

function ollamaError({ message }: Problem): Json {
  return { error: message };
}

const answer: Shape = {
  request: requestForm({
    model: ['model'],
    stream: ['stream'],
    streamDefault: true,
    ceilings: [['options', 'num_predict']],
    negativeCeilings: true,
    choices: [],
    ceilingLeast: 1,
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
  request: requestForm({ model: ['model'], ceilings: [], choices: [], ceilingLeast: 1, nullable: true }),
  open: (seen) => (document) => observe(seen, document),
};

export const ollama: ShapeOf = (given) => {
  const path = plainPath(given);
  if (path.endsWith('/api/embed') || path.endsWith('/api/embeddings')) return embed;
  if (path === '' || path.endsWith('/api/chat') || path.endsWith('/api/generate')) return answer;
  throw new ProblemError(
    'cost-invalid',
    `${given} has no price here: only /api/chat, /api/generate and /api/embed have.`,
  );
};
