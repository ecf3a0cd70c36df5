/** The usage that a provider reports, made sense of: never negative, never below the provider's own total. */
import type { Usage } from '../../quota/tokens.js';

/** No call has more; a provider that says so has made a mistake. */
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

/** Counts as reported; `input` with all cached parts. NaN marks one that cannot be used. */
export interface Counts {
  readonly input: number;
  readonly cachedInput: number;
  readonly cacheWrite: number;
  readonly output: number;
  readonly reasoning: number;
  readonly total: number;
  /** Where tokens belong that only the total knows of. */
  readonly surplus: 'input' | 'output';
}

/** The first of these members that is there, as a count: 0 where none is, NaN where it is no count. */
export function count(from: unknown, ...keys: readonly string[]): number {
  for (const key of keys) {
    const value = member(from, key);
    if (value === undefined || value === null) continue;
    return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= TOKENS_MAX
      ? value
      : Number.NaN;
  }
  return 0;
}

/** Null where it cannot be used; undefined where all of it is 0: no answer costs nothing. A part that is no count is 0. */
export function usageOf(counts: Counts): Usage | null | undefined {
  const [cachedInput, cacheWrite] = [counts.cachedInput || 0, counts.cacheWrite || 0];
  let { input, output } = counts;
  if (Number.isNaN(input + output)) return null;
  const more = Math.max(0, (counts.total || 0) - input - output);
  if (counts.surplus === 'input') input += more;
  else output += more;
  if (input + output === 0) return undefined;
  const cached = Math.min(cachedInput, input);
  return {
    input,
    cachedInput: cached,
    cacheWrite: Math.min(cacheWrite, input - cached),
    output,
    reasoning: Math.min(counts.reasoning || 0, output),
  };
}

/** Keys whose strings are no output of the model, or that repeat it. */
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
  'reasoning_details',
  'signature',
  'thoughtSignature',
  'encrypted_content',
  'data',
  'b64_json',
  'annotations',
  'logprobs',
  'mimeType',
]);

const TEXT_DEPTH_MAX = 12;

/** Bytes of all that the model wrote in a part of an answer. */
export function textBytes(value: unknown, depth = 0): number {
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (typeof value !== 'object' || value === null || depth > TEXT_DEPTH_MAX) return 0;
  let bytes = 0;
  if (Array.isArray(value)) {
    for (const one of value) bytes += textBytes(one, depth + 1);
    return bytes;
  }
  for (const key in value) if (!NO_TEXT.has(key)) bytes += textBytes((value as Json)[key], depth + 1);
  return bytes;
}
