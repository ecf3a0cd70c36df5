/** The orgs of the config file, and the ledger. */
import { createOrg, orgDifferences } from '../admin/index.js';
import type { Config } from '../config/schema.js';
import type { Ledger } from '../ledger/port.js';

/** By org: how many differences of each kind. */
export type OrgDifferences = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** Orgs that the file states otherwise than the ledger has them, with what differs. None while the store is down. */
export async function differingOrgs(ledger: Ledger, { orgs, quotas }: Config): Promise<OrgDifferences> {
  const differing: Record<string, Readonly<Record<string, number>>> = {};
  if (!ledger.ready) return differing;
  for (const [id, seed] of Object.entries(orgs)) {
    const differences = await orgDifferences(ledger, { id, seed, quotas }).catch(() => ({ unread: 1 }));
    if (Object.keys(differences).length > 0) differing[id] = differences;
  }
  return differing;
}

/** Creates those that the ledger lacks. `known` were created before: a reload that adds no org needs no store. */
export async function createOrgs(
  ledger: Ledger,
  { orgs, quotas }: Config,
  known: Config['orgs'] = {},
): Promise<void> {
  for (const [id, org] of Object.entries(orgs))
    if (!Object.hasOwn(known, id)) await createOrg(ledger, { id, seed: org, quotas });
}
