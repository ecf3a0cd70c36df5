/** A case of the corpus: bytes sent on a connection, and everything that must result. */
import type { ErrorCode } from '../../src/errors/catalogue.js';

export interface Case {
  readonly title: string;
  /** latin1: one character, one byte. */
  readonly bytes: string;
  /** In order: error codes of the gateway, or statuses of the upstream. */
  readonly answers: readonly (ErrorCode | number)[];
  /** What the upstream logged: method, target, and the body if there was one. */
  readonly received: readonly string[];
  /** The charge, in units of the quota. */
  readonly units: number;
  /**
   * What happens to a valid request sent right after it. `none`: no request is sent after it, because the bytes are an incomplete
   * request; the gateway closes the connection, or the client closes it after the response.
   */
  readonly behind: 'served' | 'dropped' | 'none';
  /** Headers of the first forwarded request; undefined: the header must be missing. */
  readonly fields?: Readonly<Record<string, string | undefined>>;
  /** Headers of the first response. */
  readonly answerFields?: Readonly<Record<string, string | undefined>>;
}

type Requests = Readonly<Record<string, string>>;

/** Refused; the connection stays open. */
export const refused = (code: ErrorCode, requests: Requests): Case[] => without(code, requests, 'served');

/** Refused, and the connection closes: the bytes after it may belong to it. */
export const ended = (code: ErrorCode, requests: Requests): Case[] => without(code, requests, 'dropped');

/** Refused: the bytes are an incomplete request. */
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

/** Answered by the upstream, with 200 by default. */
export function served(title: string, one: Served): Case {
  return { title, answers: one.received.map(() => 200), behind: 'served', ...one };
}

export const ANA = 'x-quota-org: acme\r\nx-quota-user: ana';
export const HOST = 'host: gateway';

/** The lines, each with its line end, and an empty line. */
export function lines(...all: readonly string[]): string {
  return [...all, '', ''].join('\r\n');
}

/** A request with an identity. */
export function get(target: string, ...fields: readonly string[]): string {
  return lines(`GET ${target} HTTP/1.1`, HOST, ANA, ...fields);
}

/** A request without an identity. */
export function anonymous(target: string, ...fields: readonly string[]): string {
  return lines(`GET ${target} HTTP/1.1`, HOST, ...fields);
}

export function post(target: string, body: string, ...fields: readonly string[]): string {
  return lines(`POST ${target} HTTP/1.1`, HOST, ANA, `content-length: ${body.length}`, ...fields) + body;
}

/** `body` is already chunked. */
export function chunked(target: string, body: string, ...fields: readonly string[]): string {
  return lines(`POST ${target} HTTP/1.1`, HOST, ANA, 'transfer-encoding: chunked', ...fields) + body;
}

export const CHUNKS = '5\r\nhello\r\n0\r\n\r\n';
