/** The string values of a config file: how each is validated and parsed. */
import { isIP } from 'node:net';
import { isPassable } from '../http/field-names.js';
import { parseUnits } from '../quota/units.js';

export interface Address {
  readonly host: string;
  readonly port: number;
}

const ADDRESS = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+)):(\d{1,5})$/;

/** In place of an address: the listener is not opened. */
export const OFF = 'off';

/** `host:port`, IPv6 in brackets; port 0 lets the system choose. */
export function parseAddress(text: string): Address | undefined {
  const [, bracketed, plain, digits] = ADDRESS.exec(text) ?? [];
  const host = bracketed ?? plain;
  const port = Number(digits);
  if (host === undefined || port > 65_535) return undefined;
  if (bracketed !== undefined && isIP(bracketed) !== 6) return undefined;
  return { host, port };
}

/** `host:port`; an IPv6 address in brackets. */
export function formatAddress({ host, port }: Address): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** The address of a server: with a port. */
export function isServerAddress(text: string): boolean {
  return (parseAddress(text)?.port ?? 0) > 0;
}

/** A host name or an IP address, without a port. */
export function isHost(text: string): boolean {
  return isIP(text) !== 0 || /^[A-Za-z0-9]([A-Za-z0-9.-]{0,252}[A-Za-z0-9])?$/.test(text);
}

const PEER = /^([0-9A-Fa-f:.]+)(?:\/(\d{1,3}))?$/;

/** An address or a CIDR range. IPv4-mapped IPv6 is refused: such peers are identified by their IPv4 address. */
export function isPeer(text: string): boolean {
  const [, address = '', bits = '0'] = PEER.exec(text) ?? [];
  const version = isIP(address);
  if (version === 0 || /^::ffff:\d+\./i.test(address)) return false;
  return Number(bits) <= (version === 4 ? 32 : 128);
}

const STATUSES = /^([1-5]\d\d)(?:-([1-5]\d\d))?$/;

/** First and last status of `404` or `200-299`. */
export function parseStatuses(text: string | number): readonly [first: number, last: number] | undefined {
  const [, first, last = first] = STATUSES.exec(String(text)) ?? [];
  if (first === undefined || Number(first) > Number(last)) return undefined;
  return [Number(first), Number(last)];
}

const HEADER_NAME = /^[a-z0-9][a-z0-9-]{0,127}$/;

/** Names that HTTP itself uses: they cannot carry an identity or a cost. */
const HTTP_OWN = new Set([
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'expect',
  'host',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Lower case, and no underscore: proxies drop or merge such names. */
export function isHeaderName(text: string): boolean {
  return HEADER_NAME.test(text) && !HTTP_OWN.has(text);
}

/** Names that the gateway sets itself on requests to an upstream. */
const OURS =
  /^(?:proxy-.*|via|x-forwarded-(?:for|host|proto)|ratelimit(?:-policy)?|quotagate-(?:error|mode))$/;

/** `Host`, and every header that neither HTTP nor the gateway sets. */
export function isSetHeader(text: string): boolean {
  return text === 'host' || (isHeaderName(text) && !OURS.test(text));
}

const FIELD_NAME = /^[a-z0-9!#$%&'*+.^_`|~-]{1,128}$/;

/** Lower case; dropped by default, but allowed to pass. */
export function isPassHeader(text: string): boolean {
  return FIELD_NAME.test(text) && isPassable(text);
}

/** Valid characters of a header value: visible characters, with spaces and tabs between them. */
export function isFieldValue(text: string): boolean {
  return /^[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?$/.test(text);
}

export function isVariable(text: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(text);
}

export function isWebUrl(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  // A password in the URL would appear in logs, and fetch refuses it.
  return url !== undefined && /^https?:$/.test(url.protocol) && url.username + url.password === '';
}

/** Algorithms with a shared secret, and those with public keys. */
export const SECRET_ALGORITHMS = ['HS256', 'HS384', 'HS512'] as const;
export const PUBLIC_ALGORITHMS = [
  ...(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'] as const),
  ...(['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'] as const),
] as const;

/** The literal name of a claim (many are URLs), or a JSON pointer into one. */
export function isClaimPlace(text: string): boolean {
  return text.length > 0 && text.length <= 200 && (!text.startsWith('/') || isJsonPointer(text));
}

/** Scheme, host and port only, or a socket: the matched path is forwarded. */
export function isOrigin(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || /[?#]/.test(text)) return false;
  if (url.protocol === 'unix:') return isSocket(url);
  return /^https?:$/.test(url.protocol) && `${url.origin}/` === url.href;
}

function isSocket({ host, pathname }: URL): boolean {
  return host === '' && pathname.length > 1;
}

export function isRedisUrl(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  // The client would read options from a query and override those that the ledger relies on.
  if (url === undefined || url.hash !== '' || url.search !== '') return false;
  if (url.protocol === 'unix:') return isSocket(url);
  return /^rediss?:$/.test(url.protocol) && url.hostname !== '';
}

/** Checks the form only. */
export function isEmail(text: string): boolean {
  return text.length <= 254 && /^[^\s@<>",;]+@[^\s@<>",;]+$/.test(text);
}

const POINTER = /^(?:\/(?:[^~/]|~[01])*)*$/;

/** RFC 6901; the empty pointer is the whole document. */
export function isJsonPointer(text: string): boolean {
  return POINTER.test(text);
}

/** A plain decimal amount; its decimals are checked against the quota in the cross-checks. */
export function isAmount(amount: string | number): boolean {
  return parseUnits(amount, 0, true) !== undefined;
}

export function isPositiveAmount(amount: string | number): boolean {
  const units = parseUnits(amount, 0, true);
  return units !== undefined && units > 0;
}

/** 20 % is 2,000,000 ten-millionths, so a percent has at most five decimals. */
export const PERCENT_DECIMALS = 5;

export function isPercent(amount: string | number): boolean {
  const share = parseUnits(amount, PERCENT_DECIMALS);
  return share !== undefined && share > 0 && share <= 100 * 10 ** PERCENT_DECIMALS;
}
