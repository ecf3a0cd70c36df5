/**
 * Filters headers in both directions, as flat arrays. Headers of one connection stay on it, and the gateway's own
 * headers replace those of others.
 */
import {
  type DropReason,
  dropReason,
  foldedName,
  type HeaderPolicy,
  headerPolicy,
  isPassable,
  LOGIN_COOKIE,
  SESSION_COOKIE,
} from '../http/field-names.js';
import type { ForwardJob } from './outcome.js';

interface Field {
  /** In lower case. */
  readonly name: string;
  /** The name as read by a server that treats separators as equal. */
  readonly plain: string;
  readonly policy: HeaderPolicy;
  /** Request headers with this value are dropped for this reason, unless the upstream's config passes them. */
  readonly dropped: DropReason | undefined;
}

// Names repeat in a few spellings, and a cache lookup is cheaper than converting the case.
const SPELLINGS_MAX = 1024;
const spellings = new Map<string, Field>();

function fieldOf(spelling: string): Field {
  const known = spellings.get(spelling);
  if (known !== undefined) return known;
  const name = spelling.toLowerCase();
  const plain = foldedName(name);
  const field = { name, plain, policy: headerPolicy(name), dropped: dropReason(name) };
  // Clients choose names, so the cache is limited.
  if (spellings.size < SPELLINGS_MAX) spellings.set(spelling, field);
  return field;
}

/** Called with the reason when a header of a client's request is dropped. */
export type OnDropped = (reason: DropReason) => void;

/** Headers that are added for one upstream, or that replace the client's. */
export interface UpstreamFields {
  readonly flat: readonly string[];
  /** Their names: client headers that a server could read as one of them are dropped. */
  readonly names: ReadonlySet<string>;
  /** Lower-case names of client headers that are passed although others of their kind are dropped. */
  readonly passed: ReadonlySet<string>;
  readonly onDropped: OnDropped | undefined;
}

/** Throws for headers that only the gateway may write, and for names that can never be passed. */
export function upstreamFields(
  flat: readonly string[],
  passed: readonly string[] = [],
  onDropped?: OnDropped,
): UpstreamFields {
  const names = flat.filter((_, at) => at % 2 === 0).map((name) => name.toLowerCase());
  const wrong = names.find((name) => !['pass', 'host', 'cookie'].includes(fieldOf(name).policy));
  if (wrong !== undefined)
    throw new Error(`'${wrong}' must not be set on requests to an upstream: the gateway writes it`);
  const useless = passed.find((name) => !isPassable(name));
  if (useless !== undefined) throw new Error(`'${useless}' is not a header that the config can pass`);
  return { flat, names: new Set(names), passed: new Set(passed), onDropped };
}

export interface RequestHead {
  readonly fields: string[];
  /** The client's stream has a body. */
  readonly streams: boolean;
}

/**
 * Returns the headers for the upstream. undici writes the upstream's own `Host`, unless `own` has one. The client's
 * `X-Forwarded-Host` and `-Proto` are kept if it sends them: it may be the proxy that terminates TLS.
 */
export function requestHead(job: ForwardJob, own: UpstreamFields, raw = job.rawHeaders): RequestHead {
  const fields: string[] = [];
  let length = job.body === undefined ? '' : String(job.body.length);
  let chunked = false;
  let host = '';
  let chain = '';
  let hosted = false;
  let schemed = false;
  let dropped: DropReason[] | undefined;
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const spelling = raw[at] ?? '';
    const value = raw[at + 1] ?? '';
    const field = fieldOf(spelling);
    if (field.dropped !== undefined && !own.passed.has(field.name)) {
      dropped ??= [];
      dropped.push(field.dropped);
      continue;
    }
    const { plain, policy } = field;
    switch (policy) {
      case 'drop':
      case 'ours':
        break;
      case 'connection':
        if (namesFields(value)) return requestHead(job, own, withoutNamed(raw, value));
        break;
      case 'coding':
        chunked = true;
        break;
      case 'length':
        if (job.body === undefined) length = value;
        break;
      case 'host':
        host = value;
        break;
      case 'forwarded-for':
        chain += `${value}, `;
        break;
      default:
        if (job.stripHeaders.has(plain) || own.names.has(plain) || isSet(job.setFields, plain)) break;
        if (policy === 'cookie') pushCookies(fields, spelling, value);
        else fields.push(spelling, value);
        if (policy === 'forwarded-host') hosted = true;
        else if (policy === 'forwarded-proto') schemed = true;
    }
  }
  fields.push('x-forwarded-for', chain + job.clientAddress);
  // HTTP/1.0 needs no Host.
  if (!hosted && host !== '') fields.push('x-forwarded-host', host);
  if (!schemed) fields.push('x-forwarded-proto', 'encrypted' in job.request.socket ? 'https' : 'http');
  fields.push('via', `${job.request.httpVersion} ${VIA}`);
  if (length !== '') fields.push('content-length', length);
  for (const text of own.flat) fields.push(text);
  if (job.setFields !== undefined) pushSet(fields, job.setFields, own);
  if (dropped !== undefined && own.onDropped !== undefined)
    for (const reason of dropped) own.onDropped(reason);
  return { fields, streams: job.body === undefined && (chunked || Number(length) > 0) };
}

