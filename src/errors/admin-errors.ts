/** The errors of the admin API; the gateway returns some of them too. */
import { entry } from './entry.js';

export const ADMIN_ERRORS = {
  'token-missing': entry(
    401,
    'Admin token missing',
    'The admin API was called without a bearer token.',
    'Send Authorization: Bearer <token>.',
  ),
  'token-invalid': entry(
    401,
    'The admin token is not valid',
    'The token is unknown, expired or deleted.',
    'Check the token, or create a new one.',
  ),
  'session-ended': entry(
    401,
    'The session has ended',
    'The console’s session was idle for too long, is over, was ended, or its token was revoked.',
    'Log in again.',
  ),
  'session-forbidden': entry(
    403,
    'Not a request of the console',
    'The request has the console’s cookie, but does not come from the console’s own page.',
    'Use the console, or send a token in the Authorization header.',
  ),
  'login-code-invalid': entry(
    401,
    'The login code is not valid',
    'A login code can be used once, within five minutes, at the process that made it.',
    'Log in with a token, or get a new code.',
  ),
  'login-insecure': entry(
    403,
    'No login over plain HTTP',
    'Browsers keep the console’s cookie only over TLS, or on localhost.',
    'Open the console over https or on localhost, or set server.adminTls, or admin.publicUrl where a proxy ends TLS.',
  ),
  'token-forbidden': entry(
    403,
    'The admin token is not permitted to do this',
    'The token’s role does not allow it, or it requires a token over all organizations.',
    'Use a token with the required role.',
  ),
  'method-not-allowed': entry(
    405,
    'Method not allowed',
    'The path exists, but not with this method. The Allow field lists the allowed methods.',
    'Use a method from the Allow field.',
  ),
  'not-found': entry(
    404,
    'Not found',
    'Nothing exists under this path, or the token may not see it.',
    'Check the path and the ids in it.',
  ),
  'input-invalid': entry(
    422,
    'The input is not valid',
    'A field is missing, of the wrong type or out of bounds.',
    'Fix the listed fields.',
  ),
  'body-not-json': entry(
    415,
    'The body is not JSON',
    'The admin API accepts application/json only.',
    'Send Content-Type: application/json.',
  ),
  'limit-exists': entry(
    409,
    'The limit already exists',
    'A subject has at most one limit per quota.',
    'Change or delete the existing limit.',
  ),
  'already-exists': entry(
    409,
    'The id is taken',
    'An object with this id exists or existed: ids are not reused.',
    'Use another id.',
  ),
  'seats-taken': entry(
    409,
    'All seats are taken',
    'Active users take all seats.',
    'Free a seat or add seats.',
  ),
  'version-stale': entry(
    412,
    'ETag mismatch: the resource has changed',
    'If-Match names an older version of the resource.',
    'Read the resource again and repeat the change.',
  ),
  'idempotency-key-reused': entry(
    422,
    'The Idempotency-Key belongs to another request',
    'A request with another URL or body was sent with this Idempotency-Key in the last 24 hours.',
    'Send a new key for a new request, and the same body with the same key.',
  ),
  'idempotency-key-running': entry(
    409,
    'The first request with this Idempotency-Key is still running',
    'A request was repeated before the first one was answered.',
    'Repeat it after a second: it then gets the first answer.',
  ),
  'store-busy': entry(
    503,
    'Too many concurrent changes',
    'Other changes of the same organization were committed first, repeatedly.',
    'Try again.',
  ),
  internal: entry(
    500,
    'Internal error',
    'A fault in quotagate or in its deployment.',
    'Give the request id to the operator.',
  ),
} as const;
