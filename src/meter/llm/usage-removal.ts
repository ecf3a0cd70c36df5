/**
 * The gateway asked for usage and the client did not. This module removes from a chat stream only what that request
 * added; usage that vendors send anyway, beside choices, stays.
 */
import { type Scanned, scanJson } from './json-scan.js';
import { type Path, spanTree } from './span-tree.js';
import type { SseEvent } from './sse.js';
import { isObject, type Json } from './usage.js';

const PATHS: readonly Path[] = [['usage']];
const TREE = spanTree(PATHS);

/** Members that are metadata of a chunk. */
const FRAME = new Set([
  'id',
  'object',
  'created',
  'model',
  'service_tier',
  'system_fingerprint',
  'provider',
  'obfuscation',
  'latency_checkpoint',
  'x_groq',
  'choices',
  'usage',
]);

const USAGE_NULL_BYTES = ',"usage":null'.length;
const COMMA = 0x2c;
const SPACE = 0x20;

/** Removes bytes from the client's stream. */
export interface ByteRemover {
  /** Byte positions in the stream. */
  remove(start: number, end: number): void;
}

export function removeUsage(event: SseEvent, document: Json, remover: ByteRemover): void {
  if (!Object.hasOwn(document, 'usage')) return;
  const { choices, usage } = document;
  const isExtra = isObject(usage) && Array.isArray(choices) && choices.length === 0;
  if (isExtra && hasOnlyUsage(document)) remover.remove(event.start, event.end);
  else if (usage === null || isExtra) removeMember(event, remover);
}

function hasOnlyUsage(document: Json): boolean {
  return Object.entries(document).every(([key, value]) => FRAME.has(key) || isNothing(value));
}

function isNothing(value: unknown): boolean {
  return value === null || value === '' || (typeof value === 'object' && Object.keys(value).length === 0);
}

/** Removes the `,"usage":null` at this position of the data. Data in several lines cannot be edited. */
export function removeNullUsage({ dataAt }: SseEvent, at: number, remover: ByteRemover): void {
  if (dataAt >= 0) remover.remove(dataAt + at, dataAt + at + USAGE_NULL_BYTES);
}

/** Removes a member with the comma before it; the first member with the comma after it. */
function removeMember({ data, dataAt }: SseEvent, remover: ByteRemover): void {
  const span = dataAt < 0 ? undefined : scanned(data)?.spans[0];
  if (span === undefined) return;
  let start = span.keyAt - 1;
  while ((data[start] ?? 0) <= SPACE && start > 0) start -= 1;
  let end = span.end;
  if (data[start] !== COMMA) {
    start = span.keyAt;
    while ((data[end] ?? COMMA) <= SPACE) end += 1;
    if (data[end] === COMMA) end += 1;
  }
  remover.remove(dataAt + start, dataAt + end);
}

function scanned(data: Buffer): Scanned | undefined {
  try {
    return scanJson(data, TREE, PATHS.length);
  } catch {
    return undefined;
  }
}
