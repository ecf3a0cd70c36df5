/**
 * The one form of a request target that is matched and forwarded. Nothing is normalized: two programs that do it
 * differently see two paths, and the cheaper one would be priced. A target is canonical as it stands, or refused.
 */

/** `path + query` is the target again. */
export interface Target {
  readonly path: string;
  /** With its `?`; '' where there is none. */
  readonly query: string;
}

const SLASH = 0x2f;
const DOT = 0x2e;
const PERCENT = 0x25;

const UNRESERVED = /^[A-Za-z0-9\-._~]$/;
// What RFC 3986 allows in a path unescaped, less `;`: servers cut parameters off there.
const PATH_CHARACTER = /^[A-Za-z0-9\-._~!$&'()*+,=:@/]$/;
const QUERY_REFUSED = /[^\x21-\x22\x24-\x7e]/;
const HEX_PAIR = /^[0-9A-Fa-f]{2}$/;
// Some servers trim a segment before they look whether it is one of dots.
const SPACED_DOTS = /\/(?:%20)*\.(?:\.|%20)*(?=\/|$)/;
// A second decoder would find another escape in it.
const ESCAPED_ESCAPE = /%25[0-9A-Fa-f]{2}/;

const PLAIN = Uint8Array.from({ length: 128 }, (_, code) =>
  Number(PATH_CHARACTER.test(String.fromCharCode(code))),
);

/** Undefined: the target could be read in more than one way. `*` is refused too, for it cannot be forwarded. */
export function canonicalPath(target: string): Target | undefined {
  if (target.charCodeAt(0) !== SLASH) return undefined;
  const question = target.indexOf('?');
  const end = question === -1 ? target.length : question;
  if (!isCanonical(target, end)) return undefined;
  if (question === -1) return { path: target, query: '' };
  const query = target.slice(question);
  return QUERY_REFUSED.test(query) ? undefined : { path: target.slice(0, question), query };
}

/** One pass over the path, without an allocation unless something is escaped. */
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

/** Unreserved characters have one spelling only; separators and control characters none that is escaped. */
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
    // Throws on what is not UTF-8: overlong forms of `/` and `.` among it.
    decodeURIComponent(path);
    return true;
  } catch {
    return false;
  }
}
