/**
 * Orders of a request to the sample: `[[tokens=200 delay=5]]` anywhere in its prompt, or the same words in a header
 * `x-sample`.
 */

/** How the usage is reported: correctly, or in one of the ways that providers get it wrong. */
export type Tells =
  | 'truly'
  | 'none'
  | 'null'
  | 'zero'
  | 'negative'
  | 'text'
  | 'each'
  | 'shrinks'
  | 'unasked'
  | 'merged';

export type Coding = 'gzip' | 'br' | 'deflate' | 'identity';

export interface Orders {
  /** Text tokens to produce, within the output limit. */
  readonly tokens: number;
  /** Reasoning tokens before the text. */
  readonly reasoning: number;
  /** Tokens of the prompt, instead of its length. */
  readonly prompt?: number;
  /** Parts of the prompt: read from the cache, and written to it. */
  readonly cached: number;
  readonly written: number;
  /** Milliseconds before the head, and between tokens. */
  readonly wait: number;
  readonly delay: number;
  /** All tokens at once, not one per turn. */
  readonly burst: boolean;
  /** After this many tokens (bytes, if the answer is not a stream): waits for `release()`; resets the connection. */
  readonly hold?: number;
  readonly cut?: number;
  /** After this many tokens: an error within the answer, whose status is 200. */
  readonly fail?: number;
  /** Only this status with its Retry-After, and no answer. */
  readonly status: number;
  readonly retry?: number;
  readonly usage: Tells;
  /** Ignores the output limit. */
  readonly over: boolean;
  /** No tool is called, although tools are offered. */
  readonly plain: boolean;
  /** If the client accepts it; with `insist` always. */
  readonly coding: Coding;
  readonly insist: boolean;
  /** Seed: the bytes are sent in pieces of 1 to 40. */
  readonly split?: number;
  /** Events with CRLF, and with comments between them. */
  readonly crlf: boolean;
  readonly comments: boolean;
}

const DEFAULTS: Orders = {
  tokens: 16,
  reasoning: 0,
  cached: 0,
  written: 0,
  wait: 0,
  delay: 0,
  burst: false,
  status: 200,
  usage: 'truly',
  over: false,
  plain: false,
  coding: 'identity',
  insist: false,
  crlf: false,
  comments: false,
};

const NUMBERS: ReadonlySet<string> = new Set([
  'tokens',
  'reasoning',
  'prompt',
  'cached',
  'written',
  'wait',
  'delay',
  'hold',
  'cut',
  'fail',
  'status',
  'retry',
  'split',
]);
const FLAGS: ReadonlySet<string> = new Set(['burst', 'over', 'plain', 'insist', 'crlf', 'comments']);
const WORDS: Readonly<Record<string, readonly string[]>> = {
  usage: ['truly', 'none', 'null', 'zero', 'negative', 'text', 'each', 'shrinks', 'unasked', 'merged'],
  coding: ['gzip', 'br', 'deflate', 'identity'],
};
/** Also the maximum tokens of one answer, because they are kept in memory. */
const NUMBER_MAX = 1_000_000;
const ORDER = /\[\[([^\][]{0,400})\]\]/g;

/** Throws an Error for an unknown word, so that a typo in a test is noticed. */
export function ordersOf(field: string, prompt: string): Orders {
  const words = [field, ...Array.from(prompt.matchAll(ORDER), ([, inner = '']) => inner)];
  const orders: Record<string, number | string | boolean> = { ...DEFAULTS };
  for (const word of words.flatMap((text) => text.split(/[\s,]+/))) {
    if (word === '') continue;
    const [name = '', value = ''] = word.split('=');
    orders[name] = settingOf(name, value);
  }
  return orders as unknown as Orders;
}

function settingOf(name: string, value: string): number | string | boolean {
  if (FLAGS.has(name) && value === '') return true;
  if (NUMBERS.has(name) && /^\d{1,7}$/.test(value) && Number(value) <= NUMBER_MAX) return Number(value);
  if (Object.hasOwn(WORDS, name) && WORDS[name]?.includes(value)) return value;
  throw new Error(`the sample has no order '${name}=${value}'`);
}
