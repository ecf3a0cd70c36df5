/** Writes: read the org, decide, commit with the audit entry if nothing changed since; otherwise retry. */
import { ProblemError } from '../../errors/catalogue.js';
import type { Change } from '../../ledger/port.js';
import {
  allWants,
  type FoundOrg,
  findOrg,
  type OrgView,
  type OrgWants,
  orgViewOf,
  readOrg,
} from '../../ledger/view/org-view.js';
import type { Admin } from '../admin.js';
import { notFound } from '../http/problems.js';

/** What every write carries: the org, the author, the reason, and the expected ETag. */
export interface WriteContext {
  readonly org: string;
  readonly who: string;
  readonly reason: string | undefined;
  readonly ifMatch: string | undefined;
}

interface Asked {
  readonly params: { readonly org: string };
  readonly access: { readonly who: string };
  readonly headers: { readonly 'if-match'?: string | undefined };
}

export function writeContext({ params, access, headers }: Asked, reason: string | undefined): WriteContext {
  return { org: params.org, who: access.who, reason, ifMatch: headers['if-match'] };
}

/** An audit log entry without time, author and reason. Amounts are in the quota's unit. */
export interface AuditEvent {
  readonly action: string;
  /** `org`, `plan:ai`, `user:ann`, `limit:ai:u:ann` … */
  readonly subject: string;
  readonly from?: unknown;
  readonly to?: unknown;
}

/** Changes and their audit event; without an event, nothing changes. */
interface Changes {
  readonly changes: readonly Change[];
  readonly auditEvent?: AuditEvent;
}

/** A response that is known before the commit. */
interface Known<Answer> {
  readonly answer: Answer;
}

/** A response that shows the org after the commit, which reads `wants` in the same step. */
interface Shown<Answer> {
  readonly wants: OrgWants;
  readonly show: (view: OrgView) => Answer;
}

export type WritePlan<Answer> = Changes & (Known<Answer> | Shown<Answer>);

export const UNCHANGED: WritePlan<undefined> = { changes: [], answer: undefined };

export interface Write<Answer> {
  /** What `decide` reads in addition to the org. */
  readonly reads?: OrgWants;
  /** A read that has already started; later reads are started here. */
  readonly begun?: Promise<FoundOrg> | undefined;
  /** If it throws, the org is unchanged. */
  readonly decide: (view: OrgView) => WritePlan<Answer> | Promise<WritePlan<Answer>>;
  /** Called if the org does not exist, with the store's time. Absent: not found. */
  readonly create?: (now: number) => WritePlan<Answer>;
  /** An archived org is accepted too. */
  readonly archivedToo?: boolean;
}

const TRIES_MAX = 8;

/** Reads once, decides, and commits once; retries after a concurrent change. */
export async function changeOrg<Answer>(
  admin: Admin,
  context: WriteContext,
  write: Write<Answer>,
): Promise<Answer> {
  return admin.mutex.run(context.org, () => tryChange(admin, context, write));
}

async function tryChange<Answer>(admin: Admin, context: WriteContext, write: Write<Answer>): Promise<Answer> {
  const { org } = context;
  for (let attempt = 0; attempt < TRIES_MAX; attempt += 1) {
    const begun = attempt === 0 ? write.begun : undefined;
    const { view, now } = await (begun ?? findOrg(admin, org, write.reads));
    const plan = view === undefined ? write.create?.(now) : await decideOn(view, write);
    if (plan === undefined) throw notFound(`org ${org}`);
    const { version = 0, cycle: { start } = { start: 0 } } = view ?? {};
    const { auditEvent } = plan;
    if (auditEvent === undefined) return 'show' in plan ? showNow(admin, { org, start }, plan) : plan.answer;
    const audit = auditText(now, context, auditEvent);
    const done = await commit(admin, org, { version, start, audit, plan });
    if (done !== undefined) return done.answer;
  }
  throw new ProblemError('store-busy', 'too many concurrent changes to the org, try again');
}

function decideOn<Answer>(view: OrgView, { decide, archivedToo }: Write<Answer>) {
  if (!view.open && archivedToo !== true)
    throw new ProblemError('org-archived', `The org ${view.id} is archived`);
  return decide(view);
}

/** `start`: of the cycle that was read. */
async function showNow<Answer>(
  admin: Admin,
  { org, start }: { readonly org: string; readonly start: number },
  { wants, show }: Shown<Answer>,
): Promise<Answer> {
  const view = await readOrg(admin, org, typeof wants === 'function' ? wants(start) : wants);
  return show(view.cycle.start === start ? view : await readOrg(admin, org, wants));
}

interface PlannedCommit<Answer> {
  readonly version: number;
  /** Fields of the present cycle: at the same version, it is the cycle that was read. */
  readonly start: number;
  readonly audit: string;
  readonly plan: WritePlan<Answer>;
}

/** Undefined: the version of the org has changed. */
async function commit<Answer>(
  admin: Admin,
  org: string,
  { version, start, audit, plan }: PlannedCommit<Answer>,
): Promise<Known<Answer> | undefined> {
  const { ledger, quotas, snapshots } = admin;
  const { changes } = plan;
  const wants = 'show' in plan ? allWants(quotas, plan.wants, start) : [];
  const snapshot = await ledger.commit(org, { version, changes, audit, wants });
  snapshots.forget(org);
  if (snapshot === undefined) return undefined;
  if (!('show' in plan)) return plan;
  const after = orgViewOf({ id: org, quotas, wants, snapshot });
  // The cycle ended meanwhile: the response shows the new one, like any read.
  const isOver = after.now >= after.cycle.end;
  return { answer: plan.show(isOver ? await readOrg(admin, org, plan.wants) : after) };
}

export function auditText(
  at: number,
  { who, reason = '' }: Pick<WriteContext, 'who' | 'reason'>,
  auditEvent: AuditEvent,
): string {
  const { action, subject, from = null, to = null } = auditEvent;
  return JSON.stringify({ at, who, action, subject, from, to, reason });
}
