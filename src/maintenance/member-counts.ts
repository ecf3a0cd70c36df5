/**
 * Counts the members of each group again and sets counts that differ. Writes keep the counts; an org that was written by a version
 * without them, or changed by hand, gets them here.
 */
import { countedGroups, decodeGroup, decodeMember, memberCountField } from '../ledger/codec.js';
import type { Change, Ledger } from '../ledger/port.js';
import { scanAll } from '../ledger/scan-all.js';

/** The org changed meanwhile: it is counted again, and else at the next cleaning. */
const TRIES = 3;

export async function repairMemberCounts(ledger: Ledger, org: string): Promise<void> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const { version } = await ledger.read(org, []);
    const changes = await differences(ledger, org);
    if (changes.length === 0) return;
    if ((await ledger.commit(org, { version, changes, audit: '' })) !== undefined) return;
  }
}

async function differences(ledger: Ledger, org: string): Promise<Change[]> {
  const counts = new Map<string, number>();
  for (const [group, text] of await scanAll(ledger, org, 'groups'))
    counts.set(memberCountField({ group, generation: decodeGroup(text).generation }), 0);
  if (counts.size === 0) return [];
  for (const text of (await scanAll(ledger, org, 'members')).values()) {
    for (const field of new Set(countedGroups(decodeMember(text)).map(memberCountField))) {
      const count = counts.get(field);
      if (count !== undefined) counts.set(field, count + 1);
    }
  }
  const fields = [...counts.keys()];
  const { values } = await ledger.read(org, [{ table: 'records', fields }]);
  const differing = fields.filter((field, index) => Number(values[0]?.[index] ?? 0) !== counts.get(field));
  return differing.map((field) => ({ set: 'records', field, value: String(counts.get(field)) }));
}
