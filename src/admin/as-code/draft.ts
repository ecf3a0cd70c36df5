/**
 * What a stated org changes: the fields to write, and the differences for people and the audit log. It follows the rules of
 * the single endpoints; whatever they refuse is refused here, before anything is written.
 */
import { ProblemError } from '../../errors/catalogue.js';
import {
  decodeGroup,
  decodeLimit,
  encodeLimit,
  encodeMember,
  type Group,
  type Member,
  type UserStatus,
} from '../../ledger/codec.js';
import type { Change } from '../../ledger/port.js';
import { limitIn, lineTo, parseLine } from '../../ledger/view/limit-lines.js';
import { fieldsOf, type Pool, type Tables, textIn } from '../../ledger/view/org-view.js';
import { limitDeletion } from '../../notify/raise-requests.js';
import { isName, userIdOf, userKeyOf } from '../../quota/id.js';
import { capOf, type Limit, NO_LIMIT, type Plan } from '../../quota/limit.js';
import { groupIn } from '../groups/group-view.js';
import { setGroup } from '../groups/routes.js';
import { capIn, definitionOf } from '../http/amounts.js';
import { invalid } from '../http/problems.js';
import { capOut } from '../limits/limit-view.js';
import { checkCap } from '../limits/routes.js';
import type { OrgDefinition } from '../orgs/definition.js';
import { memberChange, memberIn } from '../users/members.js';
import { type Profile, profileIn } from '../users/profile.js';
import { profileChange, snapshot } from '../users/routes.js';
import type { Drafted } from './drafted.js';
import type { Difference, StatedOrg } from './schemas.js';
import { draftNotices } from './stated-notices.js';
import { draftPlan, isSamePlan, type PlanContext } from './stated-plans.js';

/** The org before: its tables `groups`, `members`, `records`, `limits` and `notices`, whole. A new org has none. */
export interface Before extends PlanContext {
  readonly pools: ReadonlyMap<string, Pool>;
  readonly seatsUsed: number;
  readonly tables: Tables;
}

type Users = NonNullable<StatedOrg['users']>;
type Limits = NonNullable<StatedOrg['limits']>;

export class Draft {
  readonly changes: Change[] = [];
  readonly differences: Difference[] = [];
  private readonly pools: Map<string, Pool>;
  private readonly groups = new Map<string, Group>();
  private readonly members = new Map<string, Member>();
  /** By line; undefined: deleted. */
  private readonly limits = new Map<string, Limit | undefined>();
  private seatsUsed: number;

  constructor(private readonly before: Before) {
    this.pools = new Map(before.pools);
    this.seatsUsed = before.seatsUsed;
  }

  note(action: string, subject: string, { from, to }: { from: unknown; to: unknown }): void {
    this.differences.push({ action, subject, from, to });
  }

  apply({ plans = {}, groups, users, limits, notices }: StatedOrg, prune: boolean): void {
    for (const [quota, stated] of Object.entries(plans)) {
      const drafted = draftPlan(this.before, { quota, stated, before: this.before.pools.get(quota) });
      this.pools.set(quota, drafted.pool);
      this.add(drafted);
    }
    for (const [id, group] of Object.entries(groups ?? {})) this.putGroup(id, group);
    if (prune && groups !== undefined) this.pruneGroups(groups);
    for (const [id, user] of Object.entries(users ?? {})) this.putUser(id, user);
    if (prune && users !== undefined) this.pruneUsers(users);
    for (const [index, limit] of (limits ?? []).entries()) this.putLimit(limit, `limits/${index}/`);
    if (prune && limits !== undefined) this.pruneLimits();
    if (notices !== undefined) this.add(draftNotices(this.before, notices, prune));
    this.checkPools();
  }

  /** Of the org itself, after users have become active or have left. */
  checkSeats({ seats }: Pick<OrgDefinition, 'seats'>, isFewer: boolean): void {
    const isMore = this.seatsUsed > this.before.seatsUsed;
    if (seats !== undefined && this.seatsUsed > seats && (isMore || isFewer))
      throw new ProblemError(
        'seats-taken',
        `${this.seatsUsed} users would be active, more than ${seats} seats`,
      );
    const by = this.seatsUsed - this.before.seatsUsed;
    if (by === 0 && !isFewer) return;
    this.changes.push({ incr: 'org', field: 'seatsUsed', by, most: by > 0 || isFewer ? seats : undefined });
  }

  private add({ changes, differences }: Drafted): void {
    this.changes.push(...changes);
    this.differences.push(...differences);
  }

