/** The errors for callers whom the ledger does not admit, independent of limits. */
import { ProblemError } from '../errors/catalogue.js';
import type { Denied } from '../ledger/port.js';

const INVALID_KEY = 'The API key is not valid.';

interface Caller {
  readonly org: string;
  /** '' for the holder of an API key. */
  readonly userId: string;
}

export function denial({ reason, groups = '' }: Denied, { org, userId }: Caller): ProblemError {
  const user = userId === '' ? 'the holder of this API key' : `user "${userId}"`;
  return new ProblemError(codeOf(reason), detailOf(reason, { org: `organization "${org}"`, user, groups }));
}

function codeOf(reason: Denied['reason']): ProblemError['code'] {
  if (reason === 'voided') return 'internal';
  return reason === 'invalid-key' ? 'credential-invalid' : reason;
}

function detailOf(
  reason: Denied['reason'],
  { org, user, groups }: { readonly org: string; readonly user: string; readonly groups: string },
): string {
  switch (reason) {
    case 'unknown-group':
      return `group not found: ${org} has no group ${groups.replaceAll(',', ', ')}`;
    case 'voided':
      return 'the reservation was released before it was made';
    case 'invalid-key':
      return INVALID_KEY;
    case 'no-plan':
      return `${org} has no plan for a quota that this route charges`;
    case 'no-seat':
      return `all seats of ${org} are taken, and ${user} has none`;
    case 'org-archived':
      return `${org} is archived`;
    case 'unknown-user':
      return `user not found: ${org} has no ${user}, and unknown users are denied`;
    case 'inactive-user':
      return `${user} of ${org} is inactive or removed`;
    case 'too-many-groups':
      return `${user} of ${org} is in more than 64 groups`;
  }
}

/** Rethrows. The caller invented the key, so the response must not reveal which orgs exist. */
export function hideOrg(error: unknown): never {
  if (error instanceof ProblemError && error.code === 'unknown-org')
    throw new ProblemError('credential-invalid', INVALID_KEY);
  throw error;
}

export function identityMissing(): ProblemError {
  return new ProblemError('identity-missing', 'the request has no credential that names an org and a user');
}
