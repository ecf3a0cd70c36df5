/** The orgs of the config file against the ledger. The file creates them; from then on, the admin API owns them. */
import { ProblemError } from '../../errors/catalogue.js';
import type { Ledger } from '../../ledger/port.js';
import { scanAll } from '../../ledger/scan-all.js';
import { readOrg } from '../../ledger/view/org-view.js';
import { ruleIn } from '../orgs/definition.js';
import type { OrgToCreate } from '../orgs/seed.js';
import { Draft } from './draft.js';
import { changeOfOrg, TABLES } from './org-change.js';
import type { StatedOrg } from './schemas.js';

/** What the file states otherwise than the ledger has it, such as `limit.change`, and how often. No names: it is logged. */
export async function orgDifferences(
  ledger: Ledger,
  { id, seed, quotas }: OrgToCreate,
): Promise<Record<string, number>> {
  const known = new Map(Object.entries(quotas));
  const view = await readOrg({ ledger, quotas: known }, id);
  const scanned = await Promise.all(TABLES.map((table) => scanAll(ledger, id, table)));
  const tables = new Map(TABLES.map((table, index) => [table, scanned[index] ?? new Map<string, string>()]));
  const draft = new Draft({ ...view, tables, rearm: () => [] });
  const { name = view.name, seats, cycle, plans, groups, users, limits } = seed;
  const counts: Record<string, number> = {};
  try {
    changeOfOrg(draft, view, { name, seats: seats ?? view.seats, cycle: ruleIn(cycle) });
    draft.apply({ plans, groups, users, limits } as StatedOrg, false);
  } catch (error) {
    // The ledger has changed so that the file no longer fits: a limit of a user who was removed.
    if (!(error instanceof ProblemError)) throw error;
    counts.refused = 1;
  }
  for (const { action } of draft.differences) counts[action] = (counts[action] ?? 0) + 1;
  return counts;
}
