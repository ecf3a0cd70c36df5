/** The cross-checks of one org. */
import { ruleFaults } from '../quota/cycle.js';
import { percentFault, seatsFault } from '../quota/limit.js';
import { parseUnits } from '../quota/units.js';
import { type Issue, issue, type Path, pointerOf } from './issues.js';
import {
  checkAmount,
  type DeepPartial,
  entries,
  items,
  lacks,
  type PartialConfig,
  unitsOf,
  unknownName,
} from './partial-config.js';
import type { LimitConfig, OrgConfig } from './schema.js';
import { PERCENT_DECIMALS } from './values.js';

type PartialOrg = DeepPartial<OrgConfig>;

export function* checkOrg(config: PartialConfig, org: PartialOrg, path: Path): Generator<Issue> {
  yield* checkCycle(org, [...path, 'cycle']);
  const seats = seatsFault(org.seats, Object.keys(org.users ?? {}).length);
  if (seats !== undefined)
    yield issue([...path, 'seats'], `${org.seats} seats ${seats}`, 'write more seats, or remove users');
  for (const [quota, plan] of entries(org.plans)) {
    const at = [...path, 'plans', quota];
    if (lacks(config.quotas, quota))
      yield { ...unknownName(at, { kind: 'quota', name: quota, map: config.quotas }), spot: 'key' };
    yield* checkAmount(config, { quota, amount: plan.allowance, path: [...at, 'allowance'] });
    yield* checkAmount(config, { quota, amount: plan.extra, path: [...at, 'extra'] });
  }
  for (const [id, user] of entries(org.users)) {
    for (const [index, group] of items(user.groups)) {
      if (lacks(org.groups, group))
        yield unknownName([...path, 'users', id, 'groups', index], {
          kind: 'group',
          name: group,
          map: org.groups,
        });
    }
  }
  yield* checkLimits(config, org, [...path, 'limits']);
}

function* checkCycle({ cycle }: PartialOrg, path: Path): Generator<Issue> {
  for (const { field, problem } of ruleFaults(cycle ?? {})) {
    if (field === 'timeZone')
      yield issue([...path, field], problem, 'write a name such as Europe/Madrid or UTC');
    else yield issue([...path, field], `${cycle?.[field]} is not a date`, problem);
  }
}

function* checkLimits(config: PartialConfig, org: PartialOrg, path: Path): Generator<Issue> {
  const seen = new Map<string, number>();
  for (const [index, limit] of items(org.limits)) {
    const at = [...path, index];
    const { quota } = limit;
    if (lacks(config.quotas, quota))
      yield unknownName([...at, 'quota'], { kind: 'quota', name: quota, map: config.quotas });
    else if ('percent' in limit) yield* checkPercent(config, org, { limit, path: [...at, 'percent'] });
    if ('units' in limit) yield* checkAmount(config, { quota, amount: limit.units, path: [...at, 'units'] });
    const subject = yield* checkSubject(org, limit, at);
    if (subject === undefined || quota === undefined) continue;
    const key = `${subject}/${quota}`;
    const other = seen.get(key);
    if (other !== undefined)
      yield issue(
        at,
        `this subject has a limit for \`${quota}\` already: ${pointerOf([...path, other])}`,
        'remove one of the two',
      );
    else seen.set(key, index);
  }
}

interface PercentSpot {
  readonly limit: Extract<DeepPartial<LimitConfig>, { percent?: unknown }>;
  readonly path: Path;
}

function* checkPercent(
  config: PartialConfig,
  { plans }: PartialOrg,
  { limit, path }: PercentSpot,
): Generator<Issue> {
  const { quota = '', percent: stated } = limit;
  const percent = stated === undefined ? undefined : parseUnits(stated, PERCENT_DECIMALS);
  const plan = plans !== undefined && Object.hasOwn(plans, quota) ? plans[quota] : undefined;
  const pool = sumOf(unitsOf(config, quota, plan?.allowance), unitsOf(config, quota, plan?.extra));
  if (lacks(plans, quota))
    yield issue(path, `the org has no plan for \`${quota}\`, so there is no pool`, 'add the plan');
  else if (percent === undefined || pool === undefined) return;
  else if (percentFault({ percent, offset: 0 }, pool) === 'nothing') {
    const message = `${stated} % of the pool is less than its smallest unit`;
    yield issue(path, message, 'write a larger percent, or raise the allowance of the plan');
  }
}

/** Undefined if a part is undefined. */
function sumOf(...parts: readonly (number | undefined)[]): number | undefined {
  return parts.reduce((sum, part) => (sum === undefined || part === undefined ? undefined : sum + part), 0);
}

/** Returns the subject of the limit, if it is valid. */
function* checkSubject(
  org: PartialOrg,
  limit: DeepPartial<LimitConfig>,
  path: Path,
): Generator<Issue, string | undefined> {
  if ('user' in limit) {
    const { user } = limit;
    if (lacks(org.users, user))
      yield unknownName([...path, 'user'], { kind: 'user', name: user, map: org.users });
    return user === undefined ? undefined : `user ${user}`;
  }
  const group = 'group' in limit ? limit.group : undefined;
  if (lacks(org.groups, group))
    yield unknownName([...path, 'group'], { kind: 'group', name: group, map: org.groups });
  return group === undefined ? undefined : `group ${group}`;
}