  private putGroup(id: string, { name }: { readonly name?: string }): void {
    if (!isName(id))
      throw invalid(`groups/${id}`, 'must be 1 to 64 letters, digits, dots, hyphens or underscores');
    const text = textIn(this.before.tables, 'groups', id);
    const before = text === undefined ? undefined : decodeGroup(text);
    if (before?.alive !== true) {
      const generation = before === undefined ? 0 : before.generation + 1;
      const group: Group = { generation, alive: true, name: name ?? id };
      this.groups.set(id, group);
      this.changes.push(setGroup(id, group));
      this.note('group.add', `group:${id}`, { from: null, to: { name: group.name } });
      return;
    }
    const group = { ...before, name: name ?? before.name };
    this.groups.set(id, group);
    if (group.name === before.name) return;
    this.changes.push(setGroup(id, group));
    this.note('group.change', `group:${id}`, { from: { name: before.name }, to: { name: group.name } });
  }

  private pruneGroups(stated: Readonly<Record<string, unknown>>): void {
    for (const [id, text] of fieldsOf(this.before.tables, 'groups')) {
      const group = decodeGroup(text);
      if (!group.alive || Object.hasOwn(stated, id)) continue;
      const dead = { ...group, alive: false };
      this.groups.set(id, dead);
      this.changes.push(setGroup(id, dead));
      this.note('group.delete', `group:${id}`, { from: { name: group.name }, to: null });
      for (const quota of this.before.quotas.keys()) this.deleteLimit(lineTo(quota, 'group', id).field);
    }
  }

  private group(id: string): Group | undefined {
    const group = this.groups.get(id);
    if (group !== undefined) return group.alive ? group : undefined;
    return groupIn(this.before.tables, id);
  }

  private putUser(id: string, stated: Users[string]): void {
    const field = `users/${id}`;
    const userKey = userKeyOf(id);
    if (userKey === undefined) throw invalid(field, 'must be at most 256 bytes of valid Unicode');
    const { tables, now } = this.before;
    const before = memberIn(tables, userKey);
    const profile: Profile =
      before === undefined ? { name: '', email: '', role: '', createdAt: now } : profileIn(tables, userKey);
    const { name = profile.name, email = profile.email, role = profile.role } = stated;
    const groups = stated.groups?.map((group) => {
      const found = this.group(group);
      if (found === undefined) throw invalid(`${field}/groups`, `group ${group} not found`);
      return { group, generation: found.generation };
    });
    const status = stated.status ?? before?.status ?? 'active';
    this.putMember(userKey, {
      before: before === undefined ? undefined : { member: before, profile },
      after: {
        member: { status, groups: groups === undefined ? (before?.groups ?? []) : kept(before, groups) },
        profile: { ...profile, name, email, role },
      },
    });
  }

  private putMember(
    userKey: string,
    { before, after }: { before: KnownUser | undefined; after: KnownUser },
  ): void {
    this.members.set(userKey, after.member);
    const changes = [
      ...memberChange(userKey, before?.member, after.member),
      ...profileChange(userKey, before?.profile, after.profile),
    ];
    if (changes.length === 0) return;
    this.changes.push(...changes);
    this.seatsUsed += seats(after.member.status) - seats(before?.member.status);
    const action = before === undefined ? 'user.add' : 'user.change';
    const from = before === undefined ? null : snapshot(before.member, before.profile);
    this.note(action, `user:${userIdOf(userKey)}`, { from, to: snapshot(after.member, after.profile) });
  }

  private pruneUsers(stated: Users): void {
    const { tables } = this.before;
    for (const userKey of fieldsOf(tables, 'members').keys()) {
      const member = memberIn(tables, userKey);
      if (member === undefined || member.status === 'removed') continue;
      if (Object.hasOwn(stated, userIdOf(userKey))) continue;
      const profile = profileIn(tables, userKey);
      const before = { member, profile };
      this.putMember(userKey, { before, after: { member: { ...member, status: 'removed' }, profile } });
    }
  }

