/**
 * Accepts a request target only in its canonical form. Nothing is normalized: programs that normalize differently see
 * two paths, and the cheaper one would be priced. A target is either canonical or refused.
 */

/** `path + query` equals the target. */
export interface Target {
  readonly path: string;
  /** Including `?`; '' if there is none. */
  readonly query: string;
}

const SLASH = 0x2f;
const DOT = 0x2e;
const PERCENT = 0x25;

const UNRESERVED = /^[A-Za-z0-9\-._~]$/;
// Characters that RFC 3986 allows unescaped in a path, except `;`: some servers cut off parameters there.
const PATH_CHARACTER = /^[A-Za-z0-9\-._~!$&'()*+,=:@/]$/;
const QUERY_REFUSED = /[^\x21-\x22\x24-\x7e]/;
const HEX_PAIR = /^[0-9A-Fa-f]{2}$/;
// Some servers trim a segment before they check for dot segments.
const SPACED_DOTS = /\/(?:%20)*\.(?:\.|%20)*(?=\/|$)/;
// Decoding it twice would yield another escape.
const ESCAPED_ESCAPE = /%25[0-9A-Fa-f]{2}/;

const PLAIN = Uint8Array.from({ length: 128 }, (_, code) =>
  Number(PATH_CHARACTER.test(String.fromCharCode(code))),
);

/**
 * Returns undefined if the target could be read in more than one way. `*` is refused too, because it cannot be
 * forwarded.
 */
export function canonicalPath(target: string): Target | undefined {
  if (target.charCodeAt(0) !== SLASH) return undefined;
  const question = target.indexOf('?');
  const end = question === -1 ? target.length : question;
  if (!isCanonical(target, end)) return undefined;
  if (question === -1) return { path: target, query: '' };
  const query = target.slice(question);
  return QUERY_REFUSED.test(query) ? undefined : { path: target.slice(0, question), query };
}

/** One pass over the path, without allocation unless a character is escaped. */
function isCanonical(target: string, end: number): boolean {
  let segment = 1;
  let escaped = false;
  for (let at = 1; at < end; at++) {
    const code = target.charCodeAt(at);
    if (code === SLASH) {
      if (at === segment || isDots(target, segment, at)) return false;
      segment = at + 1;
    } else if (code === PERCENT) {
      if (!mayBeEscaped(target.slice(at + 1, at + 3))) return false;
      escaped = true;
    } else if (PLAIN[code] !== 1) return false;
  }
  if (isDots(target, segment, end)) return false;
  return !escaped || isWellEscaped(target.slice(0, end));
}

function isDots(target: string, from: number, to: number): boolean {
  if (to - from === 1) return target.charCodeAt(from) === DOT;
  return to - from === 2 && target.charCodeAt(from) === DOT && target.charCodeAt(from + 1) === DOT;
}

/** Unreserved characters must not be escaped. Separators and control characters must not occur escaped. */
function mayBeEscaped(hex: string): boolean {
  if (!HEX_PAIR.test(hex)) return false;
  const code = Number.parseInt(hex, 16);
  if (code < 0x20 || code === 0x7f) return false;
  const character = String.fromCharCode(code);
  return !UNRESERVED.test(character) && character !== '/' && character !== '\\' && character !== ';';
}

function isWellEscaped(path: string): boolean {
  if (ESCAPED_ESCAPE.test(path) || SPACED_DOTS.test(path)) return false;
  try {
    // Throws if the bytes are not UTF-8, which includes overlong forms of `/` and `.`.
    decodeURIComponent(path);
    return true;
  } catch {
    return false;
  }
}
