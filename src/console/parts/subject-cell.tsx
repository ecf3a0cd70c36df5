/** A user, a group or the pool in a table, with a link to its page. */

import { Database, User, Users } from 'lucide-preact';
import type { ComponentChildren } from 'preact';
import { nameOf } from '../api/subjects.js';
import { texts } from '../i18n/index.js';
import { linkToPage } from '../pages.js';
import { useOrg } from '../state/org.js';
import { NamedCell } from '../ui/named-cell.js';

const ICONS = { user: User, group: Users, org: Database } as const;

interface SubjectCellProps {
  readonly scope: 'user' | 'group' | 'org';
  readonly id: string;
  readonly name: string;
  /** Below the name. */
  readonly note?: ComponentChildren;
}

export function SubjectCell({ scope, id, name, note }: SubjectCellProps) {
  const { id: org } = useOrg();
  const { common } = texts.value;
  const Icon = ICONS[scope];
  const href = scope === 'org' ? undefined : linkToPage(scope, { org, [scope]: id });
  const shown = scope === 'org' ? common.pool : nameOf({ id, name });
  return (
    <NamedCell
      icon={<Icon size={18} aria-label={common[scope === 'org' ? 'pool' : scope]} role="img" />}
      name={shown}
      href={href}
      note={note}
    />
  );
}
