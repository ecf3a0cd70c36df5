/**
 * Settings that a store was created with. A gateway with another scale or format must not touch its counters: 5 units
 * would silently become 0.5.
 */
import type { ClockLook } from './clock-guard.js';
import type { Change, Commit, OrgStore } from './port.js';

/** No org can have this id. */
const META_ORG = '*meta*';
/** The version of the format of org data. A change that an older gateway would misread increments it. */
const SCHEMA_VERSION = 1;
const TRIES_MAX = 8;

/** In the records of the store's system org: the time that an operator accepted. */
const CLOCK_ACCEPTED = 'clockAccepted';

type Decimals = Readonly<Record<string, { readonly decimals: number }>>;

/** Records schema and decimals in a new store. Rejects with an Error if this store was created with others. */
export async function claimStore(ledger: OrgStore, quotas: Decimals): Promise<void> {
  for (let attempt = 0; attempt < TRIES_MAX; attempt += 1) {
    const { version, changes } = await changesFor(ledger, quotas);
    if (changes.length === 0) return;
    if ((await ledger.commit(META_ORG, { version, changes, audit: '' })) !== undefined) return;
  }
  throw new Error('the store could not be prepared: too many concurrent changes, try again');
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

/** The decimals of quotas as the store was created with them: also of those that the config no longer has. */
export async function storedDecimals(
  ledger: Pick<OrgStore, 'read'>,
  quotas: readonly string[],
): Promise<Map<string, number>> {
  const fields = quotas.map((quota) => `decimals:${quota}`);
  const { values } = await ledger.read(META_ORG, [{ table: 'records', fields }]);
  return new Map(quotas.map((quota, index) => [quota, Number(values[0]?.[index] ?? 0)]));
}

function refuseNewer(schema: string | undefined): void {
  if (Number(schema ?? 0) <= SCHEMA_VERSION) return;
  throw new Error(
    `the store is of schema ${schema}, but this version supports ${SCHEMA_VERSION}: use a newer version of quotagate`,
  );
}

async function refuseRescaled(ledger: OrgStore, quota: string, before: string, now: string): Promise<void> {
  // Another gateway may already use the scale it found here, and may create the first org at any time.
  if (ledger.name === 'embedded' && (await ledger.orgs()).length === 0) return;
  throw new Error(
    `quotas.${quota}.decimals is ${now}, but the store was created with ${before}: set it to ${before}, or use another quota or store`,
  );
}

/** The store time that an operator accepted, and what the clock shows. */
export async function lookAtClock(ledger: OrgStore): Promise<ClockLook> {
  const { values } = await ledger.read(META_ORG, [{ table: 'records', fields: [CLOCK_ACCEPTED] }]);
  return { accepted: Number(values[0]?.[0] ?? 0), clock: await ledger.clock() };
}

/** From now on, gateways that refuse the store's time accept it. */
export async function acceptClockTime(ledger: OrgStore, clock: number, audit: string): Promise<void> {
  const changes = [{ set: 'records', field: CLOCK_ACCEPTED, value: String(clock) }] as const;
  for (let attempt = 0; attempt < TRIES_MAX; attempt += 1) {
    const { version } = await ledger.read(META_ORG, []);
    if ((await ledger.commit(META_ORG, { version, changes, audit })) !== undefined) return;
  }
  throw new Error('too many concurrent changes of the store, try again');
}
