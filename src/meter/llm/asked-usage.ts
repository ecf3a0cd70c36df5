/**
 * The gateway asked for usage and the client did not: takes out of a chat stream what came of the asking, and nothing else.
 * Vendors send usage unasked, beside choices: that stays.
 */
import { type Scanned, scanJson } from './json-scan.js';
import { type Path, placeTree } from './places.js';
import type { SseEvent } from './sse.js';
import { isObject, type Json } from './usage.js';

const PATHS: readonly Path[] = [['usage']];
const TREE = placeTree(PATHS);

/** Members that only frame a chunk, or tell how it came about. */
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

/** What may be kept from the client. */
export interface Outlet {
  /** Bytes of the stream. */
  leaveOut(start: number, end: number): void;
}

export function takeOutUsage(event: SseEvent, document: Json, outlet: Outlet): void {
  if (!Object.hasOwn(document, 'usage')) return;
  const { choices, usage } = document;
  const isExtra = isObject(usage) && Array.isArray(choices) && choices.length === 0;
  if (isExtra && hasOnlyUsage(document)) outlet.leaveOut(event.start, event.end);
  else if (usage === null || isExtra) takeOutMember(event, outlet);
}

function hasOnlyUsage(document: Json): boolean {
  return Object.entries(document).every(([key, value]) => FRAME.has(key) || isNothing(value));
}

function isNothing(value: unknown): boolean {
  return value === null || value === '' || (typeof value === 'object' && Object.keys(value).length === 0);
}

/** The `,"usage":null` that begins at this byte of the data. Of data in several lines nothing can be taken out. */
export function takeOutNull({ dataAt }: SseEvent, at: number, outlet: Outlet): void {
  if (dataAt >= 0) outlet.leaveOut(dataAt + at, dataAt + at + USAGE_NULL_BYTES);
}

/** With the comma before it; the first member with the comma behind it. */
function takeOutMember({ data, dataAt }: SseEvent, outlet: Outlet): void {
  const place = dataAt < 0 ? undefined : placesOf(data)?.places[0];
  if (place === undefined) return;
  let start = place.keyAt - 1;
  while ((data[start] ?? 0) <= SPACE && start > 0) start -= 1;
  let end = place.end;
  if (data[start] !== COMMA) {
    start = place.keyAt;
    while ((data[end] ?? COMMA) <= SPACE) end += 1;
    if (data[end] === COMMA) end += 1;
  }
  outlet.leaveOut(dataAt + start, dataAt + end);
}

function placesOf(data: Buffer): Scanned | undefined {
  try {
    return scanJson(data, TREE, PATHS.length);
  } catch {
    return undefined;
  }
}
