/** The errors that follow from the form of an endpoint; a declaration lists only what goes beyond them. */
import { CATALOGUE, type ErrorCode } from '../../errors/catalogue.js';
import { ROLES } from '../access/roles.js';
import { scimStatusOf } from '../scim/errors.js';
import type { Endpoint } from './endpoint.js';

/** Of every request. */
const GENERAL: readonly ErrorCode[] = [
  'request-malformed',
  'headers-too-large',
  'request-timeout',
  'input-invalid',
  'store-unavailable',
  'shutting-down',
  'internal',
];
/** Of every request that needs a token or a session. */
const OF_CALLER: readonly ErrorCode[] = [
  'token-missing',
  'token-invalid',
  'identity-unavailable',
  'session-ended',
  'session-forbidden',
];
/** Of every request to an org: it does not exist, the token does not reach it, or its data is lost. */
const OF_ORG: readonly ErrorCode[] = ['not-found', 'store-lost'];
/** Every write compares `If-Match`, also where nothing can match. */
const OF_WRITE: readonly ErrorCode[] = ['version-stale', 'store-busy', 'body-not-json', 'body-too-large'];
const OF_POST: readonly ErrorCode[] = ['idempotency-key-reused', 'idempotency-key-running'];

export function errorsOf({ method, path, rule, errors }: Endpoint): ErrorCode[] {
  const isWrite = method !== 'GET';
  const isOpen = rule.reach === 'none';
  const inOrg = path.includes('/:org');
  return [
    ...new Set<ErrorCode>([
      ...GENERAL,
      ...(isOpen ? [] : OF_CALLER),
      ...(inOrg ? OF_ORG : []),
      ...(isWrite ? OF_WRITE : []),
      ...(isWrite && inOrg ? (['org-archived'] as const) : []),
      ...(method === 'POST' && !isOpen ? OF_POST : []),
      ...(rule.roles.length < ROLES.length || rule.reach === 'all' ? (['token-forbidden'] as const) : []),
      ...errors,
    ]),
  ];
}

export function statusOf({ media }: Endpoint, code: ErrorCode): number {
  return media === 'scim' ? scimStatusOf(code) : CATALOGUE[code].status;
}
