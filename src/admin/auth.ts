/** Who may use the admin API. The one place: roles and org scopes come in here. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { onRequestHookHandler } from 'fastify';
import { ProblemError } from '../errors/catalogue.js';

const BEARER = /^Bearer +([^\s]+) *$/i;

export function bearerAuth(token: string): onRequestHookHandler {
  const expected = digestOf(token);
  return (request, _reply, done) => {
    const { authorization } = request.headers;
    if (authorization === undefined)
      return done(new ProblemError('token-missing', 'The request has no Authorization header'));
    const [, given] = BEARER.exec(authorization) ?? [];
    if (given === undefined || !timingSafeEqual(digestOf(given), expected))
      return done(new ProblemError('token-invalid', 'The bearer token is not known'));
    request.who = 'admin';
    done();
  };
}

// Digests have one length, so that the comparison tells nothing about the token's.
function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
