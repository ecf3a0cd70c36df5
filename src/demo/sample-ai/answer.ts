/** The request to a model and its answer, independent of the API; the shapes only format it differently. */
import { type JsonObject, listOf, objectOf, sampleOf } from './json.js';
import type { Orders, Tells } from './orders.js';

/** A request, whatever its API. */
export interface Ask {
  readonly model: string;
  readonly body: JsonObject;
  /** All text of the prompt. */
  readonly prompt: string;
  readonly promptTokens: number;
  /** Maximum output tokens of one choice. */
  readonly ceiling?: number | undefined;
  readonly choices: number;
  readonly stream: boolean;
  /** The client wants usage in its stream (`stream_options.include_usage`). */
  readonly wantsUsage: boolean;
  /** The tool to call. */
  readonly tool?: { readonly name: string; readonly schema: unknown } | undefined;
  /** The schema of the JSON that is requested instead of prose; {} for any. */
  readonly json?: JsonObject | undefined;
}

/** Input includes both cached parts, output includes reasoning. */
export interface Usage {
  readonly input: number;
  readonly cached: number;
  readonly written: number;
  readonly output: number;
  readonly reasoning: number;
}

export interface Answer {
  /** Number of the request, starting at 1. */
  readonly number: number;
  readonly createdSeconds: number;
  readonly model: string;
  /** One token each; arguments if a tool is called. Each choice is the same. */
  readonly pieces: readonly string[];
  readonly thoughts: readonly string[];
  readonly choices: number;
  readonly tool: string | undefined;
  /** The output limit was reached. */
  readonly short: boolean;
  readonly usage: Usage;
  readonly tells: Tells;
  readonly wantsUsage: boolean;
}

/** A token is four bytes in these words, in prompts and in JSON. */
const TOKEN_BYTES = 4;
const VOCABULARY = [
  ...['The ', 'map ', 'of ', 'our ', 'sea ', 'has ', '"A" ', 'new ', 'bay', 'où ', 'one ', 'can ', 'go.\n'],
  ...['It ', 'is ', '東 ', 'of ', 'all', '🌍', 'and ', 'the ', 'né ', 'way ', 'out ', 'was ', 'far.'],
].map((word) => word + ' '.repeat(TOKEN_BYTES - Buffer.byteLength(word)));
const MEDIA_TOKENS = 500;
/** The same prompt gets the same bytes. */
const CREATED_SECONDS = 1_760_000_000;

/** Members beside text in a prompt that are not text. */
const NOT_READ: ReadonlySet<string> = new Set(['role', 'type', 'id', 'detail', 'name', 'cache_control']);
const MEDIA: ReadonlySet<string> = new Set([
  ...['image_url', 'input_audio', 'file', 'source', 'inlineData', 'fileData', 'file_id', 'file_data'],
]);

/** Returns the text of a prompt and its tokens; `parts` may be text, messages, parts or tools, in any nesting. */
export function promptOf(...parts: readonly unknown[]): Pick<Ask, 'prompt' | 'promptTokens'> {
  const texts: string[] = [];
  let mediaTokens = 0;
  const read = (value: unknown): void => {
    if (typeof value === 'string') texts.push(value);
    else if (Array.isArray(value)) for (const one of value) read(one);
    else
      for (const [key, inner] of Object.entries(objectOf(value))) {
        if (MEDIA.has(key)) mediaTokens += MEDIA_TOKENS;
        else if (!NOT_READ.has(key)) read(inner);
      }
  };
  read(parts);
  const prompt = texts.join('\n');
  const bytes = Buffer.byteLength(prompt);
  return { prompt, promptTokens: Math.max(1, Math.ceil(bytes / TOKEN_BYTES)) + mediaTokens };
}

export function answerOf(ask: Ask, orders: Orders, number: number): Answer {
  const tool = orders.plain ? undefined : ask.tool;
  const ceiling = orders.over ? Number.POSITIVE_INFINITY : (ask.ceiling ?? Number.POSITIVE_INFINITY);
  const wanted = piecesOf(ask, tool?.schema, orders.tokens);
  const thoughts = words(Math.min(orders.reasoning, ceiling));
  const pieces = wanted.slice(0, ceiling - thoughts.length);
  const input = orders.prompt ?? ask.promptTokens;
  const cached = Math.min(orders.cached, input);
  return {
    number,
    createdSeconds: CREATED_SECONDS,
    model: ask.model,
    pieces,
    thoughts,
    choices: ask.choices,
    tool: tool?.name,
    short: thoughts.length < orders.reasoning || pieces.length < wanted.length,
    usage: {
      input,
      cached,
      written: Math.min(orders.written, input - cached),
      output: ask.choices * (thoughts.length + pieces.length),
      reasoning: ask.choices * thoughts.length,
    },
    tells: orders.usage,
    wantsUsage: ask.wantsUsage,
  };
}

function piecesOf(ask: Ask, schema: unknown, tokens: number): string[] {
  if (schema !== undefined) return tokensOf(JSON.stringify(sampleOf(schema)));
  if (ask.json === undefined) return words(tokens);
  const value = Object.keys(ask.json).length === 0 ? { text: words(tokens).join('') } : sampleOf(ask.json);
  return tokensOf(JSON.stringify(value));
}

function words(count: number): string[] {
  return Array.from({ length: count }, (_, at) => VOCABULARY[at % VOCABULARY.length] ?? '');
}

/** Never splits a character. */
function tokensOf(text: string): string[] {
  const tokens: string[] = [];
  let token = '';
  let bytes = 0;
  for (const character of text) {
    const more = Buffer.byteLength(character);
    if (bytes + more > TOKEN_BYTES) {
      tokens.push(token);
      token = '';
      bytes = 0;
    }
    token += character;
    bytes += more;
  }
  return token === '' ? tokens : [...tokens, token];
}

/**
 * Returns the usage as it is reported: the API's own object, falsified if that is ordered; undefined if it is omitted.
 */
export function reported(tells: Tells, usage: JsonObject): unknown {
  if (tells === 'none') return undefined;
  if (tells === 'null') return null;
  const change = CHANGES[tells];
  return change === undefined ? usage : changed(usage, change);
}

const CHANGES: Partial<Record<Tells, (count: number) => unknown>> = {
  zero: () => 0,
  negative: (count) => -count,
  text: String,
};

function changed(value: unknown, change: (count: number) => unknown): unknown {
  if (typeof value === 'number') return change(value);
  if (Array.isArray(value)) return value.map((one) => changed(one, change));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, changed(inner, change)]));
}

/** Returns the usage after this many output tokens: it grows, or shrinks if that is ordered. */
export function usageAfter({ usage, tells }: Answer, sent: number): Usage {
  const output = tells === 'shrinks' ? 2 * usage.output - sent : sent;
  return { ...usage, output, reasoning: Math.min(usage.reasoning, output) };
}

/** The first tool of a list, unless the last message already carries a tool's result or the request forbids calls. */
export function toolOf(
  tools: unknown,
  forbidden: boolean,
  describe: (tool: JsonObject) => Ask['tool'],
): Ask['tool'] {
  const [first] = listOf(tools);
  return first === undefined || forbidden ? undefined : describe(objectOf(first));
}
