/** The cookie of a console session. Only the console's own pages may use it: another page's requests are refused. */
import type { IncomingHttpHeaders } from 'node:http';
import { SESSION_COOKIE } from '../../http/field-names.js';

/** `qgs_<session>_<secret>_<token>`: the token is read together with the session. */
const VALUE = /^qgs_([A-Za-z0-9]{8,64})_([A-Za-z0-9]{16,128})_([A-Za-z0-9]{8,64})$/;

export interface SessionKey {
  readonly id: string;
  readonly secret: string;
  /** Id of the token that the session was opened with. */
  readonly token: string;
}

/** Undefined: the request has no such cookie. '': it has several, and which one is ours is not known. */
export function sessionCookieIn(cookies: string | undefined): string | undefined {
  return cookieIn(cookies, SESSION_COOKIE);
}

/** As `sessionCookieIn`. */
export function cookieIn(cookies: string | undefined, name: string): string | undefined {
  const start = `${name}=`;
  const found = (cookies ?? '')
    .split(';')
    .map((one) => one.trim())
    .filter((one) => one.startsWith(start));
  const [first] = found;
  return found.length > 1 ? '' : first?.slice(start.length);
}

export function sessionKeyIn(value: string): SessionKey | undefined {
  const [, id, secret, token] = VALUE.exec(value) ?? [];
  if (id === undefined || secret === undefined || token === undefined) return undefined;
  return { id, secret, token };
}

/** Not for scripts, and not over plain HTTP. */
export const PRIVATE = 'Path=/; HttpOnly; Secure';
const ATTRIBUTES = `${PRIVATE}; SameSite=Strict`;

export function sessionCookie({ id, secret, token }: SessionKey, lifeMs: number): string {
  const seconds = Math.floor(lifeMs / 1_000);
  return `${SESSION_COOKIE}=qgs_${id}_${secret}_${token}; ${ATTRIBUTES}; Max-Age=${seconds}`;
}

export const NO_SESSION_COOKIE = `${SESSION_COOKIE}=; ${ATTRIBUTES}; Max-Age=0`;

/** `1`: a person did something. `poll`: the page looks by itself, which keeps no session alive. */
const CONSOLE = 'quotagate-console';

/** Other pages cannot add the header without a permission that this server never gives, nor change what the browser states. */
export function isFromConsole(headers: IncomingHttpHeaders): boolean {
  const { host, origin, 'sec-fetch-site': site } = headers;
  if (headers[CONSOLE] !== '1' && headers[CONSOLE] !== 'poll') return false;
  if (site !== undefined) return site === 'same-origin';
  return origin !== undefined && host !== undefined && hostOf(origin) === host.toLowerCase();
}

export function isByPerson(headers: IncomingHttpHeaders): boolean {
  return headers[CONSOLE] === '1';
}

function hostOf(url: string): string | undefined {
  return URL.canParse(url) ? new URL(url).host : undefined;
}

export interface Connection {
  /** The `Origin` of the page; browsers send it with every POST. */
  readonly origin: string | undefined;
  readonly host: string | undefined;
  readonly encrypted: boolean;
  /** `admin.publicUrl`. */
  readonly publicUrl: string | undefined;
}

/** Whether browsers keep the cookie: they drop a `Secure` one of a page over plain HTTP, unless it is on this machine. */
export function keepsCookie({ origin, host, encrypted, publicUrl }: Connection): boolean {
  if (origin !== undefined) return origin.startsWith('https://') || isLoopback(origin);
  return encrypted || isLoopback(`http://${host}`) || publicUrl?.startsWith('https://') === true;
}

const LOOPBACK = /^(localhost|.+\.localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

function isLoopback(url: string): boolean {
  return URL.canParse(url) && LOOPBACK.test(new URL(url).hostname);
}
