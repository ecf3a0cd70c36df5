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

const USAGE_KEY = Buffer.from('"usage"', 'latin1');
const USAGE_NULL = Buffer.from('"usage":null', 'latin1');
const COMMA = 0x2c;
const SPACE = 0x20;

/** Tells `leaveOut` which bytes of the stream the client must not see. */
export function takeOutUsage(
  event: SseEvent,
  document: Json,
  leaveOut: (start: number, end: number) => void,
): void {
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

/** With the comma before it; the first member with the comma behind it. What stands in several lines stays. */
export function takeOutMember({ data, dataAt }: SseEvent, outlet: Outlet): void {
  const keyAt = data.indexOf(USAGE_KEY);
  if (keyAt < 0 || dataAt < 0) return;
  const nullEnd = keyAt + USAGE_NULL.length;
  // The usual case, told without a scan: the key stands there once, and no string can hold it, for its quotes would be escaped.
  const isPlain = data[keyAt - 1] === COMMA && data.indexOf(USAGE_KEY, keyAt + 1) < 0;
  if (isPlain && data.compare(USAGE_NULL, 0, USAGE_NULL.length, keyAt, Math.min(nullEnd, data.length)) === 0)
    outlet.leaveOut(dataAt + keyAt - 1, dataAt + nullEnd);
  else takeOutScanned(data, dataAt, outlet);
}

function takeOutScanned(data: Buffer, dataAt: number, outlet: Outlet): void {
  const place = placesOf(data)?.places[0];
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
