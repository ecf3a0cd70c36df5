/** A user as people read them: profile, groups, and per quota the own limit and what is really left. */
import { encodeMember, type Member } from '../ledger/codec.js';
import type { Table } from '../ledger/port.js';
import { type OrgBook, type Tables, textIn } from '../ledger/view/book.js';
import { figuresOf, instant, limitIn, limitStanding, lineTo, quotaOf } from '../ledger/view/lines.js';
import { userOfToken } from '../quota/id.js';
import { formatUnits } from '../quota/units.js';
import { etagOf } from './etag.js';
import { limitTables } from './lines.js';
import { liveMember } from './members.js';
import { poolStanding } from './pools.js';
import { profileField, profileIn } from './profile.js';

/** Tables that `userView` reads. */
export function userTables(start: number): Table[] {
  return ['members', ...limitTables(start)];
}

export function etagOfUser(tables: Tables, token: string, member: Member): string {
  return etagOf('user', token, encodeMember(member), textIn(tables, 'records', profileField(token)));
}

export function userView(book: OrgBook, token: string, member: Member) {
  const { tables, quotas } = book;
  const { name, email, role, createdAt } = profileIn(tables, token);
  const groups = liveMember(tables, member).groups.map(({ group }) => group);
  const views: Record<string, QuotaView> = {};
  for (const quota of quotas.keys()) views[quota] = quotaView(book, token, groups, quota);
  return {
    id: userOfToken(token),
    name,
    email,
    role,
    status: member.status,
    groups,
    createdAt: createdAt === undefined ? null : instant(createdAt),
    quotas: views,
    etag: etagOfUser(tables, token, member),
  };
}

interface QuotaView {
  /** Id of the user's own limit, null without one. */
  readonly limit: string | null;
  readonly cap: number | null;
  readonly consumed: number;
  readonly held: number;
  /** Of the own limit. */
  readonly left: number | null;
  /** The least of all hard limits that apply: own, groups', pool. */
  readonly effectiveLeft: number | null;
  readonly status: string;
}

function quotaView(book: OrgBook, token: string, groups: readonly string[], quota: string): QuotaView {
  const { decimals } = quotaOf(book, quota);
  const out = (units: number | undefined): number | null =>
    units === undefined ? null : formatUnits(units, decimals);
  const line = lineTo(quota, 'user', token);
  const own = limitIn(book.tables, line.field);
  const standing = own === undefined ? undefined : limitStanding(book, line, own);
  const { consumed, held } = figuresOf(book, line.field);
  return {
    limit: own === undefined ? null : line.field,
    cap: out(standing?.cap),
    consumed: formatUnits(consumed, decimals),
    held: formatUnits(held, decimals),
    left: out(standing?.remaining),
    effectiveLeft: out(leastLeft(book, token, groups, quota)),
    status: standing?.status ?? 'ok',
  };
}

function leastLeft(
  book: OrgBook,
  token: string,
  groups: readonly string[],
  quota: string,
): number | undefined {
  const lines = [lineTo(quota, 'user', token), ...groups.map((group) => lineTo(quota, 'group', group))];
  const left: number[] = [];
  for (const line of lines) {
    const limit = limitIn(book.tables, line.field);
    if (limit !== undefined && !limit.shadow) left.push(limitStanding(book, line, limit).remaining);
  }
  const pool = book.pools.get(quota);
  if (pool?.plan.mode === 'hard') left.push(poolStanding(book, quota, pool).remaining);
  return left.length === 0 ? undefined : Math.min(...left);
}
