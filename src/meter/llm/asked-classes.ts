/** What a request asks for that can have a price of its own: its service tier, its speed, tools that the provider runs. */
import type { Place, Scanned } from './json-scan.js';
import type { Path } from './places.js';
import type { Reach } from './price.js';
import type { Asked } from './row-prices.js';

const TIERS: readonly Path[] = [['service_tier'], ['serviceTier']];
const SPEED: Path = ['speed'];
const MAX_CALLS: Path = ['max_tool_calls'];
const SEARCH: Path = ['web_search_options'];
const TOOLS: Path = ['tools'];

export const ASKED_PLACES: readonly Path[] = [...TIERS, SPEED, MAX_CALLS, SEARCH];

/** The wanted places of a body. */
interface Places {
  at(path: Path): Place | undefined;
  text(place: Place): string;
}

/** More calls of one tool are not held: those that are made are charged. */
const CALLS_MAX = 1_000;
const HOUR = Buffer.from('"1h"');

export function askedClasses(
  places: Places,
  scanned: Scanned,
  body: Buffer,
  tools: readonly string[],
): Asked {
  const tier = TIERS.map((path) => wordAt(places, path)).find((word) => word !== undefined);
  const reach: Reach = {
    media: scanned.mediaParts > 0,
    cache1h: body.includes(HOUR) || body.includes('\\u'),
    calls: tools.length === 0 ? new Map<string, number>() : callsIn(places, tools),
  };
  return { tier, speed: wordAt(places, SPEED), reach };
}

/** In lower case. What is no text counts as a word that nobody knows. */
function wordAt(places: Places, path: Path): string | undefined {
  const place = places.at(path);
  if (place === undefined || place.kind === 'null') return undefined;
  return place.kind === 'string' ? (JSON.parse(places.text(place)) as string).toLowerCase() : '?';
}

/** The calls of each listed tool that are held: as many as the request allows, else one. */
function callsIn(places: Places, tools: readonly string[]): Map<string, number> {
  const calls = new Map<string, number>();
  const most = numberAt(places, MAX_CALLS);
  const add = (name: string, times: number) => {
    calls.set(name, Math.min(CALLS_MAX, (calls.get(name) ?? 0) + times));
  };
  if (tools.includes('web_search') && isThere(places, SEARCH)) add('web_search', 1);
  const place = places.at(TOOLS);
  const list: unknown = place?.kind === 'array' ? JSON.parse(places.text(place)) : [];
  for (const tool of list as readonly unknown[]) {
    if (typeof tool !== 'object' || tool === null) continue;
    const name = tools.find((one) => isTool(tool, one));
    if (name === undefined) continue;
    const own = Reflect.get(tool, 'max_uses') as unknown;
    add(name, countOf(own) ?? most ?? 1);
  }
  return calls;
}

/** By its type, with a date or not (`web_search_20250305`), or by its only key, as Gemini has it (`googleSearch`). */
function isTool(tool: object, name: string): boolean {
  const type: unknown = Reflect.get(tool, 'type');
  if (typeof type === 'string') return type === name || type.startsWith(`${name}_`);
  return Object.keys(tool).some((key) => key.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`) === name);
}

function isThere(places: Places, path: Path): boolean {
  const place = places.at(path);
  return place !== undefined && place.kind !== 'null';
}

function numberAt(places: Places, path: Path): number | undefined {
  const place = places.at(path);
  return place?.kind === 'number' ? countOf(Number(places.text(place))) : undefined;
}

function countOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}
