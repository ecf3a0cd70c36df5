/** Normalizes the usage that a provider reports: never negative, never below the provider's own total. */
import type { Usage } from '../../quota/tokens.js';

/** No call uses more tokens; a larger count is a provider's mistake. */
const TOKENS_MAX = 1_000_000_000_000;

export type Json = { readonly [key: string]: unknown };

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

export function member(value: unknown, key: string): unknown {
  return isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

/** Counts as reported; a count that is left out is 0. A list is summed. NaN marks an unusable count. */
export interface Counts {
  /** Includes all cached tokens. */
  readonly input: number | readonly number[];
  readonly cachedInput?: number;
  readonly cacheWrite?: number;
  readonly output?: number | readonly number[];
  readonly reasoning?: number;
  readonly total?: number;
  /** The side that gets tokens that only the total contains; if left out, the output. */
  readonly surplus?: 'input' | 'output';
  /** The sum of the details. A side without a confirming total is never below it. */
  readonly inputDetails?: number;
  readonly outputDetails?: number;
  /** The object has neither an output count nor a total. */
  readonly outputOmitted?: boolean;
}

/** The values of one usage object. */
export interface StatedUsage extends Usage {
  /** A counter of this side is present but unusable; the side is at least the remaining counters. */
  readonly inputBroken?: boolean;
  readonly outputBroken?: boolean;
  /** Both sides are reported, and the provider's own total is their sum. */
  readonly confirmed?: boolean;
  /** Tokens that only the total contains; they are included in `input` or `output`. */
  readonly surplusInput?: number;
  readonly surplusOutput?: number;
  readonly outputOmitted?: boolean;
}

/** Details of the token kinds of a side, under the names of OpenAI's APIs. */
export function inputDetailsOf(raw: Json): unknown {
  return raw.prompt_tokens_details ?? raw.input_tokens_details ?? raw.input_token_details;
}

export function outputDetailsOf(raw: Json): unknown {
  return raw.completion_tokens_details ?? raw.output_tokens_details ?? raw.output_token_details;
}

/** Returns the first of these members that is present, as a count: 0 if none is present, NaN if it is not a count. */
export function count(from: unknown, ...keys: readonly string[]): number {
  for (const key of keys) {
    const value = member(from, key);
    if (value === undefined || value === null) continue;
    return isCount(value) ? value : Number.NaN;
  }
  return 0;
}

export function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= TOKENS_MAX;
}

/** Vendors round, or use two tokenizers: a part may exceed its confirmed whole by this factor. */
const REASONING_TOLERANCE = 1.25;
const CACHE_TOLERANCE = 2;

/**
 * Returns undefined if everything is 0: no answer costs nothing. A part (cached, cache write, reasoning) that is not a
 * count is 0.
 */
export function usageOf(counts: Counts): StatedUsage | undefined {
  const [given, made] = [sumOf(counts.input), sumOf(counts.output ?? 0)];
  const total = counts.total || 0;
  const confirmed = total > 0 && total === given.tokens + made.tokens && !given.broken && !made.broken;
  const [cachedInput, cacheWrite, reasoning] = [
    counts.cachedInput || 0,
    counts.cacheWrite || 0,
    counts.reasoning || 0,
  ];
  const cacheTolerance = confirmed ? CACHE_TOLERANCE : 1;
  let input = wholeOf(given.tokens, cachedInput + cacheWrite, cacheTolerance);
  let output = wholeOf(made.tokens, reasoning, confirmed ? REASONING_TOLERANCE : 1);
  if (!confirmed) {
    input = Math.max(input, counts.inputDetails || 0);
    output = Math.max(output, counts.outputDetails || 0);
  }
  const surplus = Math.max(0, total - input - output);
  const isInput = counts.surplus === 'input';
  if (isInput) input += surplus;
  else output += surplus;
  if (input + output === 0 && !given.broken && !made.broken) return undefined;
  const cached = Math.min(cachedInput, input);
  return {
    input,
    cachedInput: cached,
    cacheWrite: Math.min(cacheWrite, input - cached),
    output,
    reasoning: Math.min(reasoning, output),
    inputBroken: given.broken,
    outputBroken: made.broken,
    confirmed: confirmed && given.tokens > 0 && made.tokens > 0,
    surplusInput: isInput ? surplus : 0,
    surplusOutput: isInput ? 0 : surplus,
    outputOmitted: counts.outputOmitted ?? false,
  };
}

