/**
 * What a store was begun with. Who counts by another scale, or writes other forms, must not touch its counters: 5 units
 * would become 0.5 without a word.
 */
import type { ClockLook } from './clock-guard.js';
import type { Change, Commit, OrgStore } from './port.js';

/** No org can have this id. */
const META_ORG = '*meta*';
/** Of the forms in which orgs are kept; raised by a change that an older gateway would misread. */
const SCHEMA_VERSION = 1;
const TRIES_MAX = 8;

/** In the records of the org of the store: the time that an operator has accepted. */
const CLOCK_ACCEPTED = 'clockAccepted';

type Decimals = Readonly<Record<string, { readonly decimals: number }>>;

/** Notes schema and decimals in a new store; rejects with an Error where this store was begun with others. */
export async function claimStore(ledger: OrgStore, quotas: Decimals): Promise<void> {
  for (let attempt = 0; attempt < TRIES_MAX; attempt += 1) {
    const { version, changes } = await changesFor(ledger, quotas);
    if (changes.length === 0) return;
    if ((await ledger.commit(META_ORG, { version, changes, audit: '' })) !== undefined) return;
  }
  throw new Error('the store could not be prepared: others changed it at the same time, again and again');
}

async function changesFor(ledger: OrgStore, quotas: Decimals): Promise<Pick<Commit, 'version' | 'changes'>> {
  const wanted: [field: string, value: string][] = [['schema', String(SCHEMA_VERSION)]];
  for (const [quota, { decimals }] of Object.entries(quotas)) wanted.push([quota, String(decimals)]);
  const fields = wanted.map(([name], index) => (index === 0 ? name : `decimals:${name}`));
  const { version, values } = await ledger.read(META_ORG, [{ table: 'records', fields }]);
  const [known = []] = values;
  const changes: Change[] = [];
  for (const [index, [name, value]] of wanted.entries()) {
    const before = known[index] ?? undefined;
    if (before === value) continue;
    if (index === 0) refuseNewer(before);
    else if (before !== undefined) await refuseRescaled(ledger, name, before, value);
    changes.push({ set: 'records', field: fields[index] ?? '', value });
  }
  return { version, changes };
}

function refuseNewer(schema: string | undefined): void {
  if (Number(schema ?? 0) <= SCHEMA_VERSION) return;
  throw new Error(
    `the store is of schema ${schema}, and this version knows ${SCHEMA_VERSION}: use a newer one`,
  );
}

async function refuseRescaled(ledger: OrgStore, quota: string, before: string, now: string): Promise<void> {
  // Another gateway may run by the scale that it found here, and make the first org at any time.
  if (ledger.name === 'embedded' && (await ledger.orgs()).length === 0) return;
  throw new Error(
    `quotas.${quota}.decimals is ${now}, but the store was begun with ${before}: write ${before}, use another quota, or another store`,
  );
}

/** What an operator has accepted as the store's time, and what its clock shows. */
export async function lookAtClock(ledger: OrgStore): Promise<ClockLook> {
  const { values } = await ledger.read(META_ORG, [{ table: 'records', fields: [CLOCK_ACCEPTED] }]);
  return { accepted: Number(values[0]?.[0] ?? 0), clock: await ledger.clock() };
}

/** Gateways that refuse the store's time take it from now on. */
export async function acceptClockTime(ledger: OrgStore, clock: number, audit: string): Promise<void> {
  const changes = [{ set: 'records', field: CLOCK_ACCEPTED, value: String(clock) }] as const;
  for (let attempt = 0; attempt < TRIES_MAX; attempt += 1) {
    const { version } = await ledger.read(META_ORG, []);
    if ((await ledger.commit(META_ORG, { version, changes, audit })) !== undefined) return;
  }
  throw new Error('the store was changed by others at the same time, again and again');
}
