/** Reads and changes of an org's directory, in one step each. */
import { type Commit, type Expectation, isStagedTable, stagedPrefix, type Table } from '../port.js';
import type { OrgState } from './org-state.js';

/** The field's value, or the one that the current staging has for it. */
export function readField(orgState: OrgState | undefined, table: Table, field: string): string | null {
  if (orgState === undefined) return null;
  if (isStagedTable(table)) return orgState.directory(table, field) ?? null;
  return orgState.tables.get(table)?.text(field) ?? null;
}

/** Whether the org, undefined if there is none, is still as the commit expects. */
export function accepts(orgState: OrgState | undefined, commit: Commit): boolean {
  const version = orgState?.org.number('version') ?? 0;
  if (commit.version === undefined ? version === 0 : version !== commit.version) return false;
  const state = orgState?.org.text('state');
  if (stagedPrefix(state) !== undefined) return false;
  if (commit.staging !== undefined && !canSwitch(orgState, commit.staging)) return false;
  return (commit.expects ?? []).every((one) => isAsExpected(orgState, one)) && commit.changes.every(fits);

  function fits(change: Commit['changes'][number]): boolean {
    if ('incr' in change) {
      const present = Number(readField(orgState, change.incr, change.field) ?? 0);
      return change.most === undefined || present <= change.most - change.by;
    }
    const table = 'set' in change ? change.set : change.del;
    return change.was === undefined || readField(orgState, table, change.field) === change.was;
  }
}

function isAsExpected(orgState: OrgState | undefined, { table, fields, values }: Expectation): boolean {
  return fields.every((field, index) => readField(orgState, table, field) === (values[index] ?? null));
}

function canSwitch(orgState: OrgState | undefined, id: string): boolean {
  const { org } = orgState ?? {};
  return (
    org?.text('staging') === id &&
    org.text('stagingConflict') === undefined &&
    org.text('state') !== 'archived'
  );
}

export function makeChanges(orgState: OrgState, { changes, staging }: Commit): void {
  const { org } = orgState;
  const other = staging === undefined ? org.text('staging') : undefined;
  let isLimitsChanged = staging !== undefined;
  for (const change of changes) {
    const table = 'set' in change ? change.set : 'del' in change ? change.del : change.incr;
    const fields = orgState.table(table);
    if (table === 'limits') isLimitsChanged = true;
    // A staging that writes the same field must not undo this change.
    if (other !== undefined && fields.map.has(`!${other}:${change.field}`)) org.set('stagingConflict', 1);
    if ('set' in change) fields.set(change.field, change.value);
    else if ('del' in change) fields.delete(change.field);
    else fields.set(change.field, fields.number(change.field) + change.by);
  }
  if (staging !== undefined) switchTo(orgState, staging);
  if (isLimitsChanged) org.set('limitsVersion', org.number('limitsVersion') + 1);
}

function switchTo({ org }: OrgState, id: string): void {
  // Users of the staging whom a call registered meanwhile have taken their seats already.
  if (org.text('stagingSeats') !== undefined)
    org.set('seatsUsed', org.number('seatsUsed') + org.number('stagingSeats'));
  for (const field of ['staging', 'stagingAt', 'stagingSeats']) org.delete(field);
  org.set('state', `open:${id}`);
  org.set('switches', org.number('switches') + 1);
}
