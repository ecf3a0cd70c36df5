/** Cohere: chat v2, embed and rerank. What it bills counts, where it tells that beside what it has counted. */
import { type Problem, ProblemError } from '../../../errors/catalogue.js';
import { requestForm } from '../request.js';
import { plainPath, type Shape, type ShapeOf } from '../shape.js';
import { count, isCount, type Json, member, usageOf } from '../usage.js';
import type { UsageAccumulator } from '../usage-accumulator.js';
import type { ReadUsage } from '../usage-merge.js';

/** A search is billed for up to so many documents; a document with more tokens than this counts as several. */
const SEARCH_DOCUMENTS = 100;
const DOCUMENT_TOKENS = 500;

const FAULTS = new Set(['ERROR', 'ERROR_TOXIC', 'ERROR_LIMIT', 'TIMEOUT']);

const usageIn: ReadUsage = (raw) => {
  const { billed_units: billed, tokens } = raw;
  return usageOf({
    input: [countOf('input_tokens', billed, tokens), count(billed, 'image_tokens')],
    cachedInput: count(raw, 'cached_tokens'),
    cacheWrite: 0,
    output: countOf('output_tokens', billed, tokens),
    reasoning: 0,
    total: 0,
    surplus: 'output',
  });
};

/** The first of them that has a count; NaN where one has something else, and none a count. */
function countOf(name: string, ...objects: readonly unknown[]): number {
  const reported = objects
    .map((from) => member(from, name))
    .filter((value) => value !== undefined && value !== null);
  return reported.find(isCount) ?? (reported.length > 0 ? Number.NaN : 0);
}

/** Citations repeat what the answer says. */
function write(seen: UsageAccumulator, message: unknown): void {
  for (const name of ['content', 'tool_plan', 'tool_calls']) seen.write(member(message, name));
}

/** The usage stands beside the message of a body, and within the delta of the last event. */
function openChat(seen: UsageAccumulator): (document: Json) => void {
  return (document) => {
    const { delta, type } = document;
    const end = type === undefined ? document : delta;
    const reason = member(end, 'finish_reason');
    if (typeof member(end, 'error') === 'string' || FAULTS.has(String(reason))) seen.failed = true;
    write(seen, document.message);
    write(seen, member(delta, 'message'));
    seen.observe(member(end, 'usage'), usageIn, 'final');
  };
}

function cohereError({ message }: Problem): Json {
  return { message };
}

/** Clients know no error within a stream but that of its last event. */
function closing({ message }: Problem): string {
  const event = { type: 'message-end', delta: { finish_reason: 'ERROR', error: message } };
  return `event: message-end\ndata: ${JSON.stringify(event)}\n\ndata: [DONE]\n\n`;
}

const chat: Shape = {
  request: requestForm({
    model: ['model'],
    stream: ['stream'],
    ceilings: [['max_tokens']],
    choices: [],
    ceilingLeast: 1,
    nullable: true,
  }),
  open: openChat,
  answerMembers: ['usage', 'finish_reason', 'error'],
  streamsArrays: false,
  error: cohereError,
  closing,
};

const embed: Shape = {
  ...chat,
  request: requestForm({ model: ['model'], ceilings: [], choices: [], ceilingLeast: 1, nullable: true }),
  open: (seen) => (document) => seen.observe(document.meta, usageIn, 'final'),
  answerMembers: ['meta'],
};

const searchesIn: ReadUsage = ({ billed_units: billed }) => {
  const none = { cachedInput: 0, cacheWrite: 0, output: 0, reasoning: 0, total: 0 };
  return usageOf({ ...none, input: count(billed, 'search_units'), surplus: 'input' });
};

/** Its unit is the search: one counts as one token of input, and the weight says what that comes to. */
const rerank: Shape = {
  ...embed,
  request: requestForm({
    ...embed.request,
    inputUnits: {
      paths: [['documents']],
      count: (places, textTokens) => {
        const documents = places.stated(['documents'])?.count ?? 0;
        return Math.ceil((documents + Math.floor(textTokens / DOCUMENT_TOKENS)) / SEARCH_DOCUMENTS);
      },
    },
  }),
  open: (seen) => (document) => seen.observe(document.meta, searchesIn, 'final'),
};

export const cohere: ShapeOf = (given) => {
  const path = plainPath(given);
  if (path === '' || path.endsWith('/v2/chat')) return chat;
  if (path.endsWith('/rerank')) return rerank;
  if (path.endsWith('/embed')) return embed;
  throw new ProblemError(
    'cost-invalid',
    `${given} has no price here: only /v2/chat, /rerank and /embed have.`,
  );
};