/** Two counts of the same answer. For each side the larger one wins; of equal ones, the one with more details. */
export function largerOf(a: StatedUsage, b: StatedUsage): StatedUsage {
  const parts = (usage: StatedUsage) => usage.cachedInput + usage.cacheWrite;
  const inputBy = b.input - a.input || parts(b) - parts(a);
  const { input, cachedInput, cacheWrite, surplusInput } = inputBy > 0 ? b : a;
  const { output, surplusOutput } = b.output > a.output ? b : a;
  return {
    input,
    cachedInput,
    cacheWrite,
    surplusInput: surplusInput ?? 0,
    inputBroken: a.inputBroken === true || b.inputBroken === true,
    output,
    reasoning: Math.min(output, Math.max(a.reasoning, b.reasoning)),
    surplusOutput: surplusOutput ?? 0,
    outputBroken: a.outputBroken === true || b.outputBroken === true,
  };
}

interface Sum {
  readonly tokens: number;
  readonly broken: boolean;
}

function sumOf(parts: number | readonly number[]): Sum {
  const list = typeof parts === 'number' ? [parts] : parts;
  return {
    tokens: list.reduce((sum, part) => sum + (part || 0), 0),
    broken: list.some((part) => Number.isNaN(part)),
  };
}

/** A part that exceeds its whole by more than the tolerance was counted separately. */
function wholeOf(whole: number, part: number, tolerance: number): number {
  return part <= whole * tolerance ? whole : whole + part;
}

/** Keys whose strings are not model output, or repeat it. */
const NO_TEXT = new Set([
  'role',
  'type',
  'id',
  'call_id',
  'item_id',
  'index',
  'object',
  'status',
  'finish_reason',
  'stop_reason',
  'stop_details',
  'reasoning_details',
  'signature',
  'thoughtSignature',
  'thought_signature',
  'extra_content',
  'encrypted_content',
  'data',
  'b64_json',
  'images',
  'image_url',
  'url',
  'result',
  'results',
  'outputs',
  'annotations',
  'citations',
  'logprobs',
  'mimeType',
]);

const TEXT_DEPTH_MAX = 12;

/** Counts bytes of scripts with several bytes per letter, see `denseBytes`. */
export interface DenseCount {
  denseBytes: number;
}

/** Returns the bytes of all text that the model wrote in a part of an answer. */
export function textBytes(value: unknown, dense?: DenseCount, depth = 0): number {
  if (typeof value === 'string') return stringBytes(value, dense);
  if (typeof value !== 'object' || value === null || depth > TEXT_DEPTH_MAX) return 0;
  let bytes = 0;
  if (Array.isArray(value)) {
    for (const one of value) bytes += textBytes(one, dense, depth + 1);
    return bytes;
  }
  const object = value as Json;
  for (const key in object) {
    if (NO_TEXT.has(key)) continue;
    // Some servers send the same reasoning under both names.
    if (key === 'reasoning' && object.reasoning === object.reasoning_content) continue;
    bytes += textBytes(object[key], dense, depth + 1);
  }
  return bytes;
}

function stringBytes(text: string, dense: DenseCount | undefined): number {
  const bytes = Buffer.byteLength(text);
  if (dense !== undefined && bytes !== text.length)
    dense.denseBytes += denseBytes(Buffer.from(text), 0, bytes);
  return bytes;
}

/**
 * Returns how many bytes of [from, to) do not indicate the number of tokens. Scripts with two bytes per letter
 * (Cyrillic, Arabic …) and some with three (Indic, Thai …) have about as many tokens per letter as ASCII, so only one
 * byte of each letter counts.
 */
export function denseBytes(text: Uint8Array, from: number, to: number): number {
  let dense = 0;
  for (let at = from; at < to; at += 1) {
    const byte = text[at] ?? 0;
    if (byte >= 0xc2 && byte <= 0xdf) dense += 1;
    else if (byte >= 0xe0 && byte <= 0xe2) dense += 2;
  }
  return dense;
}
