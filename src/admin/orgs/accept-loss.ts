/**
 * An operator says that an org's data is gone for good. Until then nobody counts from 0: gateways that knew the org answer
 * 503, and those that start find the place marked. What is made here:
 * - where there is no view, the org as the config states it; without a definition, where a gateway has missed it, one
 *   without plans: every request is refused until an admin has set them
 * - where there is a view with another epoch than gateways know (made by a process that knew of no loss, or from an older
 *   backup), its figures stand, and gateways take it from now on
 */
import type { Change, Ledger } from '../../ledger/port.js';
import type { QuotaDefinition } from '../../quota/units.js';
import { auditText } from '../writes/change.js';
import { set } from './definition.js';
import { type SeedOrg, seedChanges } from './seed.js';

/** What became of the org: made anew, with plans or without; taken as it is; or not known to anybody. */
export type Accepted = 'made' | 'made-bare' | 'taken' | 'unknown';

const BARE: SeedOrg = { cycle: { every: 'month', anchor: 1, timeZone: 'UTC' } };
/** Gateways mark the place at the same time. */
const TRIES_MAX = 8;

export async function acceptLoss(
  ledger: Ledger,
  id: string,
  seed: SeedOrg | undefined,
  quotas: Readonly<Record<string, QuotaDefinition>>,
  reason: string,
): Promise<Accepted> {
  for (let attempt = 0; attempt < TRIES_MAX; attempt += 1) {
    const { version, values } = await ledger.read(id, [{ table: 'org', fields: ['epoch'] }]);
    const [epoch = null] = values[0] ?? [];
    if (version === 0 && seed === undefined) return 'unknown';
    const now = await ledger.clock();
    const made = epoch === null ? seedChanges(id, seed ?? BARE, quotas, now) : [];
    const accepted = epoch ?? epochIn(made);
    const changes = [...made, set('lossAccepted', accepted)];
    const auditEvent = { action: 'org.accept-loss', subject: 'org', from: epoch, to: accepted };
    const audit = auditText(now, { who: 'operator', reason }, auditEvent);
    if ((await ledger.commit(id, { version, changes, audit })) === undefined) continue;
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

/** Orgs whose place is marked: somebody knew them, and found nothing. */
export async function lostOrgs(ledger: Ledger): Promise<string[]> {
  const lost: string[] = [];
  for (const id of await ledger.orgs()) {
    const { values } = await ledger.read(id, [{ table: 'org', fields: ['state', 'epoch'] }]);
    const [state = null, epoch = null] = values[0] ?? [];
    if (state === 'lost' && epoch === null) lost.push(id);
  }
  return lost.sort();
}
