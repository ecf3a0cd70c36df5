/** Orgs of the config: created once, in one step, and not changed by the config afterwards. */
import { encodeLimit, encodeMember, encodePlan, type Member } from '../../ledger/codec.js';
import { commitAll } from '../../ledger/large-commit.js';
import type { Change, Ledger } from '../../ledger/port.js';
import { lineTo } from '../../ledger/view/limit-lines.js';
import type { Pool } from '../../ledger/view/org-view.js';
import type { CycleRule } from '../../quota/cycle.js';
import { isName, userKeyOf } from '../../quota/id.js';
import { NO_LIMIT, type PlanMode, seatsFault } from '../../quota/limit.js';
import type { QuotaDefinition, Quotas } from '../../quota/units.js';
import { setGroup } from '../groups/routes.js';
import { type Amount, capIn, definitionOf, unitsIn } from '../http/amounts.js';
import { invalid } from '../http/problems.js';
import { checkCap } from '../limits/routes.js';
import { memberChange } from '../users/members.js';
import { profileField } from '../users/profile.js';
import { auditText } from '../writes/change.js';
import { newOrg, ruleIn, set } from './definition.js';

export interface SeedPlan {
  readonly allowance: Amount;
  readonly mode?: PlanMode;
  readonly extra?: Amount;
}

export interface SeedUser {
  readonly name?: string;
  readonly email?: string;
  readonly role?: string;
  readonly groups?: readonly string[];
}

export interface SeedLimit {
  readonly quota: string;
  readonly user?: string;
  readonly group?: string;
  readonly units?: Amount;
  readonly percent?: Amount;
  readonly shadow?: boolean;
}

/** An org as the config defines it: amounts in the quota's own units. Its users are active from the start. */
export interface SeedOrg {
  readonly name?: string;
  readonly seats?: number;
  readonly cycle: CycleRule;
  readonly plans?: Readonly<Record<string, SeedPlan>>;
  readonly groups?: Readonly<Record<string, { readonly name?: string }>>;
  readonly users?: Readonly<Record<string, SeedUser>>;
  readonly limits?: readonly SeedLimit[];
  readonly thresholds?: readonly number[];
}

export interface OrgToCreate {
  readonly id: string;
  readonly seed: SeedOrg;
  readonly quotas: Readonly<Record<string, QuotaDefinition>>;
}

/** Returns whether the org was created; an existing one, archived or not, is unchanged. Throws `input-invalid`. */
export async function createOrg(ledger: Ledger, { id, seed, quotas }: OrgToCreate): Promise<boolean> {
  if (!isName(id)) throw invalid('org', `${id} is not an id`);
  const { version } = await ledger.read(id, []);
  if (version !== 0) return false;
  const now = await ledger.clock();
  const changes = seedChanges({ id, seed, quotas }, now);
  const audit = auditText(
    now,
    { who: 'config', reason: '' },
    { action: 'org.create', subject: 'org', to: auditedSeed(seed) },
  );
  return (await commitAll(ledger, id, { version: 0, changes, audit })) !== undefined;
}

const AUDITED_MAX = 100;

/** Long lists are counted in the audit log: their entries would make it as long as the org. */
function auditedSeed({ users, limits, ...seed }: SeedOrg) {
  const count = Object.keys(users ?? {}).length;
  return {
    ...seed,
    ...(users === undefined ? {} : { users: count > AUDITED_MAX ? count : users }),
    ...(limits === undefined ? {} : { limits: limits.length > AUDITED_MAX ? limits.length : limits }),
  };
}

/** All fields of a new org; `now` is the store's time. */
export function seedChanges({ id, seed, quotas }: OrgToCreate, now: number): Change[] {
  const definition = { name: seed.name ?? id, seats: seed.seats, cycle: ruleIn(seed.cycle) };
  const known: Quotas = new Map(Object.entries(quotas));
  const pools = poolsOf(seed, known);
  return [
    ...newOrg(definition, now, seed.thresholds),
    ...poolChanges(pools),
    ...Object.entries(seed.groups ?? {}).map(([group, { name = group }]) =>
      setGroup(group, { generation: 0, alive: true, name }),
    ),
    ...userChanges(seed, now),
    ...limitChanges(seed, known, pools),
  ];
}

