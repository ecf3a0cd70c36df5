/** Validates the groups that a credential claims, for all kinds of credentials. */
import { ProblemError } from '../errors/catalogue.js';
import { GROUPS_MAX } from '../quota/charge.js';
import { isName } from '../quota/id.js';

/**
 * Returns the ids, each once, comma-separated; `refuse` creates the error for an invalid id. A list above the maximum
 * is refused, not truncated.
 */
export function groupClaims(
  groups: readonly unknown[],
  where: string,
  refuse: (detail: string) => ProblemError,
): string {
  const each = new Set<string>();
  for (const group of groups) {
    if (typeof group !== 'string' || !isName(group)) throw refuse(`${where} contains an invalid group id.`);
    each.add(group);
  }
  if (each.size > GROUPS_MAX) {
    const detail = `${where} names ${each.size} groups; the maximum is ${GROUPS_MAX}.`;
    throw new ProblemError('too-many-groups', detail);
  }
  return [...each].join(',');
}
