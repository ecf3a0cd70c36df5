/**
 * Accepts, on behalf of an operator, that an org's data is lost. Before that, no gateway counts from 0: gateways that
 * knew the org answer 503, and gateways that start find it marked as lost. What is created:
 * - without data: the org as the config defines it; or, if only a gateway reported it missing, an org without plans,
 *   whose requests are refused until an admin has set them
 * - with data of another epoch than gateways know (created by a process that did not know of the loss, or from an older
 *   backup): its figures stay, and gateways use it from now on
 */
import { commitAll } from '../../ledger/large-commit.js';
import type { Change, Ledger } from '../../ledger/port.js';
import type { QuotaDefinition } from '../../quota/units.js';
import { auditText } from '../writes/change.js';
import { set } from './definition.js';
import { type SeedOrg, seedChanges } from './seed.js';

/** The result for the org: created again, with plans or without; used as it is; or unknown. */
export type Accepted = 'made' | 'made-bare' | 'taken' | 'unknown';

const BARE: SeedOrg = { cycle: { every: 'month', anchor: 1, timeZone: 'UTC' } };
/** Gateways may mark the org at the same time. */
const TRIES_MAX = 8;

export interface AcceptOptions {
  /** The org as the config states it; undefined where it does not. */
  readonly seed: SeedOrg | undefined;
  readonly quotas: Readonly<Record<string, QuotaDefinition>>;
  readonly reason: string;
}

export async function acceptLoss(
  ledger: Ledger,
  id: string,
  { seed, quotas, reason }: AcceptOptions,
): Promise<Accepted> {
  for (let attempt = 0; attempt < TRIES_MAX; attempt += 1) {
    const { version, values } = await ledger.read(id, [{ table: 'org', fields: ['epoch'] }]);
    const [epoch = null] = values[0] ?? [];
    if (version === 0 && seed === undefined) return 'unknown';
    const now = await ledger.clock();
    const made = epoch === null ? seedChanges({ id, seed: seed ?? BARE, quotas }, now) : [];
    const accepted = epoch ?? epochIn(made);
    const changes = [...made, set('lossAccepted', accepted)];
    const auditEvent = { action: 'org.accept-loss', subject: 'org', from: epoch, to: accepted };
    const audit = auditText(now, { who: 'operator', reason }, auditEvent);
    if ((await commitAll(ledger, id, { version, changes, audit })) === undefined) continue;
    if (epoch !== null) return 'taken';
    return seed === undefined ? 'made-bare' : 'made';
  }
  throw new Error(`${id}: too many concurrent changes, try again`);
}

function epochIn(changes: readonly Change[]): string {
  const change = changes.find((one) => 'set' in one && one.set === 'org' && one.field === 'epoch');
  if (change === undefined || !('value' in change)) throw new Error('A new org has no epoch');
  return change.value;
}

/** Orgs that are marked as lost: some gateway knew them and found no data. */
export async function lostOrgs(ledger: Ledger): Promise<string[]> {
  const lost: string[] = [];
  for (const id of await ledger.orgs()) {
    const { values } = await ledger.read(id, [{ table: 'org', fields: ['state', 'epoch'] }]);
    const [state = null, epoch = null] = values[0] ?? [];
    if (state === 'lost' && epoch === null) lost.push(id);
  }
  return lost.sort();
}
