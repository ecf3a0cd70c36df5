/**
 * The sample API behind `quotagate demo`: a small location service on loopback that computes every answer.
 *
 * | route | answers |
 * |---|---|
 * | `GET /v3/maps/{tile}` | facts of a map tile, named by its quadkey (`0331`) or as `{zoom}/{x}/{y}` |
 * | `GET /v3/sql?q=…` or `POST /v3/sql` `{"q": …}` | rows of the table `cities` |
 * | `POST /v3/lds/geocoding` `{"addresses": […]}` | one result per address, an error for each that it cannot place |
 * | `GET /v3/slow?ms=…` | a line of JSON every tenth of a second, for at most 30 seconds |
 *
 * A query is `SELECT * | count(*) | column, … FROM cities`, then, each if wanted, `WHERE column = | < | > value`,
 * `ORDER BY column [DESC]` and `LIMIT n`.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

export interface DemoUpstream {
  readonly port: number;
  close(): Promise<void>;
}

interface City {
  readonly name: string;
  readonly country: string;
  readonly population: number;
  readonly latitude: number;
  readonly longitude: number;
}

// biome-ignore lint/complexity/useMaxParams: a row of the table below, in the order of its columns.
const city = (
  name: string,
  country: string,
  population: number,
  latitude: number,
  longitude: number,
): City => ({
  name,
  country,
  population,
  latitude,
  longitude,
});

const CITIES: readonly City[] = [
  city('Berlin', 'DE', 3_782_000, 52.52, 13.405),
  city('Cairo', 'EG', 10_204_000, 30.0444, 31.2357),
  city('Lagos', 'NG', 16_536_000, 6.5244, 3.3792),
  city('Lima', 'PE', 11_362_000, -12.0464, -77.0428),
  city('Madrid', 'ES', 3_333_000, 40.4168, -3.7038),
  city('Mumbai', 'IN', 21_673_000, 19.076, 72.8777),
  city('New York', 'US', 8_258_000, 40.7128, -74.006),
  city('Paris', 'FR', 2_103_000, 48.8566, 2.3522),
  city('Sevilla', 'ES', 684_000, 37.3891, -5.9845),
  city('Sydney', 'AU', 5_450_000, -33.8688, 151.2093),
  city('Tokyo', 'JP', 14_178_000, 35.6762, 139.6503),
  city('Valencia', 'ES', 808_000, 39.4699, -0.3763),
];

const BODY_MOST_BYTES = 8 * 1024 * 1024;
const ADDRESSES_MOST = 100_000;
const SLOW_MOST_MS = 30_000;
const SLOW_STEP_MS = 100;
const ZOOM_MOST = 24;

/** An error response. */
class Refusal extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly fields: Readonly<Record<string, string>> = {},
  ) {
    super(message);
  }
}

/** Listens on loopback, on any free port. */
export async function startDemoUpstream(): Promise<DemoUpstream> {
  const server = createServer((request, response) => void answer(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = async (): Promise<void> => {
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  };
  return { port: (server.address() as AddressInfo).port, close };
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    const url = new URL(`http://demo${request.url}`);
    if (url.pathname === '/v3/slow') await slow(request, response, url);
    else sendJson(response, await answerOf(request, url));
  } catch (error) {
    if (response.headersSent) return void response.destroy();
    const refusal = error instanceof Refusal ? error : new Refusal(500, 'the sample API failed');
    sendJson(response, { error: refusal.message }, refusal);
  }
}

async function answerOf(request: IncomingMessage, url: URL): Promise<unknown> {
  if (url.pathname.startsWith('/v3/maps/')) {
    allow(request, 'GET', 'HEAD');
    return tile(url.pathname.slice('/v3/maps/'.length));
  }
  if (url.pathname === '/v3/sql') {
    allow(request, 'GET', 'HEAD', 'POST');
    return sql(request.method === 'POST' ? await memberOf(request, 'q') : url.searchParams.get('q'));
  }
  if (url.pathname === '/v3/lds/geocoding') {
    allow(request, 'POST');
    return geocode(await memberOf(request, 'addresses'));
  }
  throw new Refusal(404, `there is nothing at ${url.pathname}`);
}

function allow(request: IncomingMessage, ...methods: readonly string[]): void {
  if (methods.includes(request.method ?? '')) return;
  throw new Refusal(405, `use ${methods.join(' or ')}`, { allow: methods.join(', ') });
}

interface Head {
  readonly status?: number;
  readonly fields?: Readonly<Record<string, string>>;
}

function sendJson(response: ServerResponse, body: unknown, { status = 200, fields = {} }: Head = {}): void {
  const bytes = Buffer.from(`${JSON.stringify(body)}\n`);
  response.writeHead(status, {
    ...fields,
    'content-type': 'application/json',
    'content-length': bytes.length,
  });
  response.end(bytes);
}

/** One member of the request's JSON. */
async function memberOf(request: IncomingMessage, name: string): Promise<unknown> {
  const body = await readJson(request);
  return typeof body === 'object' && body !== null
    ? Object.entries(body).find(([key]) => key === name)?.[1]
    : undefined;
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of request) {
    bytes += piece.length;
    // A body above the limit is still read, because the client sends it before it reads the response.
    if (bytes <= BODY_MOST_BYTES) pieces.push(piece);
  }
  if (bytes > BODY_MOST_BYTES) throw new Refusal(413, `the body is larger than ${BODY_MOST_BYTES} bytes`);
  try {
    return JSON.parse(Buffer.concat(pieces).toString());
  } catch {
    throw new Refusal(400, 'the body is not JSON');
  }
}

