/**
 * Parses the `METHOD /path` of a route into a form that can be compared. The gateway has its own parser,
 * built for speed; a test compares the two.
 */
import { METHODS } from 'node:http';

/** `suffix`: how the segment must end, after at least one character; '' for any. Only the last segment can have one. */
type Segment = { readonly exact: string } | { readonly any: string; readonly suffix: string };

export interface Match {
  /** `*` for any. GET does not imply HEAD. */
  readonly method: string;
  /** The path between its slashes: `/` is one empty segment, `/a/` is `a` and an empty one. */
  readonly segments: readonly Segment[];
  /** Ends in `/*`: one or more further segments, of which the last may be empty. */
  readonly rest: boolean;
}

/** Never forwarded: CONNECT opens a tunnel, TRACE echoes the upstream's request. */
const REFUSED_METHODS = ['CONNECT', 'TRACE'];
const ROUTE_METHODS = new Set(['*', ...METHODS.filter((method) => !REFUSED_METHODS.includes(method))]);

// Forwarded unchanged: no `;`, and escapes only for non-ASCII characters.
const PLAIN = /^(?!\.{1,2}$|:)(?:[A-Za-z0-9._~!$&'()+,=:@-]|%[89A-F][0-9A-F])+$/;
// `:model`, or `:model:generateContent` if the segment must end in a verb.
const PARAMETER = /^:([A-Za-z_][A-Za-z0-9_-]*)(:[A-Za-z_][A-Za-z0-9_-]*)?$/;

export function parseMatch(text: string): Match | undefined {
  const [method = '', path = '', ...more] = text.split(' ');
  if (!ROUTE_METHODS.has(method) || !path.startsWith('/') || more.length > 0) return undefined;
  const rest = path.endsWith('/*');
  const parts = path.slice(1).split('/');
  if (rest) parts.pop();
  const segments: Segment[] = [];
  for (const [index, part] of parts.entries()) {
    const segment = parseSegment(part, index === parts.length - 1 && !rest);
    if (segment === undefined) return undefined;
    segments.push(segment);
  }
  return { method, segments, rest };
}

function parseSegment(part: string, last: boolean): Segment | undefined {
  const [, any, suffix = ''] = PARAMETER.exec(part) ?? [];
  if (any !== undefined) return suffix === '' || last ? { any, suffix } : undefined;
  return (PLAIN.test(part) && isDecodable(part)) || (part === '' && last) ? { exact: part } : undefined;
}

function isDecodable(part: string): boolean {
  try {
    return decodeURIComponent(part) !== '';
  } catch {
    return false;
  }
}

/** A path without parameters or a rest. */
export function isPlainPath(path: string): boolean {
  const match = parseMatch(`GET ${path}`);
  return match !== undefined && isLiteral(match);
}

function isLiteral(match: Match): boolean {
  return !match.rest && match.segments.every((segment) => 'exact' in segment);
}

/**
 * Whether `earlier` makes `later` unreachable: `earlier` matches every path of `later`, or every path of `later` is a
 * variant spelling (capitals, trailing dots or slash) of such a path. The gateway prices variants like the normalized
 * spelling.
 */
export function hides(earlier: Match, later: Match): boolean {
  if (earlier.method !== '*' && earlier.method !== later.method) return false;
  if (covers(earlier, later, later.rest ? 1 : 0)) return true;
  if (isLiteral(later) || !later.segments.some(isOdd)) return false;
  // In the normalized spelling, a trailing slash is not a segment.
  return covers(plain(earlier), trimmed(plain(later)), 0);
}

/** `restLeast`: the smallest number of segments in the rest of `later`. */
function covers(earlier: Match, later: Match, restLeast: number): boolean {
  const spare = later.segments.length + restLeast - earlier.segments.length;
  if (earlier.rest ? spare < 1 : spare !== 0 || later.rest) return false;
  return earlier.segments.every((segment, index) => coversSegment(segment, later.segments[index]));
}

function coversSegment(earlier: Segment, later: Segment | undefined): boolean {
  if (later === undefined) return false;
  if ('any' in later) return 'any' in earlier && later.suffix.endsWith(earlier.suffix);
  if ('exact' in earlier) return later.exact === earlier.exact;
  return later.exact.endsWith(earlier.suffix) && later.exact.length > earlier.suffix.length;
}

function isOdd(segment: Segment): boolean {
  if ('any' in segment) return /[A-Z]/.test(segment.suffix);
  return segment.exact === '' || /[A-Z%]|\.$/.test(segment.exact);
}

function plain(match: Match): Match {
  const segments = match.segments.map((s) =>
    'exact' in s ? { exact: plainly(s.exact) } : { ...s, suffix: plainly(s.suffix) },
  );
  return { ...match, segments };
}

function plainly(text: string): string {
  return text.toLowerCase().replace(/\.+$/, '');
}

function trimmed(match: Match): Match {
  const last = match.segments.at(-1);
  const bare = last !== undefined && 'exact' in last && last.exact === '';
  return bare ? { ...match, segments: match.segments.slice(0, -1) } : match;
}
