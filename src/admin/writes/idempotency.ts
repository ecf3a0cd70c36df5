/**
 * `Idempotency-Key`: a POST that is sent again within 24 hours has its effect once and gets the first answer. The answer is
 * kept by the commit that has the effect, so that neither is there without the other. Refused requests keep nothing.
 */
import { createHash } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ProblemError } from '../../errors/catalogue.js';
import { encodeRequest, isRequestForgotten, requestIn } from '../../ledger/codec.js';
import type { Change, Want } from '../../ledger/port.js';
import { invalid } from '../http/problems.js';

const KEY = /^[\x21-\x7e]{1,255}$/;

/** A request with an `Idempotency-Key`. */
export interface Once {
  /** By caller and key: one caller never meets the keys of another. */
  readonly field: string;
  /** Hash of method, URL and body. A route that streams its body adds the body's hash. */
  fingerprint: string;
  /** Set where the first answer is given again. */
  replayed: boolean;
}

interface Kept {
  readonly fingerprint: string;
  readonly answer: unknown;
}

/** Undefined without the header; other methods are repeatable without it. */
function onceOf(request: FastifyRequest): Once | undefined {
  const { method, url, body, headers, access, routeOptions } = request;
  const key = headers['idempotency-key'];
  if (key === undefined || method !== 'POST') return undefined;
  if (routeOptions.config.endpoint?.rule.reach === 'none')
    throw invalid('idempotency-key', 'is not possible here: a repetition has no effect of its own');
  if (typeof key !== 'string' || !KEY.test(key))
    throw invalid('idempotency-key', 'must be 1 to 255 visible ASCII characters');
  return { field: hashOf(access.who, key), fingerprint: hashOf(url, bodyText(body)), replayed: false };
}

function hashOf(...parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url');
}

/** A stream is not read here. */
function bodyText(body: unknown): string {
  const isStream = typeof body === 'object' && body !== null && 'pipe' in body;
  return isStream || body === undefined ? '' : JSON.stringify(body);
}

/** Hooks of every route: read the header before the handler, and mark answers that are given again. */
export async function readOnce(request: FastifyRequest): Promise<void> {
  request.once = onceOf(request);
}

export async function markReplay({ once }: FastifyRequest, reply: FastifyReply): Promise<void> {
  if (once?.replayed === true) reply.header('idempotency-replayed', 'true');
}

/** What to read to find the first answer. */
export function onceWant({ field }: Once): Want {
  return { table: 'requests', fields: [field] };
}

/** The first answer; undefined if the request is new. Throws where the key belongs to another request. */
export function keptAnswer(
  once: Once,
  text: string | null | undefined,
  now: number,
): { answer: unknown } | undefined {
  if (text === null || text === undefined || isRequestForgotten(text, now)) return undefined;
  const { fingerprint, answer } = JSON.parse(requestIn(text)) as Kept;
  ofRepetition(once, fingerprint);
  return { answer: answer ?? undefined };
}

/** Keeps the answer, in the commit of its effect. */
export function keepAnswer({ field, fingerprint }: Once, now: number, answer: unknown): Change {
  const kept: Kept = { fingerprint, answer: answer ?? null };
  return { set: 'requests', field, value: encodeRequest(now, JSON.stringify(kept)) };
}

/** For answers that the ledger keeps by itself: throws where the first request, with this fingerprint, was another one. */
export function ofRepetition(once: Once | undefined, fingerprint: string): void {
  if (once === undefined) return;
  if (fingerprint !== once.fingerprint)
    throw new ProblemError('idempotency-key-reused', 'The Idempotency-Key was sent with another request');
  once.replayed = true;
}
