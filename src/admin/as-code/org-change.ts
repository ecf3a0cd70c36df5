/** The draft of an org that exists, and the org's own fields in it. */
import type { Change, Table } from '../../ledger/port.js';
import type { OrgView, Tables } from '../../ledger/view/org-view.js';
import { rearm } from '../limits/limit-view.js';
import { endAfter, type OrgDefinition, orgChanges } from '../orgs/definition.js';
import { planEntry } from '../plans/history.js';
import type { WriteContext } from '../writes/change.js';
import { Draft } from './draft.js';

/** Tables that a draft and an export read, whole. */
export const TABLES: readonly Table[] = ['groups', 'members', 'records', 'limits', 'notices'];

export async function readTables(scan: (table: Table) => Promise<Map<string, string>>): Promise<Tables> {
  const scanned = await Promise.all(TABLES.map(scan));
  return new Map(TABLES.map((table, index) => [table, scanned[index] ?? new Map<string, string>()]));
}

interface Stated {
  /** The org's own fields after the change. */
  readonly after: OrgDefinition;
  readonly author: Pick<WriteContext, 'who' | 'reason'>;
}

export function draftOf(view: OrgView, tables: Tables, { after, author }: Stated): Draft {
  const { quotas, now, pools, seatsUsed } = view;
  return new Draft({
    ...{ quotas, now, pools, seatsUsed, tables },
    nextStart: endAfter(view, after.cycle),
    rearm: (field) => rearm(view, field),
    planEntry: (plan) => planEntry(view, author, plan),
  });
}

export function changeOfOrg(draft: Draft, view: OrgView, after: OrgDefinition): Change[] {
  const changes = orgChanges(view, after);
  const before = { name: view.name, seats: view.seats, cycle: view.rule };
  if (changes.length > 0) draft.note('org.change', 'org', { from: shownOrg(before), to: shownOrg(after) });
  return changes;
}

export function shownOrg({ name, seats, cycle }: OrgDefinition) {
  return { name, seats: seats ?? null, cycle };
}
