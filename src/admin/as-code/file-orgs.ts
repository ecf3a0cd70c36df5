/** The orgs of the config file against the ledger. The file creates them; from then on, the admin API owns them. */
import { ProblemError } from '../../errors/catalogue.js';
import type { Ledger } from '../../ledger/port.js';
import { scanSettled } from '../../ledger/scan-all.js';
import { readOrg } from '../../ledger/view/org-view.js';
import { ruleIn } from '../orgs/definition.js';
import type { OrgToCreate, SeedOrg } from '../orgs/seed.js';
import { changeOfOrg, draftOf, readTables } from './org-change.js';
import type { StatedOrg } from './schemas.js';

const CONFIG = { who: 'config', reason: undefined };

/** What the file states otherwise than the ledger has it, such as `limit.change`, and how often. No names: it is logged. */
export async function orgDifferences(
  ledger: Ledger,
  { id, seed, quotas }: OrgToCreate,
): Promise<Record<string, number>> {
  const known = new Map(Object.entries(quotas));
  const view = await readOrg({ ledger, quotas: known }, id);
  const tables = await readTables((table) => scanSettled(ledger, id, table));
  const { name = view.name, seats = view.seats, cycle } = seed;
  const after = { name, seats, cycle: ruleIn(cycle) };
  const draft = draftOf(view, tables, { after, author: CONFIG });
  const counts: Record<string, number> = {};
  try {
    changeOfOrg(draft, view, after);
    draft.apply(statedIn(seed), false);
  } catch (error) {
    // The ledger has changed so that the file no longer fits: a limit of a user who was removed.
    if (!(error instanceof ProblemError)) throw error;
    counts.refused = 1;
  }
  for (const { action } of draft.differences) counts[action] = (counts[action] ?? 0) + 1;
  return counts;
}

function statedIn({ plans, groups, users, limits, thresholds }: SeedOrg): StatedOrg {
  const notices =
    thresholds === undefined ? {} : { notices: { thresholds: { groups: thresholds, org: thresholds } } };
  return { plans, groups, users, limits, ...notices } as StatedOrg;
}