// Maps

function tile(name: string): unknown {
  const { zoom, x, y } = parseTile(name);
  const west = longitudeOf(x, zoom);
  const east = longitudeOf(x + 1, zoom);
  const north = latitudeOf(y, zoom);
  const south = latitudeOf(y + 1, zoom);
  const inside = (place: City): boolean =>
    place.longitude >= west && place.longitude < east && place.latitude > south && place.latitude <= north;
  return {
    quadkey: quadkeyOf(x, y, zoom),
    zoom,
    x,
    y,
    bounds: [west, south, east, north].map((degrees) => rounded(degrees)),
    metersPerPixel: rounded(
      (40_075_016.686 * Math.cos((((north + south) / 2) * Math.PI) / 180)) / (256 * 2 ** zoom),
    ),
    cities: CITIES.filter(inside).map((place) => place.name),
  };
}

function parseTile(name: string): { zoom: number; x: number; y: number } {
  const [, zoom, x, y] = (/^(\d{1,2})\/(\d{1,8})\/(\d{1,8})$/.exec(name) ?? []).map(Number);
  if (zoom !== undefined && x !== undefined && y !== undefined) {
    if (zoom <= ZOOM_MOST && Math.max(x, y) < 2 ** zoom) return { zoom, x, y };
  } else if (/^[0-3]+$/.test(name) && name.length <= ZOOM_MOST) {
    const digits = [...name].map(Number);
    const bits = (shift: number): number =>
      digits.reduce((sum, digit) => sum * 2 + ((digit >> shift) & 1), 0);
    return { zoom: name.length, x: bits(0), y: bits(1) };
  }
  throw new Refusal(404, `'${name}' is not a tile: a quadkey such as 0331, or zoom/x/y such as 4/7/5`);
}

function quadkeyOf(x: number, y: number, zoom: number): string {
  const digitAt = (level: number): number => ((x >> level) & 1) + 2 * ((y >> level) & 1);
  return Array.from({ length: zoom }, (_, index) => digitAt(zoom - 1 - index)).join('');
}

function longitudeOf(x: number, zoom: number): number {
  return (x / 2 ** zoom) * 360 - 180;
}

function latitudeOf(y: number, zoom: number): number {
  return (Math.atan(Math.sinh(Math.PI * (1 - (2 * y) / 2 ** zoom))) * 180) / Math.PI;
}

function rounded(value: number): number {
  return Math.round(value * 1e6) / 1e6;
}

// SQL

const QUERY = new RegExp(
  [
    String.raw`^\s*select\s+(?<columns>\*|count\(\*\)|[\w\s,]+?)\s+from\s+cities`,
    String.raw`(?:\s+where\s+(?<column>\w+)\s*(?<operator>[=<>])\s*(?<value>'[^']*'|-?\d+(?:\.\d+)?))?`,
    String.raw`(?:\s+order\s+by\s+(?<order>\w+)(?:(?<descending>\s+desc)|\s+asc)?)?`,
    String.raw`(?:\s+limit\s+(?<limit>\d{1,6}))?\s*;?\s*$`,
  ].join(''),
  'i',
);

