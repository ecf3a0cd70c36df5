/** Fills the org of the bench: members with profiles and consumption, limits, and a history of thirty days. */
import { userDetail, userName } from '../../src/history/names.js';
import { addCell, emptyPacked, type Packed, pack } from '../../src/history/packed.js';
import { ORG_FIELD, placesOf } from '../../src/history/tables.js';
import type { Change, Ledger, Table } from '../../src/ledger/port.js';

export interface Size {
  readonly members: number;
  readonly limits: number;
}

/** Changes of one commit. */
const PIECE = 500;
const DAY_MS = 86_400_000;
const DAYS = 30;

export async function fill(ledger: Ledger, { members, limits }: Size): Promise<void> {
  const { values, now } = await ledger.read('bench', [{ table: 'org', fields: ['start'] }]);
  const start = Number(values[0]?.[0]);
  let changes: Change[] = [];
  for (let index = 0; index < members; index += 1) {
    const user = `m${index}`;
    changes.push(...memberOf(index, start), ...historyOf(user, index, now));
    if (index < limits) changes.push({ set: 'limits', field: `usage:u:${user}`, value: '500000' });
    if (changes.length < PIECE && index < members - 1) continue;
    changes.push({ incr: 'org', field: 'seatsUsed', by: changes.filter(isMember).length });
    await ledger.commit('bench', { changes, audit: '' });
    changes = [];
  }
  await ledger.commit('bench', { changes: orgDays(now), audit: '' });
}

function isMember(change: Change): boolean {
  return 'set' in change && change.set === 'members';
}

function memberOf(index: number, start: number): Change[] {
  const user = `m${index}`;
  const email = `${user}@example.com`;
  const profile = { name: `Member ${index}`, email, role: 'engineer', createdAt: start };
  const units = String((index * 7_919) % 1_000_003);
  return [
    { set: 'members', field: user, value: 'a:g1' },
    { set: 'records', field: `user:${user}`, value: JSON.stringify(profile) },
    { set: `consumed:${start}`, field: `usage:u:${user}`, value: units },
  ];
}

/** Two actions on five days of each week. */
function historyOf(user: string, index: number, now: number): Change[] {
  const texts = new Map<Table, Packed>();
  for (let day = 1; day <= DAYS; day += 1) {
    if ((day + index) % 7 > 4) continue;
    const { table, slot } = placesOf(hourOf(now - day * DAY_MS)).userDays;
    const packed = texts.get(table) ?? emptyPacked();
    texts.set(table, packed);
    for (const [at, action] of ['maps', 'search'].entries()) {
      const units = 1 + ((index * 7_919 + day * 31 + at) % 997);
      addCell(packed, userName('usage', action, '', userDetail('', ['g1'])), slot, { units, raw: units });
    }
  }
  return [...texts].map(([table, packed]) => ({ set: table, field: user, value: pack(packed) }));
}

function orgDays(now: number): Change[] {
  return Array.from({ length: DAYS }, (_, day) => {
    const { table, slot } = placesOf(hourOf(now - day * DAY_MS)).shared;
    const packed = emptyPacked();
    addCell(packed, 'usage|maps||', slot, { units: 1_000, raw: 1_000 });
    return { set: table, field: ORG_FIELD, value: pack(packed) };
  });
}

function hourOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 'YYYY-MM-DDTHH'.length);
}
