/**
 * Requests of callers for a raise of a limit. Each limit has at most one, in table `notices` under its own field, written in one step
 * with its event. It is open until an admin answers it, or its cycle ends. It is deleted with its limit, or with its event.
 */
import type { Change, NoticeField, OrgStore } from '../ledger/port.js';
import { scanAll } from '../ledger/scan-all.js';
import {
  figuresOf,
  instant,
  type LimitLine,
  limitIn,
  limitStanding,
  quotaOf,
} from '../ledger/view/limit-lines.js';
import { type OrgView, textIn } from '../ledger/view/org-view.js';
import { userIdOf } from '../quota/id.js';
import { formatUnits } from '../quota/units.js';
import type { Notice } from './notice.js';

export type RaiseState = 'open' | 'raised' | 'declined';

export interface RaiseRequest {
  readonly at: number;
  /** Start of the cycle in which it was made. */
  readonly cycle: number;
  /** Id of the user who asks. */
  readonly user: string;
  /** Internal units on top of the limit; null: the user states none. */
  readonly units: number | null;
  readonly reason: string;
  readonly state: RaiseState;
  /** Absent while it is open. */
  readonly answer?: { readonly at: number; readonly by: string; readonly reason: string };
}

const PREFIX = 'raise:';
/** After a request, the next one for the same limit. */
const AGAIN_MS = 24 * 3_600_000;

export function raiseRequestField(limit: string): string {
  return PREFIX + limit;
}

/** Deletes a limit, and with it the request for its raise. */
export function limitDeletion(limit: string): Change[] {
  return [
    { del: 'limits', field: limit },
    { del: 'notices', field: raiseRequestField(limit) },
  ];
}

/** The requests in table `notices`, by the id of their limit. */
export function raiseRequestsIn(table: Iterable<readonly [string, string]>): Map<string, RaiseRequest> {
  const found = new Map<string, RaiseRequest>();
  for (const [field, text] of table)
    if (field.startsWith(PREFIX)) found.set(field.slice(PREFIX.length), raiseRequestIn(text));
  return found;
}

export function raiseRequestIn(text: string): RaiseRequest {
  return JSON.parse(text) as RaiseRequest;
}

/** `expired`: nobody answered it in its cycle. */
export function stateOf({ state, cycle }: RaiseRequest, now: InCycle): RaiseState | 'expired' {
  return state === 'open' && cycle !== now.cycle.start ? 'expired' : state;
}

interface InCycle {
  readonly cycle: { readonly start: number };
}

type CleanedStore = Pick<OrgStore, 'scan' | 'read' | 'stepNotices'>;

/** Of one step: limits the run time of the store. */
const FORGOTTEN_AT_ONCE = 100;

/** Deletes requests whose limit is gone, and those that are not open and older than the events are kept. */
export async function forgetRaiseRequests(ledger: CleanedStore, org: string, keptMs: number): Promise<void> {
  const fields = [...(await scanAll(ledger, org, 'notices'))].filter(([field]) => field.startsWith(PREFIX));
  for (let from = 0; from < fields.length; from += FORGOTTEN_AT_ONCE) {
    const some = fields.slice(from, from + FORGOTTEN_AT_ONCE);
    const limits = some.map(([field]) => field.slice(PREFIX.length));
    const { now, values } = await ledger.read(org, [
      { table: 'limits', fields: limits },
      { table: 'org', fields: ['start'] },
    ]);
    const [present = [], [start] = []] = values;
    const cycle = { start: Number(start) };
    const isPast = (request: RaiseRequest): boolean =>
      stateOf(request, { cycle }) !== 'open' && now - request.at >= keptMs;
    const old = some.filter(([, text], index) => present[index] === null || isPast(raiseRequestIn(text)));
    if (old.length === 0) continue;
    const changes = old.map(([field]): NoticeField => [field, null]);
    // Another change was faster: tomorrow.
    if (!(await ledger.stepNotices(org, { expects: old, changes, events: [] }))) return;
  }
}

/** When the limit may be asked for again; undefined: now. `open`: when the open request is answered. */
export function askedAgainAt(request: RaiseRequest, view: OrgView): number | 'open' | undefined {
  if (stateOf(request, view) === 'open') return 'open';
  return view.now < request.at + AGAIN_MS ? request.at + AGAIN_MS : undefined;
}

/** An event: who asks for how much, and how the limit stands. */
export interface RaiseNotice extends Omit<Notice, 'kind' | 'threshold'> {
  readonly kind: 'raise-request';
  readonly reason: string;
}

export interface Asked {
  readonly line: LimitLine;
  /** User key of the caller. */
  readonly user: string;
  readonly units: number | null;
  readonly reason: string;
}

export interface AskOptions {
  readonly ledger: Pick<OrgStore, 'stepNotices'>;
  /** With the limit, its figures, its request and its subject's name. */
  readonly view: OrgView;
  readonly name: string;
}

/** Writes the request; undefined: another one was faster. */
export async function ask(
  { ledger, view, name }: AskOptions,
  asked: Asked,
): Promise<RaiseRequest | undefined> {
  const { line, user, units, reason } = asked;
  const field = raiseRequestField(line.field);
  const before = textIn(view.tables, 'notices', field) ?? null;
  const request: RaiseRequest = {
    at: view.now,
    cycle: view.cycle.start,
    user: userIdOf(user),
    units,
    reason,
    state: 'open',
  };
  const expects: NoticeField[] = [[field, before]];
  const changes: NoticeField[] = [[field, JSON.stringify(request)]];
  const events = [JSON.stringify(noticeOf(view, name, asked))];
  const isWritten = await ledger.stepNotices(view.id, { expects, changes, events });
  return isWritten ? request : undefined;
}

function noticeOf(view: OrgView, name: string, { line, user, units, reason }: Asked): RaiseNotice {
  const { quota, scope, subject, field } = line;
  const { unit, decimals } = quotaOf(view, quota);
  const limit = limitIn(view.tables, field);
  const { cap } = limit === undefined ? { cap: 0 } : limitStanding(view, line, limit);
  return {
    at: instant(view.now),
    kind: 'raise-request',
    scope,
    subject: scope === 'user' ? userIdOf(subject) : subject,
    name,
    quota,
    unit,
    action: '',
    user: userIdOf(user),
    limit: formatUnits(cap, decimals),
    consumed: formatUnits(figuresOf(view, field).consumed, decimals),
    ...(units === null ? {} : { requested: formatUnits(units, decimals) }),
    reason,
    cycleStart: instant(view.cycle.start),
    resetsAt: instant(view.cycle.end),
  };
}