function sql(text: unknown): unknown {
  if (typeof text !== 'string' || text === '') throw new Refusal(400, "no query: send it as 'q'");
  const parts = QUERY.exec(text)?.groups;
  if (parts === undefined) {
    throw new Refusal(400, 'only SELECT … FROM cities [WHERE column = value] [ORDER BY column] [LIMIT n]');
  }
  const rows = sorted(CITIES.filter(conditionOf(parts)), parts).slice(
    0,
    Number(parts.limit ?? CITIES.length),
  );
  const columns = parts.columns?.toLowerCase() ?? '*';
  if (columns === 'count(*)') return { rows: [{ count: rows.length }], total_rows: 1 };
  const wanted = columns === '*' ? COLUMNS : columns.split(',').map((name) => columnOf(name.trim()));
  const picked = rows.map((row) => Object.fromEntries(wanted.map((column) => [column, row[column]])));
  return { rows: picked, total_rows: picked.length };
}

const COLUMNS: readonly (keyof City)[] = ['name', 'country', 'population', 'latitude', 'longitude'];

function columnOf(name: string): keyof City {
  const column = COLUMNS.find((candidate) => candidate === name.toLowerCase());
  if (column === undefined)
    throw new Refusal(400, `cities has no column '${name}', but ${COLUMNS.join(', ')}`);
  return column;
}

type Parts = Readonly<Record<string, string | undefined>>;

function conditionOf({ column: name, operator, value = '' }: Parts): (row: City) => boolean {
  if (name === undefined) return () => true;
  const column = columnOf(name);
  const operand = value.startsWith("'") ? value.slice(1, -1) : Number(value);
  if (operator === '=') return (row) => row[column] === operand;
  return operator === '<' ? (row) => row[column] < operand : (row) => row[column] > operand;
}

function sorted(rows: readonly City[], { order, descending }: Parts): readonly City[] {
  if (order === undefined) return rows;
  const column = columnOf(order);
  const sign = descending === undefined ? 1 : -1;
  return rows.toSorted((a, b) => sign * (a[column] < b[column] ? -1 : Number(a[column] > b[column])));
}

// Geocoding

function geocode(addresses: unknown): unknown {
  if (!Array.isArray(addresses)) throw new Refusal(400, "no addresses: send them as an array, 'addresses'");
  if (addresses.length > ADDRESSES_MOST) throw new Refusal(413, `more than ${ADDRESSES_MOST} addresses`);
  const results = addresses.map(place);
  const failed = results.filter((result) => 'error' in result).length;
  return { results, found: results.length - failed, failed };
}

/**
 * The city that an address names, shifted by the rest of the address: the same address always gives the same position.
 */
function place(address: unknown, index: number): Record<string, unknown> {
  if (typeof address !== 'string') return { index, error: 'an address is a text' };
  if (address.trim() === '') return { index, error: 'the address is empty' };
  const text = address.toLowerCase();
  const found = CITIES.find((candidate) => text.includes(candidate.name.toLowerCase()));
  if (found === undefined) return { index, address, error: 'no known city in the address' };
  const hash = [...text].reduce((sum, character) => (sum * 31 + (character.codePointAt(0) ?? 0)) % 65_521, 7);
  return {
    index,
    address,
    city: found.name,
    country: found.country,
    latitude: rounded(found.latitude + ((hash % 251) - 125) / 5_000),
    longitude: rounded(found.longitude + ((hash % 241) - 120) / 5_000),
  };
}

// Slow

async function slow(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
  allow(request, 'GET');
  const wanted = Number(url.searchParams.get('ms') ?? 1_000);
  if (!Number.isFinite(wanted) || wanted < 0) throw new Refusal(400, `'ms' is not a number of milliseconds`);
  const ms = Math.min(wanted, SLOW_MOST_MS);
  response.writeHead(200, { 'content-type': 'application/x-ndjson' });
  for (let elapsedMs = 0; elapsedMs < ms && !response.destroyed; elapsedMs += SLOW_STEP_MS) {
    response.write(`${JSON.stringify({ elapsedMs, ofMs: ms })}\n`);
    await delay(Math.min(SLOW_STEP_MS, ms - elapsedMs));
  }
  response.end(`${JSON.stringify({ elapsedMs: ms, ofMs: ms })}\n`);
}