const OUR_COOKIES = [SESSION_COOKIE, LOGIN_COOKIE];

/** All cookies but the console's: it is for the admin API only. */
function pushCookies(fields: string[], spelling: string, value: string): void {
  const kept = value.includes(SESSION_COOKIE) ? withoutSession(value) : value;
  if (kept !== '') fields.push(spelling, kept);
}

function withoutSession(value: string): string {
  const isOurs = (one: string): boolean => OUR_COOKIES.some((name) => one.trimStart().startsWith(`${name}=`));
  const kept = value.split(';').filter((one) => !isOurs(one));
  return kept.join(';').trim();
}

/** Headers that the operator sets for the upstream come first. */
function pushSet(fields: string[], set: readonly string[], own: UpstreamFields): void {
  for (let at = 0; at + 1 < set.length; at += 2)
    if (!own.names.has(set[at] ?? '')) fields.push(set[at] ?? '', set[at + 1] ?? '');
}

/** Returns whether these flat headers, with lower-case names, contain it. */
function isSet(fields: readonly string[] | undefined, name: string): boolean {
  if (fields === undefined) return false;
  for (let at = 0; at < fields.length; at += 2) if (fields[at] === name) return true;
  return false;
}

const PLAIN_CODING = /^[\t ]*(?:chunked|identity)?[\t ]*$/i;

/** Returns whether a response's body has a transfer coding other than chunked. */
export function isCoded(raw: readonly Buffer[]): boolean {
  for (let at = 0; at + 1 < raw.length; at += 2) {
    if (raw[at]?.length !== 'transfer-encoding'.length) continue;
    const { policy } = fieldOf(raw[at]?.toString('latin1') ?? '');
    if (policy === 'coding' && !PLAIN_CODING.test(raw[at + 1]?.toString('latin1') ?? '')) return true;
  }
  return false;
}

/** This hop in `Via` (RFC 9110, 7.6.3). */
const VIA = 'quotagate';

/**
 * Returns the headers of the response to the client. `reshaped`: the body's length differs from the upstream's
 * Content-Length. Node writes the framing of this connection.
 */
export function responseFields(raw: readonly Buffer[], extra: readonly string[], reshaped = false): string[] {
  const fields: string[] = [];
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const spelling = raw[at]?.toString('latin1') ?? '';
    const { policy } = fieldOf(spelling);
    if (policy === 'drop' || policy === 'coding' || policy === 'ours' || (reshaped && policy === 'length'))
      continue;
    const value = raw[at + 1]?.toString('latin1') ?? '';
    if (policy !== 'connection') fields.push(spelling, value);
    else if (namesFields(value)) return responseFields(withoutNamed(raw, value), extra, reshaped);
  }
  fields.push('Via', `1.1 ${VIA}`);
  for (const text of extra) fields.push(text);
  return fields;
}

/** Returns the trailers that may follow the body: none that affect framing, authentication or processing. */
export function trailerFields(raw: readonly (Buffer | string)[]): [name: string, value: string][] {
  const fields: [string, string][] = [];
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = textOf(raw[at]);
    if (fieldOf(name).policy === 'pass' && !NEVER_BEHIND.test(name)) fields.push([name, textOf(raw[at + 1])]);
  }
  return fields;
}

// Headers that say how to read a message, who may read it, and how long it is.
const NEVER_BEHIND =
  /^(?:content-.*|set-cookie|authorization|www-authenticate|cache-control|vary|age|expires)$/i;

function textOf(part: Buffer | string | undefined): string {
  return typeof part === 'string' ? part : (part?.toString('latin1') ?? '');
}

/** Returns whether a `Connection` header names headers besides its usual options. */
function namesFields(value: string): boolean {
  return value.length !== 0 && !/^(keep-alive|close)$/i.test(value);
}

/** Removes that `Connection` and the headers it names, except those that define the message's length and target. */
function withoutNamed<T extends string | Buffer>(raw: readonly T[], value: string): T[] {
  const named = new Set(value.split(',').map((option) => option.trim().toLowerCase()));
  return raw.filter((_, at) => {
    const { name, policy } = fieldOf(String(raw[at - (at % 2)]));
    if (policy === 'connection') return String(raw[at - (at % 2) + 1]) !== value;
    return policy === 'length' || policy === 'coding' || policy === 'host' || !named.has(name);
  });
}
