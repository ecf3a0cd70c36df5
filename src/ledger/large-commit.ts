/**
 * Commits of any size. A small one is one step of the store. A large one is staged in pieces and switched in one step, so
 * that no step is long and decisions never wait (port.ts: **Stagings**).
 */
import { setTimeout as wait } from 'node:timers/promises';
import {
  type Change,
  type Commit,
  isStagedTable,
  type OrgStore,
  type Snapshot,
  STAGING_IDLE_MS,
  type StagedChange,
  type Want,
} from './port.js';

/** Changes of one step: below a millisecond. */
const CHANGES_MAX = 250;
/** Fields of one piece, each compared first: below half a millisecond. */
const PIECE_MAX = 100;

/** How long a large commit waits for the staging of another one, and how often it looks. */
const WAIT_MS = 15_000;
const LOOK_MS = 50;
const VISIT_LATER_MS = 1_000;

type LargeStore = Pick<
  OrgStore,
  'commit' | 'read' | 'beginStaging' | 'stage' | 'endStaging' | 'clock' | 'schedule'
>;

/** As `OrgStore.commit`, for any number of changes. */
export async function commitAll(
  ledger: LargeStore,
  org: string,
  commit: Commit,
): Promise<Snapshot | undefined> {
  if (commit.changes.length <= CHANGES_MAX) return ledger.commit(org, commit);
  const parts = partsOf(commit.changes);
  const later = await presentFields(ledger, org, parts.later);
  const id = await begin(ledger, org);
  if (id === undefined) return undefined;
  // If this process is killed, maintenance ends the staging.
  const at = (await ledger.clock()) + STAGING_IDLE_MS + VISIT_LATER_MS;
  await ledger.schedule('visit', [{ org, at }]);
  const snapshot = await stageAndSwitch(ledger, org, { id, commit, parts }).catch(async (error: unknown) => {
    await ledger.endStaging(org, id).catch(() => undefined);
    throw error;
  });
  // Moves the staged fields into place, or deletes them where the switch was refused.
  await ledger.endStaging(org, id);
  if (snapshot !== undefined) await deleteFields(ledger, org, later);
  return snapshot;
}

type Delete = Extract<Change, { del: unknown }>;

interface Parts {
  readonly staged: readonly StagedChange[];
  /** Made by the switch: fields of the org and other tables that are not staged, and sums. */
  readonly switched: readonly Change[];
  /** Made after the switch: deletes of marks of notices, which name the cap that they are about. */
  readonly later: readonly Delete[];
}

/** Tables of counters hold the marks of notices. */
const COUNTERS = 'consumed:';

function partsOf(changes: readonly Change[]): Parts {
  const staged = new Map<string, StagedChange>();
  const sums = new Map<string, Extract<Change, { incr: unknown }>>();
  const [switched, later]: [Change[], Delete[]] = [[], []];
  for (const change of changes) {
    const { field } = change;
    if ('incr' in change) {
      const key = `${change.incr}/${field}`;
      const by = (sums.get(key)?.by ?? 0) + change.by;
      sums.set(key, { ...change, by });
      continue;
    }
    const table = 'set' in change ? change.set : change.del;
    const value = 'set' in change ? change.value : '';
    if (isStagedTable(table)) staged.set(`${table}/${field}`, { table, field, value, was: change.was });
    else if ('del' in change && table.startsWith(COUNTERS)) later.push(change);
    else switched.push(change);
  }
  return { staged: [...staged.values()], switched: [...switched, ...sums.values()], later };
}

async function begin(ledger: LargeStore, org: string): Promise<string | undefined> {
  for (let waited = 0; waited < WAIT_MS; waited += LOOK_MS) {
    const id = await ledger.beginStaging(org);
    if (id !== undefined) return id;
    await ledger.endStaging(org);
    await wait(LOOK_MS);
  }
  return undefined;
}

interface Staging {
  readonly id: string;
  readonly commit: Commit;
  readonly parts: Parts;
}

async function stageAndSwitch(ledger: LargeStore, org: string, { id, commit, parts }: Staging) {
  for (let from = 0; from < parts.staged.length; from += PIECE_MAX) {
    const piece = parts.staged.slice(from, from + PIECE_MAX);
    if ((await ledger.stage(org, id, piece)) !== 'ok') return undefined;
  }
  return ledger.commit(org, { ...commit, changes: parts.switched, staging: id });
}

/** Of these deletes, those of fields that exist, with their values. */
async function presentFields(ledger: LargeStore, org: string, deletes: readonly Delete[]): Promise<Delete[]> {
  const present: Delete[] = [];
  for (let from = 0; from < deletes.length; from += CHANGES_MAX) {
    const some = deletes.slice(from, from + CHANGES_MAX);
    const { values } = await ledger.read(org, wantsOf(some));
    for (const [index, one] of some.entries()) {
      const was = values[index]?.[0] ?? null;
      if (was !== null) present.push({ ...one, was });
    }
  }
  return present;
}

function wantsOf(deletes: readonly Delete[]): Want[] {
  return deletes.map(({ del, field }) => ({ table: del, fields: [field] }));
}

/** A mark that a decision has written since then names the new cap, and stays. */
async function deleteFields(ledger: LargeStore, org: string, deletes: readonly Delete[]): Promise<void> {
  for (const one of deletes) await ledger.commit(org, { changes: [one], audit: '' });
}
