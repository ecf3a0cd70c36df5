/**
 * Selects the route of a request: the first in the config that matches. A pattern is a method and a path, such as `GET
 * /v3/maps/:tile`. `*` matches any method, `:name` one non-empty segment, a final `/*` any rest after its slash (the
 * bare prefix is another path), and a final `:name:verb` a segment that ends in `:verb`. Everything else is literal and
 * case-sensitive; GET does not imply HEAD.
 *
 * Many upstreams ignore case, a trailing slash, unnecessary escapes, and dots and spaces at the end of a segment.
 * Therefore a path gets no route if its normalized spelling would match an earlier route: a spelling cannot select the
 * cheaper of two routes.
 */
import { canonicalPath } from './path.js';

export interface Route<T> {
  /** Method and path, separated by one space. */
  readonly match: string;
  readonly value: T;
}

export type FindRoute<T> = (method: string, path: string) => T | undefined;

interface Pattern {
  readonly method: string;
  /** Segments between the slashes; undefined: any segment. */
  readonly segments: readonly (string | undefined)[];
  /** Ends in `/*`. */
  readonly open: boolean;
  /** The required end of the last segment if it can be any: `:generateContent`; '' if there is none. */
  readonly suffix: string;
}

interface Entry<T> {
  readonly index: number;
  readonly value: T;
}

interface Candidate<T> extends Entry<T> {
  readonly pattern: Pattern;
}

/** The routes of one method. */
interface Table<T> {
  readonly exact: Map<string, Entry<T>>;
  readonly patterns: Candidate<T>[];
  /** Every route, in normalized spelling. */
  readonly plain: Candidate<T>[];
}

const METHOD = /^(\*|[A-Z][A-Z-]*)$/;
const PARAMETER = /^:[A-Za-z_][A-Za-z0-9_-]*(:[A-Za-z_][A-Za-z0-9_-]*)?$/;
// Spellings that have a more normalized one.
const ODD = /[A-Z%]|\.(?:\/|$)|.\/$/;
const ENDINGS = /[. ]+(?=\/|$)/g;
const ASCII_ESCAPE = /%([2-7][0-9A-Fa-f])/g;

/** Throws if a `match` is malformed. */
export function compileRoutes<T>(routes: readonly Route<T>[]): FindRoute<T> {
  const patterns = routes.map((route) => parseMatch(route.match));
  const methods = new Set(patterns.map((pattern) => pattern.method));
  const tables = new Map([...methods].map((method) => [method, tableOf(routes, patterns, method)]));
  const others = tableOf(routes, patterns, '*');
  return (method, path) => findIn(tables.get(method) ?? others, path);
}

function tableOf<T>(routes: readonly Route<T>[], patterns: readonly Pattern[], method: string): Table<T> {
  const table: Table<T> = { exact: new Map(), patterns: [], plain: [] };
  for (const [index, pattern] of patterns.entries()) {
    const route = routes[index];
    if (route === undefined || (pattern.method !== '*' && pattern.method !== method)) continue;
    const candidate = { index, value: route.value, pattern };
    const path = literalOf(pattern);
    if (path === undefined) table.patterns.push(candidate);
    else if (!table.exact.has(path)) table.exact.set(path, candidate);
    table.plain.push({ ...candidate, pattern: plainPattern(pattern) });
  }
  return table;
}

function findIn<T>(table: Table<T>, path: string): T | undefined {
  const exact = table.exact.get(path);
  for (const candidate of table.patterns) {
    if (exact !== undefined && exact.index < candidate.index) break;
    if (matches(candidate.pattern, path))
      return isFirstPlainly(table, candidate, path) ? candidate.value : undefined;
  }
  return exact?.value;
}

/** Matches without splitting, because this runs for every request. */
function matches(pattern: Pattern, path: string): boolean {
  let at = 0;
  for (const segment of pattern.segments) {
    // At this point, the path either continues with a slash or is too short.
    if (path.charCodeAt(at) !== 0x2f) return false;
    at += 1;
    if (segment === undefined) {
      const slash = path.indexOf('/', at);
      const end = slash === -1 ? path.length : slash;
      if (end === at) return false;
      at = end;
    } else {
      if (!path.startsWith(segment, at)) return false;
      at += segment.length;
    }
  }
  if (pattern.open) return path.charCodeAt(at) === 0x2f;
  return at === path.length && (pattern.suffix === '' || endsIn(path, pattern.suffix));
}