  private putLimit(stated: Limits[number], at: string): void {
    const { quotas, tables, now } = this.before;
    const definition = definitionOf(quotas, stated.quota, `${at}quota`);
    const line = this.lineOf(stated, at);
    if (this.limits.has(line.field) && this.limits.get(line.field) !== undefined)
      throw invalid(at.slice(0, -1), `${line.field} already has a limit`);
    const before = limitIn(tables, line.field);
    if (before === undefined && stated.units === undefined && stated.percent === undefined)
      throw invalid(`${at}units`, 'state units or percent');
    const base = before ?? NO_LIMIT;
    const limit = {
      ...capIn(stated, { before: base, definition, at }),
      shadow: stated.shadow ?? base.shadow,
    };
    this.limits.set(line.field, limit);
    checkCap({ pools: this.pools }, { line, limit, at });
    const value = encodeLimit(limit);
    if (before !== undefined && value === encodeLimit(before)) return;
    this.changes.push({ set: 'limits', field: line.field, value });
    const units = (pools: ReadonlyMap<string, Pool>): number => pools.get(line.quota)?.units ?? 0;
    if (
      before !== undefined &&
      capOf(limit, units(this.pools), now) > capOf(before, units(this.before.pools), now)
    )
      this.changes.push(...this.before.rearm(line.field));
    const out = (one: Limit) => ({ ...capOut(one, definition), shadow: one.shadow });
    const action = before === undefined ? 'limit.add' : 'limit.change';
    this.note(action, `limit:${line.field}`, {
      from: before === undefined ? null : out(before),
      to: out(limit),
    });
  }

  private lineOf({ quota, user, group }: Limits[number], at: string) {
    if ((user === undefined) === (group === undefined))
      throw invalid(`${at}user`, 'state either user or group');
    if (group !== undefined) {
      if (this.group(group) === undefined) throw invalid(`${at}group`, `group ${group} not found`);
      return lineTo(quota, 'group', group);
    }
    const userKey = userKeyOf(user ?? '');
    const member = userKey === undefined ? undefined : this.member(userKey);
    if (userKey === undefined || member === undefined || member.status === 'removed')
      throw invalid(`${at}user`, `user ${user} not found`);
    return lineTo(quota, 'user', userKey);
  }

  private member(userKey: string): Member | undefined {
    return this.members.get(userKey) ?? memberIn(this.before.tables, userKey);
  }

  private pruneLimits(): void {
    for (const field of fieldsOf(this.before.tables, 'limits').keys())
      if (!this.limits.has(field)) this.deleteLimit(field);
  }

  private deleteLimit(field: string): void {
    const line = parseLine(field);
    const limit = limitIn(this.before.tables, field);
    const definition = this.before.quotas.get(line?.quota ?? '');
    if (limit === undefined || definition === undefined) return;
    this.limits.set(field, undefined);
    this.changes.push(...limitDeletion(field));
    this.note('limit.delete', `limit:${field}`, {
      from: { ...capOut(limit, definition), shadow: limit.shadow },
      to: null,
    });
  }

  /** A smaller pool, now or from the next cycle on, must leave no percentage limit with nothing, unless it is meant to stop everything. */
  private checkPools(): void {
    for (const [quota, { plan, next, extra }] of this.pools) {
      const before = this.before.pools.get(quota);
      if (before === undefined) continue;
      this.checkCaps({
        quota,
        plan,
        units: plan.allowance + extra,
        before: before.units,
        field: 'allowance',
      });
      if (next === undefined || isSamePlan(next, before.next)) continue;
      const units = next.allowance + extra;
      this.checkCaps({ quota, plan: next, units, before: before.units, field: 'next/allowance' });
    }
  }

  private checkCaps({ quota, plan, units, before, field }: PoolChange): void {
    if (units >= before || (plan.mode === 'hard' && units === 0)) return;
    let emptied = 0;
    for (const [line, text] of fieldsOf(this.before.tables, 'limits')) {
      const limit = this.limits.has(line) ? this.limits.get(line) : decodeLimit(text);
      if (limit === undefined || limit.percent === 0 || parseLine(line)?.quota !== quota) continue;
      if (capOf({ ...limit, raiseUntil: 0 }, units, this.before.now) === 0) emptied += 1;
    }
    if (emptied > 0)
      throw invalid(`plans/${quota}/${field}`, `would set the cap of ${emptied} percent limits to 0`, {
        limits: emptied,
      });
  }
}

interface PoolChange {
  readonly quota: string;
  readonly plan: Plan;
  readonly units: number;
  /** Units of the present pool. */
  readonly before: number;
  readonly field: string;
}

interface KnownUser {
  readonly member: Member;
  readonly profile: Profile;
}

function seats(status: UserStatus | undefined): number {
  return status === 'active' ? 1 : 0;
}

/** The present memberships, in their order, if they are the stated ones. */
function kept(before: Member | undefined, stated: Member['groups']): Member['groups'] {
  if (before === undefined) return stated;
  const text = (groups: Member['groups']) =>
    encodeMember({ status: 'active', groups: [...groups].sort((a, b) => (a.group < b.group ? -1 : 1)) });
  return text(before.groups) === text(stated) ? before.groups : stated;
}
