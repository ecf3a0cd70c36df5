/** The org's own fields in a draft. */
import type { Change, Table } from '../../ledger/port.js';
import type { OrgView } from '../../ledger/view/org-view.js';
import { type OrgDefinition, orgChanges } from '../orgs/definition.js';
import type { Draft } from './draft.js';

/** Tables that a draft reads, whole. */
export const TABLES: readonly Table[] = ['groups', 'members', 'records', 'limits'];

export function changeOfOrg(draft: Draft, view: OrgView, after: OrgDefinition): Change[] {
  const changes = orgChanges(view, after);
  const before = { name: view.name, seats: view.seats, cycle: view.rule };
  if (changes.length > 0) draft.note('org.change', 'org', { from: shownOrg(before), to: shownOrg(after) });
  return changes;
}

export function shownOrg({ name, seats, cycle }: OrgDefinition) {
  return { name, seats: seats ?? null, cycle };
}
