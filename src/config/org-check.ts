/** The cross-checks of one org. */
import { type CycleRule, checkRule } from '../quota/cycle.js';
import { type Finding, finding, type Path, pointerOf } from './mistakes.js';
import type { LimitConfig, OrgConfig } from './schema.js';
import { type ConfigSketch, checkAmount, entries, items, lacks, type Sketch, unknownName } from './sketch.js';

type OrgSketch = Sketch<OrgConfig>;

export function* checkOrg(config: ConfigSketch, org: OrgSketch, path: Path): Generator<Finding> {
  yield* checkCycle(org, [...path, 'cycle']);
  for (const [quota, plan] of entries(org.plans)) {
    const at = [...path, 'plans', quota];
    if (lacks(config.quotas, quota)) yield { ...unknownName(at, 'quota', quota, config.quotas), spot: 'key' };
    yield* checkAmount(config, quota, plan.allowance, [...at, 'allowance']);
    yield* checkAmount(config, quota, plan.extra, [...at, 'extra']);
  }
  for (const [id, user] of entries(org.users)) {
    for (const [index, group] of items(user.groups)) {
      if (lacks(org.groups, group))
        yield unknownName([...path, 'users', id, 'groups', index], 'group', group, org.groups);
    }
  }
  yield* checkLimits(config, org, [...path, 'limits']);
}

function* checkCycle({ cycle }: OrgSketch, path: Path): Generator<Finding> {
  const { every, anchor, timeZone } = cycle ?? {};
  if (every === undefined || anchor === undefined || timeZone === undefined) return;
  const rule: CycleRule = { every, anchor, timeZone };
  const [, key, what] = /^(\w+): (.*)$/.exec(checkRule(rule) ?? '') ?? [];
  if (key === 'timeZone')
    yield finding([...path, key], what ?? '', 'write a name such as Europe/Madrid or UTC');
  else if (key !== undefined) yield finding([...path, key], `${anchor} is not a date`, what ?? '');
}

function* checkLimits(config: ConfigSketch, org: OrgSketch, path: Path): Generator<Finding> {
  const seen = new Map<string, number>();
  for (const [index, limit] of items(org.limits)) {
    const at = [...path, index];
    const { quota } = limit;
    if (lacks(config.quotas, quota)) yield unknownName([...at, 'quota'], 'quota', quota, config.quotas);
    else if ('percent' in limit && lacks(org.plans, quota))
      yield finding([...at, 'percent'], `the org has no plan for \`${quota}\`, so no pool`, 'add the plan');
    if ('units' in limit) yield* checkAmount(config, quota, limit.units, [...at, 'units']);
    const subject = yield* checkSubject(org, limit, at);
    if (subject === undefined || quota === undefined) continue;
    const key = `${subject}/${quota}`;
    const other = seen.get(key);
    if (other !== undefined)
      yield finding(
        at,
        `this subject has a limit for \`${quota}\` already: ${pointerOf([...path, other])}`,
        'remove one of the two',
      );
    else seen.set(key, index);
  }
}

/** Also says whom the limit is on, where it can be told. */
function* checkSubject(
  org: OrgSketch,
  limit: Sketch<LimitConfig>,
  path: Path,
): Generator<Finding, string | undefined> {
  if ('user' in limit) {
    const { user } = limit;
    if (lacks(org.users, user)) yield unknownName([...path, 'user'], 'user', user, org.users);
    return user === undefined ? undefined : `user ${user}`;
  }
  const group = 'group' in limit ? limit.group : undefined;
  if (lacks(org.groups, group)) yield unknownName([...path, 'group'], 'group', group, org.groups);
  return group === undefined ? undefined : `group ${group}`;
}
