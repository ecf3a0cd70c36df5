/**
 * Header fields on their way up and down, as flat arrays: what belongs to one connection stays on it, and what the
 * gateway itself says replaces what others say.
 */
import {
  type DropReason,
  dropReason,
  fateOf,
  foldedName,
  type HeaderPolicy,
  isPassable,
} from '../http/field-names.js';
import type { ForwardJob } from './outcome.js';

interface Field {
  /** In lower case. */
  readonly name: string;
  /** The name as a server reads it that folds separators. */
  readonly plain: string;
  readonly fate: HeaderPolicy;
  /** On a request it is dropped for this reason, unless the upstream's config passes it. */
  readonly dropped: DropReason | undefined;
}

// Names repeat from message to message in a few spellings: looking one up is cheaper than folding its case.
const SPELLINGS_MAX = 1024;
const spellings = new Map<string, Field>();

function fieldOf(spelling: string): Field {
  const known = spellings.get(spelling);
  if (known !== undefined) return known;
  const name = spelling.toLowerCase();
  const plain = foldedName(name);
  const field = { name, plain, fate: fateOf(name), dropped: dropReason(name) };
  // Clients choose names: a flood of new ones must not fill the memory.
  if (spellings.size < SPELLINGS_MAX) spellings.set(spelling, field);
  return field;
}

/** Called with the reason when a field of a client's request is dropped. */
export type OnDropped = (reason: DropReason) => void;

/** What is sent to one upstream beside, and in place of, the client's fields. */
export interface UpstreamFields {
  readonly flat: readonly string[];
  /** Their names: the client's fields that a server could take for them are dropped. */
  readonly names: ReadonlySet<string>;
  /** Lower-case names of the client's fields that are passed although others of their kind are dropped. */
  readonly passed: ReadonlySet<string>;
  readonly onDropped: OnDropped | undefined;
}

/** Throws on fields that are the gateway's to write, and on names to pass that never are. */
export function upstreamFields(
  flat: readonly string[],
  passed: readonly string[] = [],
  onDropped?: OnDropped,
): UpstreamFields {
  const names = flat.filter((_, at) => at % 2 === 0).map((name) => name.toLowerCase());
  const wrong = names.find((name) => !['pass', 'host'].includes(fieldOf(name).fate));
  if (wrong !== undefined) throw new Error(`'${wrong}' cannot be set on requests to an upstream`);
  const useless = passed.find((name) => !isPassable(name));
  if (useless !== undefined) throw new Error(`'${useless}' is not a field that can be passed by config`);
  return { flat, names: new Set(names), passed: new Set(passed), onDropped };
}

export interface RequestHead {
  readonly fields: string[];
  /** A body follows on the client's stream. */
  readonly streams: boolean;
}

/**
 * The head that goes upstream. `Host` is the upstream's own, which undici writes, unless `own` names one. The
 * client's `X-Forwarded-Host` and `-Proto` stand where it sends them: it may be the proxy that ended TLS.
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
    const { plain, fate } = field;
    switch (fate) {
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
        fields.push(spelling, value);
        if (fate === 'forwarded-host') hosted = true;
        else if (fate === 'forwarded-proto') schemed = true;
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

/** What an operator has set for the upstream goes first. */
function pushSet(fields: string[], set: readonly string[], own: UpstreamFields): void {
  for (let at = 0; at + 1 < set.length; at += 2)
    if (!own.names.has(set[at] ?? '')) fields.push(set[at] ?? '', set[at + 1] ?? '');
}

/** Whether these flat fields, lower-case names, name it. */
function isSet(fields: readonly string[] | undefined, name: string): boolean {
  if (fields === undefined) return false;
  for (let at = 0; at < fields.length; at += 2) if (fields[at] === name) return true;
  return false;
}

const PLAIN_CODING = /^[\t ]*(?:chunked|identity)?[\t ]*$/i;

/** Whether an answer's body is coded by more than chunks. */
export function isCoded(raw: readonly Buffer[]): boolean {
  for (let at = 0; at + 1 < raw.length; at += 2) {
    if (raw[at]?.length !== 'transfer-encoding'.length) continue;
    const { fate } = fieldOf(raw[at]?.toString('latin1') ?? '');
    if (fate === 'coding' && !PLAIN_CODING.test(raw[at + 1]?.toString('latin1') ?? '')) return true;
  }
  return false;
}

/** This hop, as `Via` names it (RFC 9110, 7.6.3). */
const VIA = 'quotagate';

/** The fields of the answer to the client; `reshaped`: its body is not as long as the upstream says. Its framing is this connection's own; Node writes it. */
export function responseFields(raw: readonly Buffer[], extra: readonly string[], reshaped = false): string[] {
  const fields: string[] = [];
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const spelling = raw[at]?.toString('latin1') ?? '';
    const { fate } = fieldOf(spelling);
    if (fate === 'drop' || fate === 'coding' || fate === 'ours' || (reshaped && fate === 'length')) continue;
    const value = raw[at + 1]?.toString('latin1') ?? '';
    if (fate !== 'connection') fields.push(spelling, value);
    else if (namesFields(value)) return responseFields(withoutNamed(raw, value), extra, reshaped);
  }
  fields.push('Via', `1.1 ${VIA}`);
  for (const text of extra) fields.push(text);
  return fields;
}

/** The fields behind the answer's body that may stand there: of those that are more than a remark, none. */
export function trailerFields(raw: readonly (Buffer | string)[]): [name: string, value: string][] {
  const fields: [string, string][] = [];
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = textOf(raw[at]);
    if (fieldOf(name).fate === 'pass' && !NEVER_BEHIND.test(name)) fields.push([name, textOf(raw[at + 1])]);
  }
  return fields;
}

// Of a message's head: what says how to read it, who may, and how long.
const NEVER_BEHIND =
  /^(?:content-.*|set-cookie|authorization|www-authenticate|cache-control|vary|age|expires)$/i;

function textOf(part: Buffer | string | undefined): string {
  return typeof part === 'string' ? part : (part?.toString('latin1') ?? '');
}

/** Whether a `Connection` names fields besides its usual options. */
function namesFields(value: string): boolean {
  return value.length !== 0 && !/^(keep-alive|close)$/i.test(value);
}

/** Without that `Connection` and the fields it names, but for those that say where the message ends and goes to. */
function withoutNamed<T extends string | Buffer>(raw: readonly T[], value: string): T[] {
  const named = new Set(value.split(',').map((option) => option.trim().toLowerCase()));
  return raw.filter((_, at) => {
    const { name, fate } = fieldOf(String(raw[at - (at % 2)]));
    if (fate === 'connection') return String(raw[at - (at % 2) + 1]) !== value;
    return fate === 'length' || fate === 'coding' || fate === 'host' || !named.has(name);
  });
}
