/** What a case of the corpus is: bytes on a connection, and all that may come of them. */
import type { ErrorCode } from '../../src/errors/catalogue.js';

export interface Case {
  readonly title: string;
  /** latin1: one character, one byte. */
  readonly bytes: string;
  /** In order: codes of our refusals, or statuses of the upstream. */
  readonly answers: readonly (ErrorCode | number)[];
  /** What the upstream logged: method, target, and the body if there was one. */
  readonly received: readonly string[];
  /** What it cost, in units of the quota. */
  readonly units: number;
  /**
   * What becomes of a sound request that is sent right behind. Or `none`: nothing is sent behind it, for the bytes do not
   * end a request; then the gateway ends the connection, or the client leaves once it was answered.
   */
  readonly behind: 'served' | 'dropped' | 'none';
  /** Fields of the first request that was received; undefined: it has none of that name. */
  readonly fields?: Readonly<Record<string, string | undefined>>;
  /** Fields of the first answer. */
  readonly answerFields?: Readonly<Record<string, string | undefined>>;
}

type Requests = Readonly<Record<string, string>>;

/** Refused, and the connection goes on. */
export const refused = (code: ErrorCode, requests: Requests): Case[] => without(code, requests, 'served');

/** Refused, and the connection ends: what stands behind may be a part of it. */
export const ended = (code: ErrorCode, requests: Requests): Case[] => without(code, requests, 'dropped');

/** The same for bytes that are no whole request. */
export const cut = (code: ErrorCode, requests: Requests): Case[] => without(code, requests, 'none');

function without(code: ErrorCode, requests: Requests, behind: Case['behind']): Case[] {
  return Object.entries(requests).map(([title, bytes]) => ({
    title,
    bytes,
    answers: [code],
    received: [],
    units: 0,
    behind,
  }));
}

type Served = Partial<Case> & Pick<Case, 'bytes' | 'received' | 'units'>;

/** Answered by the upstream, each with 200 unless said otherwise. */
export function served(title: string, one: Served): Case {
  return { title, answers: one.received.map(() => 200), behind: 'served', ...one };
}

export const ANA = 'x-quota-org: acme\r\nx-quota-user: ana';
export const HOST = 'host: gateway';

/** Lines as they are, each ended; a blank one follows. */
export function lines(...all: readonly string[]): string {
  return [...all, '', ''].join('\r\n');
}

/** A request of a caller with a budget. */
export function get(target: string, ...fields: readonly string[]): string {
  return lines(`GET ${target} HTTP/1.1`, HOST, ANA, ...fields);
}

/** A request of nobody. */
export function anonymous(target: string, ...fields: readonly string[]): string {
  return lines(`GET ${target} HTTP/1.1`, HOST, ...fields);
}

export function post(target: string, body: string, ...fields: readonly string[]): string {
  return lines(`POST ${target} HTTP/1.1`, HOST, ANA, `content-length: ${body.length}`, ...fields) + body;
}

/** `body` is in chunks already. */
export function chunked(target: string, body: string, ...fields: readonly string[]): string {
  return lines(`POST ${target} HTTP/1.1`, HOST, ANA, 'transfer-encoding: chunked', ...fields) + body;
}

export const CHUNKS = '5\r\nhello\r\n0\r\n\r\n';