/** After at least one character of the last segment. */
function endsIn(path: string, suffix: string): boolean {
  return path.endsWith(suffix) && path.charCodeAt(path.length - suffix.length - 1) !== 0x2f;
}

function isFirstPlainly<T>(table: Table<T>, found: Candidate<T>, path: string): boolean {
  if (!ODD.test(path)) return true;
  const spelled = plain(path);
  const first = table.plain.find((candidate) => matches(candidate.pattern, spelled));
  // A path without a final slash does not match a route that ends in a slash.
  return first === undefined || first.index >= found.index;
}

function parseMatch(match: string): Pattern {
  const [method = '', path = '', ...rest] = match.split(' ');
  if (rest.length > 0 || !METHOD.test(method) || !path.startsWith('/'))
    throw new Error(`'${match}' is not a method and a path, such as 'GET /v3/maps/*'`);
  const open = path.endsWith('/*');
  const texts = path.slice(1, open ? -2 : undefined).split('/');
  const segments = open && path === '/*' ? [] : texts.map((text) => parseSegment(text, match));
  if (segments.slice(0, open ? undefined : -1).includes(''))
    throw new Error(`'${match}' has an empty segment`);
  return { method, segments, open, suffix: suffixOf(texts, open, match) };
}

/** Only the last segment can have one. */
function suffixOf(texts: readonly string[], open: boolean, match: string): string {
  const suffixes = texts.map((text) => PARAMETER.exec(text)?.[1] ?? '');
  if (suffixes.slice(0, open ? undefined : -1).some((suffix) => suffix !== ''))
    throw new Error(`'${match}': a parameter with a verb is allowed only at the end`);
  return suffixes.at(-1) ?? '';
}

function parseSegment(text: string, match: string): string | undefined {
  if (text.startsWith(':')) {
    if (PARAMETER.test(text)) return undefined;
    throw new Error(`'${match}': '${text}' is not a valid parameter name`);
  }
  if (text.includes('*')) throw new Error(`'${match}': '*' is allowed only at the end, as '/*'`);
  if (canonicalPath(`/${text}`)?.query !== '')
    throw new Error(`'${match}': no request can have the segment '${text}'`);
  return text;
}

function literalOf(pattern: Pattern): string | undefined {
  if (pattern.open || pattern.segments.includes(undefined)) return undefined;
  return `/${pattern.segments.join('/')}`;
}

function plainPattern(pattern: Pattern): Pattern {
  const segments = pattern.segments.map((segment) => (segment === undefined ? undefined : plain(segment)));
  return { ...pattern, segments, suffix: plain(pattern.suffix) };
}

function plain(path: string): string {
  const decoded = path.replace(ASCII_ESCAPE, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  const bare = decoded.replace(ENDINGS, '');
  const trimmed = bare.length > 1 && bare.endsWith('/') ? bare.slice(0, -1) : bare;
  return trimmed.toLowerCase();
}

/**
 * For a path without a route: returns the value of the route with the most equal leading segments, among routes with a
 * value. A typo such as `/v1/chat/completionz` most likely means `/v1/chat/completions`.
 */
export function nearestRoute<T>(routes: readonly Route<T | undefined>[]): (path: string) => T | undefined {
  const known = routes.map(({ match, value }) => ({ value, segments: parseMatch(match).segments }));
  return (path) => {
    const asked = path.slice(1).toLowerCase().split('/');
    let [most, nearest]: [number, T | undefined] = [0, undefined];
    for (const { value, segments } of known) {
      const alike = alikeIn(segments, asked);
      if (alike > most || (alike === most && alike > 0 && nearest === undefined))
        [most, nearest] = [alike, value];
    }
    return nearest;
  };
}

/** Returns how many leading segments are equal. A parameter alone does not show what is requested. */
function alikeIn(segments: Pattern['segments'], asked: readonly string[]): number {
  let alike = 0;
  for (const [at, segment] of segments.entries()) {
    if (segment === undefined ? alike === 0 || !asked[at] : segment.toLowerCase() !== asked[at]) break;
    alike += 1;
  }
  return alike;
}
