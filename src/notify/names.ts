/** Names of the subjects of notices. */
import { decodeGroup } from '../ledger/codec.js';
import { type OrgView, textIn } from '../ledger/view/org-view.js';
import type { Scope } from '../quota/id.js';

interface Named {
  readonly scope: Scope;
  /** User key or group id. */
  readonly subject: string;
}

/** What to read for `nameIn`. */
export function namesOf(queued: readonly Named[]) {
  const subjects = (scope: Scope) => [
    ...new Set(queued.filter((one) => one.scope === scope).map(({ subject }) => subject)),
  ];
  return [
    { table: 'records', fields: subjects('user').map((user) => `user:${user}`) },
    { table: 'groups', fields: subjects('group') },
  ] as const;
}

export function nameIn({ tables, name }: OrgView) {
  return (scope: Scope, subject: string): string => {
    if (scope === 'org') return name;
    if (scope === 'group') {
      const group = textIn(tables, 'groups', subject);
      return group === undefined ? '' : decodeGroup(group).name;
    }
    const profile = textIn(tables, 'records', `user:${subject}`);
    return profile === undefined ? '' : ((JSON.parse(profile) as { readonly name?: string }).name ?? '');
  };
}
