/** Cohere: chat v2, embed and rerank. Billed units are used if they are reported beside the token counts. */
import { type Problem, ProblemError } from '../../../errors/catalogue.js';
import { compileLayout, INPUT_ONLY } from '../request.js';
import { plainPath, type Shape, type ShapeOf } from '../shape.js';
import { count, isCount, type Json, member, usageOf } from '../usage.js';
import type { UsageAccumulator } from '../usage-accumulator.js';
import type { ReadUsage } from '../usage-merge.js';

/** One search is billed per this many documents. A document with more tokens than DOCUMENT_TOKENS counts as several. */
const SEARCH_DOCUMENTS = 100;
const DOCUMENT_TOKENS = 500;

const FAULTS = new Set(['ERROR', 'ERROR_TOXIC', 'ERROR_LIMIT', 'TIMEOUT']);

const usageIn: ReadUsage = (raw) => {
  const { billed_units: billed, tokens } = raw;
  return usageOf({
    input: [countOf('input_tokens', billed, tokens), count(billed, 'image_tokens')],
    cachedInput: count(raw, 'cached_tokens'),
    output: countOf('output_tokens', billed, tokens),
  });
};

/** Returns the first valid count; NaN if there are only invalid values. */
function countOf(name: string, ...objects: readonly unknown[]): number {
  const reported = objects
    .map((from) => member(from, name))
    .filter((value) => value !== undefined && value !== null);
  return reported.find(isCount) ?? (reported.length > 0 ? Number.NaN : 0);
}

/** Citations are skipped because they repeat the answer. */
function write(accumulator: UsageAccumulator, message: unknown): void {
  for (const name of ['content', 'tool_plan', 'tool_calls']) accumulator.write(member(message, name));
}

/** The usage is beside the message of a body, and inside the delta of the last event of a stream. */
function openChat(accumulator: UsageAccumulator): (document: Json) => void {
  return (document) => {
    const { delta, type } = document;
    const end = type === undefined ? document : delta;
    const reason = member(end, 'finish_reason');
    if (typeof member(end, 'error') === 'string' || FAULTS.has(String(reason))) accumulator.failed = true;
    write(accumulator, document.message);
    write(accumulator, member(delta, 'message'));
    accumulator.observe(member(end, 'usage'), usageIn, 'final');
  };
}

function cohereError({ message }: Problem): Json {
  return { message };
}

/** Clients recognize an error in a stream only in its last event. */
function closing({ message }: Problem): string {
  const event = { type: 'message-end', delta: { finish_reason: 'ERROR', error: message } };
  return `event: message-end\ndata: ${JSON.stringify(event)}\n\ndata: [DONE]\n\n`;
}

const chat: Shape = {
  request: compileLayout({
    model: ['model'],
    stream: ['stream'],
    outputLimits: [['max_tokens']],
    choices: [],
    minOutputLimit: 1,
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
  request: compileLayout(INPUT_ONLY),
  open: (accumulator) => (document) => accumulator.observe(document.meta, usageIn, 'final'),
  answerMembers: ['meta'],
};

const searchesIn: ReadUsage = ({ billed_units: billed }) => usageOf({ input: count(billed, 'search_units') });

/** Rerank is billed in searches. One search counts as one input token, and the weight sets its price. */
const rerank: Shape = {
  ...embed,
  request: compileLayout({
    ...embed.request,
    inputUnits: {
      paths: [['documents']],
      count: (values, textTokens) => {
        const documents = values.stated(['documents'])?.count ?? 0;
        return Math.ceil((documents + Math.floor(textTokens / DOCUMENT_TOKENS)) / SEARCH_DOCUMENTS);
      },
    },
  }),
  open: (accumulator) => (document) => accumulator.observe(document.meta, searchesIn, 'final'),
};

export const cohere: ShapeOf = (given) => {
  const path = plainPath(given);
  if (path === '' || path.endsWith('/v2/chat')) return chat;
  if (path.endsWith('/rerank')) return rerank;
  if (path.endsWith('/embed')) return embed;
  throw new ProblemError(
    'cost-invalid',
    `${given} has no price: only /v2/chat, /rerank and /embed are supported.`,
  );
};
