/** What a random history is about: names, sizes, charges, and how an org begins. */
import type { Bounds, Change } from '../../../src/ledger/port.js';
import type { ChargeItem } from '../../../src/quota/charge.js';
import { fixed, gate, held, set } from '../../support/ledgers.js';
import type { Random } from './random.js';

/** Short, so that a history sees several boundaries. */
export const CYCLE_MS = 20_000;
export const BEGIN_MS = 50_000_000;

export const QUOTAS = ['usage', 'lds', 'ai'] as const;
export const USERS = ['u0', 'u1', 'u2', 'u3', 'u4'] as const;
export const STRANGERS = ['s0', 's1', 's2', 's3', 's4', 's5', 's6', 's7'] as const;
export const GROUPS = ['g0', 'g1', 'g2', 'g3'] as const;
export const ALL_USERS: readonly string[] = [...USERS, ...STRANGERS];
export const ALL_LINES = QUOTAS.flatMap((quota) => [
  ...ALL_USERS.map((user) => `${quota}:u:${user}`),
  ...GROUPS.map((group) => `${quota}:g:${group}`),
]);
/** More than a user may be in, for who claims all of them. */
export const CROWD = Array.from({ length: 90 }, (_, index) => `c${index}`);

/** A unit of most histories is 1; in some it is so large that sums reach what can be counted exactly. */
export const SCALES = [1, 1, 1, 1, 1, 1, 37_000_000_000_001] as const;

export function cycleAt(ms: number): Bounds {
  const start = Math.floor(ms / CYCLE_MS) * CYCLE_MS;
  return { start, end: start + CYCLE_MS };
}

export function chargesBy(random: Random, scale: number): ChargeItem[] {
  const units = (least: number, most: number): number => random.between(least, most) * scale;
  switch (random.between(0, 13)) {
    case 0:
      return [gate('usage'), fixed('lds', units(1, 2))];
    case 1:
      return [fixed('usage', 0)];
    case 2:
      return [fixed('usage', units(1, 5)), fixed('lds', units(1, 3))];
    case 3:
    case 4:
      return [held('ai', units(1, 20))];
    case 5:
    case 6:
      return [held('usage', units(5, 20)), fixed('lds', scale)];
    case 7:
      return [gate('usage'), held('ai', units(1, 15))];
    case 8:
      return [fixed('ai', units(30, 60))];
    case 9:
      return random.chance(0.3) ? [fixed('nope', 1)] : [held('usage', 0)];
    case 10:
      return [held('ai', units(1, 8)), gate('lds'), held('usage', units(1, 8))];
    default:
      return [fixed('usage', units(1, 6))];
  }
}

/** Charges that may be granted less than they ask for. */
export function rangesBy(random: Random, scale: number): ChargeItem[] {
  const between = (quota: string, least: number, most: number): ChargeItem => {
    const units = random.between(least, most) * scale;
    return { ...held(quota, units), least: random.between(0, least) * scale };
  };
  switch (random.between(0, 2)) {
    case 0:
      return [between('ai', 4, 40)];
    case 1:
      return [between('ai', 5, 30), gate('lds'), fixed('usage', scale)];
    default:
      return [between('ai', 3, 30), between('usage', 2, 20)];
  }
}

export function limitBy(random: Random, scale: number, now: number): string {
  const units = random.between(2, 60) * scale;
  const mode = random.chance(0.2) ? 'w' : 'h';
  const [raise, until] = random.chance(0.2)
    ? [random.between(1, 20) * scale, now + random.between(0, 9000)]
    : [0, 0];
  if (random.chance(0.35)) {
    const offset = random.chance(0.3) ? random.between(0, 5_000_000) : 0;
    return `p;${random.between(1, 5_000_000)};${offset};${mode};${raise};${until}`;
  }
  return mode === 'h' && raise === 0 ? String(units) : `u;${units};0;${mode};${raise};${until}`;
}

export function planBy(random: Random, scale: number, quota: string): string {
  const mode = random.weighted(quota === 'lds' ? { s: 4, w: 3, h: 1 } : { h: 9, s: 1, w: 1 });
  return `${random.between(6, quota === 'lds' ? 20 : 50) * scale}:${mode}`;
}

export function memberBy(random: Random, groups: readonly string[] = GROUPS): string {
  const status = random.weighted({ a: 12, i: 4, n: 1, r: 1 });
  return `${status}:${random.some(groups, 0.4).join(',')}`;
}

export function firstChanges(random: Random, scale: number): Change[] {
  const { start, end } = cycleAt(BEGIN_MS);
  const members = USERS.filter(() => random.chance(0.85)).map((user) => [user, memberBy(random)] as const);
  const active = members.filter(([, text]) => text.startsWith('a')).length;
  const changes = [
    set('org', 'epoch', 'e1'),
    set('org', 'now', BEGIN_MS),
    set('org', 'start', start),
    set('org', 'end', end),
    set('org', 'prev', 0),
    set('org', 'rule', '{"every":"hour"}'),
    set('org', 'ruleVersion', 1),
    set('org', 'state', 'open'),
    set('org', 'seats', random.chance(0.5) ? '' : active + 2),
    set('org', 'seatsUsed', active),
    set('org', 'thresholds', '50,80,90,100'),
  ];
  for (const quota of QUOTAS) {
    changes.push(set('org', `plan:${quota}`, planBy(random, scale, quota)));
    if (random.chance(0.2)) changes.push(set('org', `next:${quota}`, planBy(random, scale, quota)));
    if (random.chance(0.7)) changes.push(set('org', `extra:${quota}`, random.between(5, 60) * scale));
    for (const subject of [...USERS.map((user) => `u:${user}`), ...GROUPS.map((group) => `g:${group}`)])
      if (random.chance(0.3))
        changes.push(set('limits', `${quota}:${subject}`, limitBy(random, scale, BEGIN_MS)));
  }
  for (const [user, text] of members) changes.push(set('members', user, text));
  for (const group of [...GROUPS, ...CROWD])
    changes.push(set('groups', group, random.chance(0.1) ? '-1;{"name":"x"}' : '0;{"name":"x"}'));
  return changes;
}
