/** A user in the API's form: profile, groups, and per quota the user's limit and what really remains. */
import { lastActive } from '../../history/last-active.js';
import { encodeMember, type Member } from '../../ledger/codec.js';
import type { Table } from '../../ledger/port.js';
import {
  figuresOf,
  instant,
  limitIn,
  limitStanding,
  lineTo,
  quotaOf,
  type Standing,
} from '../../ledger/view/limit-lines.js';
import { type OrgView, type Tables, textIn } from '../../ledger/view/org-view.js';
import { userIdOf } from '../../quota/id.js';
import { formatUnits } from '../../quota/units.js';
import type { Admin } from '../admin.js';
import { percentOut } from '../http/amounts.js';
import { etagOf } from '../http/etag.js';
import { limitTables } from '../limits/limit-view.js';
import { poolStanding } from '../plans/pools.js';
import { liveMember } from './members.js';
import { profileField, profileIn } from './profile.js';

/** When users were last active, in ms by user key; without users who were not. */
export function activeTimes({ ledger, retention }: Admin, view: OrgView, userKeys: readonly string[]) {
  const { id: org, now, rule } = view;
  return lastActive(ledger, { org, timeZone: rule.timeZone, now, retention, userKeys });
}

/** By user key: the member `lastActiveAt` of users that are read. */
export async function lastActiveOf(admin: Admin, view: OrgView, userKeys: readonly string[]) {
  const found = await activeTimes(admin, view, userKeys);
  return (userKey: string): { readonly lastActiveAt: string | null } => {
    const at = found.get(userKey);
    return { lastActiveAt: at === undefined ? null : instant(at) };
  };
}

/** Tables that `userView` reads. */
export function userTables(start: number): Table[] {
  return ['members', ...limitTables(start)];
}

export function etagOfUser(tables: Tables, userKey: string, member: Member): string {
  return etagOf('user', userKey, encodeMember(member), textIn(tables, 'records', profileField(userKey)));
}

export function userView(view: OrgView, userKey: string, member: Member) {
  const { tables, quotas } = view;
  const { name, email, role, createdAt } = profileIn(tables, userKey);
  const groups = liveMember(tables, member).groups.map(({ group }) => group);
  const views: Record<string, QuotaView> = {};
  for (const quota of quotas.keys()) views[quota] = quotaView(view, { userKey, groups }, quota);
  return {
    id: userIdOf(userKey),
    name,
    email,
    role,
    status: member.status,
    groups,
    createdAt: createdAt === undefined ? null : instant(createdAt),
    quotas: views,
    etag: etagOfUser(tables, userKey, member),
  };
}

interface QuotaView {
  /** Id of the user's own limit, null without one. */
  readonly limit: string | null;
  /** Of the pool, if the user's own limit is set so. */
  readonly percent: number | null;
  readonly cap: number | null;
  readonly consumed: number;
  readonly held: number;
  /** Of the user's own limit. */
  readonly left: number | null;
  /** The minimum of all hard limits that apply: the user's, the groups', the pool. */
  readonly effectiveLeft: number | null;
  readonly status: Standing['status'];
}

interface UserInGroups {
  readonly userKey: string;
  readonly groups: readonly string[];
}

function quotaView(view: OrgView, user: UserInGroups, quota: string): QuotaView {
  const { decimals } = quotaOf(view, quota);
  const out = (units: number | undefined): number | null =>
    units === undefined ? null : formatUnits(units, decimals);
  const line = lineTo(quota, 'user', user.userKey);
  const own = limitIn(view.tables, line.field);
  const standing = own === undefined ? undefined : limitStanding(view, line, own);
  const { consumed, held } = figuresOf(view, line.field);
  return {
    limit: own === undefined ? null : line.field,
    percent: own === undefined || own.percent === 0 ? null : percentOut(own.percent),
    cap: out(standing?.cap),
    consumed: formatUnits(consumed, decimals),
    held: formatUnits(held, decimals),
    left: out(standing?.remaining),
    effectiveLeft: out(leastLeft(view, user, quota)),
    status: standing?.status ?? 'ok',
  };
}

function leastLeft(view: OrgView, { userKey, groups }: UserInGroups, quota: string): number | undefined {
  const lines = [lineTo(quota, 'user', userKey), ...groups.map((group) => lineTo(quota, 'group', group))];
  const left: number[] = [];
  for (const line of lines) {
    const limit = limitIn(view.tables, line.field);
    if (limit !== undefined && !limit.shadow) left.push(limitStanding(view, line, limit).remaining);
  }
  const pool = view.pools.get(quota);
  if (pool?.plan.mode === 'hard') left.push(poolStanding(view, quota, pool).remaining);
  return left.length === 0 ? undefined : Math.min(...left);
}
