/** Ollama's own API: chat, generate and embed. It streams JSON lines unless it is told not to. */
import { type Problem, ProblemError } from '../../../errors/catalogue.js';
import type { Usage } from '../../../quota/tokens.js';
import { JsonLines } from '../json-lines.js';
import { requestForm } from '../request.js';
import type { Seen } from '../seen.js';
import { plainPath, type Shape, type ShapeOf } from '../shape.js';
import { count, type Json, member, textBytes, usageOf } from '../usage.js';

const COUNTERS = ['prompt_eval_count', 'eval_count'];

/** The last line has the counters; a prompt that was in the cache may leave out its own. */
function usageIn(document: Json, surplus: 'input' | 'output'): Usage | null | undefined {
  if (COUNTERS.every((name) => document[name] === undefined)) return undefined;
  return usageOf({
    input: count(document, 'prompt_eval_count'),
    cachedInput: 0,
    cacheWrite: 0,
    output: count(document, 'eval_count'),
    reasoning: 0,
    total: 0,
    surplus,
  });
}

function openAnswer(seen: Seen): (document: Json) => void {
  return (document) => {
    const { message, error } = document;
    if (error !== undefined) seen.failed = true;
    for (const part of [
      member(message, 'content'),
      member(message, 'thinking'),
      member(message, 'tool_calls'),
    ])
      seen.textBytes += textBytes(part);
    seen.textBytes += textBytes(document.response) + textBytes(document.thinking);
    seen.tell(usageIn(document, 'output'), document.done === false ? 'so far' : 'final');
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
  openFrames: (read, unread) => new JsonLines(read, unread),
  answerMembers: [...COUNTERS, 'error'],
  streamsArrays: false,
  error: ollamaError,
  closing: (problem) => `${JSON.stringify(ollamaError(problem))}\n`,
};

const { openFrames: _, ...whole } = answer;

const embed: Shape = {
  ...whole,
  request: requestForm({ model: ['model'], ceilings: [], choices: [], ceilingLeast: 1, nullable: true }),
  open: (seen) => (document) => seen.tell(usageIn(document, 'input'), 'final'),
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
