/**
 * Reads the parts of a request that can have a price of their own: service tier, speed, and tools that the provider
 * runs.
 */
import type { Scanned, ValueSpan } from './json-scan.js';
import type { PossibleExtras } from './price.js';
import type { RequestedClasses } from './row-prices.js';
import type { Path } from './span-tree.js';

const TIERS: readonly Path[] = [['service_tier'], ['serviceTier']];
const SPEED: Path = ['speed'];
const MAX_CALLS: Path = ['max_tool_calls'];
const SEARCH: Path = ['web_search_options'];
const TOOLS: Path = ['tools'];

export const REQUESTED_CLASS_PATHS: readonly Path[] = [...TIERS, SPEED, MAX_CALLS, SEARCH];

/** The wanted values of a body. */
interface BodyValues {
  at(path: Path): ValueSpan | undefined;
  text(span: ValueSpan): string;
}

/** Caps the held calls per tool. Calls beyond it are still charged if they are made. */
const CALLS_MAX = 1_000;
const HOUR = Buffer.from('"1h"');

export function requestedClasses(
  values: BodyValues,
  scanned: Scanned,
  body: Buffer,
  tools: readonly string[],
): RequestedClasses {
  const tier = TIERS.map((path) => wordAt(values, path)).find((word) => word !== undefined);
  const possible: PossibleExtras = {
    media: scanned.mediaParts > 0,
    cache1h: body.includes(HOUR) || body.includes('\\u'),
    calls: tools.length === 0 ? new Map<string, number>() : callsIn(values, tools),
  };
  return { tier, speed: wordAt(values, SPEED), possible };
}

/** Returns the word in lower case. A value that is not a string becomes `?`, which matches no class. */
function wordAt(values: BodyValues, path: Path): string | undefined {
  const span = values.at(path);
  if (span === undefined || span.kind === 'null') return undefined;
  return span.kind === 'string' ? (JSON.parse(values.text(span)) as string).toLowerCase() : '?';
}

/** Returns how many calls of each listed tool are held: the maximum that the request allows, or one. */
function callsIn(values: BodyValues, tools: readonly string[]): Map<string, number> {
  const calls = new Map<string, number>();
  const most = numberAt(values, MAX_CALLS);
  const add = (name: string, times: number) => {
    calls.set(name, Math.min(CALLS_MAX, (calls.get(name) ?? 0) + times));
  };
  if (tools.includes('web_search') && isThere(values, SEARCH)) add('web_search', 1);
  const span = values.at(TOOLS);
  const list: unknown = span?.kind === 'array' ? JSON.parse(values.text(span)) : [];
  for (const tool of list as readonly unknown[]) {
    if (typeof tool !== 'object' || tool === null) continue;
    const name = tools.find((one) => isTool(tool, one));
    if (name === undefined) continue;
    const own = Reflect.get(tool, 'max_uses') as unknown;
    add(name, countOf(own) ?? most ?? 1);
  }
  return calls;
}

/**
 * Matches a tool by its type, with or without a date (`web_search_20250305`), or by its only key, as in Gemini
 * (`googleSearch`).
 */
function isTool(tool: object, name: string): boolean {
  const type: unknown = Reflect.get(tool, 'type');
  if (typeof type === 'string') return type === name || type.startsWith(`${name}_`);
  return Object.keys(tool).some((key) => key.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`) === name);
}

function isThere(values: BodyValues, path: Path): boolean {
  const span = values.at(path);
  return span !== undefined && span.kind !== 'null';
}

function numberAt(values: BodyValues, path: Path): number | undefined {
  const span = values.at(path);
  return span?.kind === 'number' ? countOf(Number(values.text(span))) : undefined;
}

function countOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}
