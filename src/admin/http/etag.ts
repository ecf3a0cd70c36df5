/** ETags hash the content of a resource: a change elsewhere in the org does not make them stale. */
import { createHash } from 'node:crypto';
import { ProblemError } from '../../errors/catalogue.js';
import { invalid } from './problems.js';

const ETAG_LENGTH = 22;

export function etagOf(...parts: readonly (string | undefined)[]): string {
  const digest = createHash('sha256').update(JSON.stringify(parts)).digest('base64url');
  return `"${digest.slice(0, ETAG_LENGTH)}"`;
}

const IF_MATCH = /^ *(\*|(W\/)?"[^"]*"( *, *(W\/)?"[^"]*")*) *$/;

/** Refuses an `If-Match` that is no list of ETags. */
export function checkForm(ifMatch: string | undefined): void {
  if (ifMatch !== undefined && !IF_MATCH.test(ifMatch))
    throw invalid('if-match', 'must be ETags in double quotes, or *');
}

/** Whether a list of ETags has this one. SCIM shows ETags as weak ones; they are compared alike. */
export function matchesEtag(stated: string | undefined, etag: string): boolean {
  const tags = (stated ?? '').split(',').map((one) => one.trim().replace(/^W\//, ''));
  return tags.includes('*') || tags.includes(etag);
}

/** Refuses a write whose `If-Match` names another state; `etag` is undefined if the resource does not exist. */
export function checkMatch(ifMatch: string | undefined, etag: string | undefined): void {
  if (ifMatch === undefined) return;
  if (etag === undefined || !matchesEtag(ifMatch, etag))
    throw new ProblemError('version-stale', 'ETag mismatch: the resource has changed');
}
