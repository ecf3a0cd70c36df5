/** Orgs of the ledger bench: users with limits, groups with limits, and pools that no run exhausts. */
import { encodeGroup, encodeLimit, encodeMember, encodePlan } from '../../src/ledger/codec.js';
import type { Bounds, Change, Ledger } from '../../src/ledger/port.js';
import { lineOf } from '../../src/quota/id.js';
import { PERCENT_WHOLE } from '../../src/quota/limit.js';

export interface BenchOrg {
  readonly org: string;
  readonly users: readonly string[];
  readonly bounds: Bounds;
}

export interface Size {
  readonly org: string;
  readonly users: number;
  /** Groups of the org, and the number of groups per user. */
  readonly groups: number;
  readonly groupsOfUser: number;
  /** Every user has used up one quota, so each request is refused. */
  readonly spent?: boolean;
}

const HOUR_MS = 3_600_000;
const CYCLE_MS = 30 * 24 * HOUR_MS;
const CHANGES_OF_COMMIT = 4_000;
/** So large that even the smallest limit, a millionth of it, is not reached in a run. */
const POOL = 9_000_000_000_000;
export const EPOCH = 'bench';

/** Users have a percent limit on one quota and a limit in units on the other; groups the reverse. */
export async function seed(ledger: Ledger, size: Size): Promise<BenchOrg> {
  const start = (await ledger.clock()) - HOUR_MS;
  const bounds = { start, end: start + CYCLE_MS };
  const users = Array.from({ length: size.users }, (_, index) => `user-${index}`);
  const changes = [...orgChanges(bounds), ...groupChanges(size)];
  let version = 0;
  const flush = async (): Promise<void> => {
    version =
      (await ledger.commit(size.org, { version, changes: changes.splice(0), audit: '' }))?.version ?? -1;
    if (version < 0) throw new Error(`${size.org} was changed concurrently`);
  };
  for (const [index, user] of users.entries()) {
    changes.push(...userChanges(size, start, user, index));
    if (changes.length >= CHANGES_OF_COMMIT) await flush();
  }
  await flush();
  return { org: size.org, users, bounds };
}

function orgChanges({ start, end }: Bounds): Change[] {
  const fields: Record<string, string> = {
    epoch: EPOCH,
    now: '0',
    start: String(start),
    end: String(end),
    prev: '0',
    rule: '{}',
    ruleVersion: '1',
    seats: '',
    seatsUsed: '0',
    state: 'open',
    thresholds: '50,80,90,100',
    'plan:usage': encodePlan({ allowance: POOL, mode: 'hard' }),
    'extra:usage': '1000',
    'plan:lds': encodePlan({ allowance: POOL, mode: 'hard' }),
  };
  return Object.entries(fields).map(([field, value]) => ({ set: 'org', field, value }));
}

function groupChanges({ groups }: Size): Change[] {
  return Array.from({ length: groups }, (_, index) => `group-${index}`).flatMap((group): Change[] => [
    { set: 'groups', field: group, value: encodeGroup({ generation: 0, alive: true, name: group }) },
    { set: 'limits', field: lineOf('usage', 'group', group), value: absolute(POOL - 1) },
    { set: 'limits', field: lineOf('lds', 'group', group), value: percent(PERCENT_WHOLE / 2, 0) },
  ]);
}

/** With counters, as in the middle of a cycle. */
function userChanges(size: Size, start: number, user: string, index: number): Change[] {
  const step = Math.max(1, Math.floor(size.groups / size.groupsOfUser));
  const groups = Array.from({ length: size.groupsOfUser }, (_, place) => ({
    group: `group-${(index + place * step) % size.groups}`,
    generation: 0,
  }));
  const cap = Math.max(10, Math.floor(PERCENT_WHOLE / size.users));
  return [
    { set: 'members', field: user, value: encodeMember({ status: 'active', groups }) },
    { set: 'limits', field: lineOf('usage', 'user', user), value: percent(cap, index * cap) },
    { set: 'limits', field: lineOf('lds', 'user', user), value: absolute(size.spent ? 1_000 : POOL - 1) },
    { set: `consumed:${start}`, field: lineOf('usage', 'user', user), value: '1000' },
    { set: `consumed:${start}`, field: lineOf('lds', 'user', user), value: '1000' },
  ];
}

const PLAIN = { units: 0, percent: 0, offset: 0, shadow: false, raise: 0, raiseUntil: 0 };

function absolute(units: number): string {
  return encodeLimit({ ...PLAIN, units });
}

function percent(share: number, offset: number): string {
  return encodeLimit({ ...PLAIN, percent: share, offset });
}