function poolsOf(seed: SeedOrg, quotas: Quotas): Map<string, Pool> {
  const pools = new Map<string, Pool>();
  for (const [quota, { allowance, mode = 'hard', extra = 0 }] of Object.entries(seed.plans ?? {})) {
    const field = `plans/${quota}`;
    const definition = definitionOf(quotas, quota, field);
    const plan = { allowance: unitsIn(allowance, definition, `${field}/allowance`), mode };
    const balance = unitsIn(extra, definition, `${field}/extra`);
    pools.set(quota, { plan, extra: balance, carried: 0, units: plan.allowance + balance });
  }
  return pools;
}

function poolChanges(pools: ReadonlyMap<string, Pool>): Change[] {
  return [...pools].flatMap(([quota, { plan, extra }]) => {
    const changes = [set(`plan:${quota}`, encodePlan(plan))];
    return extra > 0 ? [...changes, set(`extra:${quota}`, extra)] : changes;
  });
}

function userChanges(seed: SeedOrg, now: number): Change[] {
  const users = Object.entries(seed.users ?? {});
  const fault = seatsFault(seed.seats, users.length);
  if (fault !== undefined) throw invalid('seats', fault);
  const changes: Change[] = [set('seatsUsed', users.length)];
  for (const [id, { name = '', email = '', role = '', groups = [] }] of users) {
    const userKey = userKeyIn(id, `users/${id}`);
    const stray = groups.find((group) => !hasGroup(seed, group));
    if (stray !== undefined) throw invalid(`users/${id}/groups`, `group ${stray} not found`);
    const member: Member = { status: 'active', groups: groups.map((group) => ({ group, generation: 0 })) };
    const record = JSON.stringify({ name, email, role, createdAt: now });
    changes.push(...memberChange(userKey, undefined, member));
    changes.push({ set: 'records', field: profileField(userKey), value: record });
  }
  return changes;
}

function userKeyIn(user: string, field: string): string {
  const userKey = userKeyOf(user);
  if (userKey === undefined) throw invalid(field, 'must be at most 256 bytes of valid Unicode');
  return userKey;
}

function hasGroup(seed: SeedOrg, group: string): boolean {
  return Object.hasOwn(seed.groups ?? {}, group);
}

/** A limit of a user who is not listed registers them as invited: they take no seat before their first request. */
function limitChanges(seed: SeedOrg, quotas: Quotas, pools: ReadonlyMap<string, Pool>): Change[] {
  const changes = new Map<string, Change>();
  for (const [index, stated] of (seed.limits ?? []).entries()) {
    const at = `limits/${index}/`;
    const definition = definitionOf(quotas, stated.quota, `${at}quota`);
    const line = lineOfSeed(seed, stated, at);
    if (changes.has(line.field)) throw invalid(`limits/${index}`, `${line.field} already has a limit`);
    if (stated.units === undefined && stated.percent === undefined)
      throw invalid(`${at}units`, 'state units or percent');
    const before = { ...NO_LIMIT, shadow: stated.shadow ?? false };
    const limit = capIn(stated, { before, definition, at });
    checkCap({ pools }, { line, limit, at });
    changes.set(line.field, { set: 'limits', field: line.field, value: encodeLimit(limit) });
    if (stated.user !== undefined && !Object.hasOwn(seed.users ?? {}, stated.user))
      changes.set(`member:${line.subject}`, {
        set: 'members',
        field: line.subject,
        value: encodeMember({ status: 'invited', groups: [] }),
      });
  }
  return [...changes.values()];
}

function lineOfSeed(seed: SeedOrg, { quota, user, group }: SeedLimit, at: string) {
  if ((user === undefined) === (group === undefined))
    throw invalid(`${at}user`, 'state either user or group');
  if (user !== undefined) return lineTo(quota, 'user', userKeyIn(user, `${at}user`));
  if (group === undefined || !hasGroup(seed, group))
    throw invalid(`${at}group`, `there is no group ${group}`);
  return lineTo(quota, 'group', group);
}
