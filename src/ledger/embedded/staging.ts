/** Stagings in the embedded ledger: the same steps as lua/stage.lua and lua/unstage.lua. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  isStaged,
  STAGED_TABLES,
  STAGING_IDLE_MS,
  type StagedChange,
  type StagedTable,
  type StageOutcome,
  stagedPrefix,
} from '../port.js';
import { readField } from './commit.js';
import type { OrgState } from './org-state.js';

/** Fields that are passed over in one turn of the event loop, and for how many of them one counts that is moved. */
const PASSED_AT_ONCE = 4_096;
const PASSED_FOR_MOVED = 16;

export function beginStaging({ org }: OrgState, now: number): string | undefined {
  if (org.text('staging') !== undefined || stagedPrefix(org.text('state')) !== undefined) return undefined;
  const id = String(org.number('stagings') + 1);
  org.set('stagings', Number(id));
  org.set('staging', id);
  org.set('stagingAt', now);
  return id;
}

interface Piece {
  readonly id: string;
  readonly changes: readonly StagedChange[];
  readonly now: number;
}

export function stage(orgState: OrgState | undefined, { id, changes, now }: Piece): StageOutcome {
  if (orgState === undefined || orgState.org.text('staging') !== id) return 'ended';
  const isSame = ({ table, field, was }: StagedChange): boolean =>
    was === undefined || readField(orgState, table, field) === was;
  if (!changes.every(isSame)) return 'changed';
  for (const { table, field, value } of changes) orgState.table(table).set(`!${id}:${field}`, value);
  orgState.org.set('stagingAt', now);
  return 'ok';
}

interface Ending {
  /** The staging that its owner gives up; '' for none. */
  readonly id: string;
  readonly now: number;
}

export async function endStaging(orgState: OrgState, { id, now }: Ending): Promise<boolean> {
  const begun = beginEnd(orgState, { id, now });
  if (begun === '' || begun === 'alive') return begun === '';
  for (const table of STAGED_TABLES) await moveAll(orgState, table);
  const { org } = orgState;
  if (org.text('state') === begun) org.set('state', 'open');
  if (org.text('staging') === begun)
    for (const field of ['staging', 'stagingAt', 'stagingConflict', 'stagingSeats']) org.delete(field);
  return true;
}

/** What is to be finished; '' for nothing, 'alive' while a staging goes on. */
function beginEnd({ org }: OrgState, { id, now }: Ending): string {
  const state = org.text('state');
  if (state !== undefined && stagedPrefix(state) !== undefined) return state;
  const staging = org.text('staging');
  if (staging === undefined || staging.startsWith('-')) return staging ?? '';
  if (staging !== id && now - org.number('stagingAt') < STAGING_IDLE_MS) return 'alive';
  org.set('staging', `-${staging}`);
  return `-${staging}`;
}

/** Time of the last piece; 1: the staging is to be ended; 0: there is none. */
export function stagingTime({ org }: OrgState): number {
  const isOver =
    stagedPrefix(org.text('state')) !== undefined || org.text('staging')?.startsWith('-') === true;
  return isOver ? 1 : org.number('stagingAt');
}

async function moveAll(orgState: OrgState, table: StagedTable): Promise<void> {
  const fields = orgState.tables.get(table);
  let left = PASSED_AT_ONCE;
  for (const field of fields?.map.keys() ?? []) {
    const isMoved = isStaged(table, field);
    if (isMoved) move(orgState, table, field);
    left -= isMoved ? PASSED_FOR_MOVED : 1;
    if (left > 0) continue;
    await nextTurn();
    left = PASSED_AT_ONCE;
  }
}

/** A field of the staging that is current goes into place; one of a staging that ended is deleted. */
function move(orgState: OrgState, table: StagedTable, staged: string): void {
  const fields = orgState.table(table);
  const { org } = orgState;
  if (staged.startsWith(`!${org.text('staging')}:`)) return;
  const prefix = stagedPrefix(org.text('state'));
  const value = fields.text(staged) ?? '';
  if (prefix !== undefined && staged.startsWith(prefix)) {
    const field = staged.slice(prefix.length);
    if (value === '') fields.delete(field);
    else fields.set(field, value);
  }
  fields.delete(staged);
}
