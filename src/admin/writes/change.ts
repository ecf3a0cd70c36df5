/** Writes: read the org, decide, commit with the audit entry if nothing changed since; otherwise retry. */
import { ProblemError } from '../../errors/catalogue.js';
import type { Change } from '../../ledger/port.js';
import { NOTHING_ELSE, type OrgView, type OrgWants, readOrg } from '../../ledger/view/org-view.js';
import type { Admin } from '../admin.js';

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

export interface WritePlan<Answer> {
  readonly changes: readonly Change[];
  /** Left out: nothing changes. */
  readonly auditEvent?: AuditEvent;
  readonly answer: Answer;
}

export type Decide<Answer> = (view: OrgView) => WritePlan<Answer> | Promise<WritePlan<Answer>>;

export const UNCHANGED: WritePlan<undefined> = { changes: [], answer: undefined };

const TRIES_MAX = 8;

/**
 * Reads, decides and commits; retries after a concurrent change. If `decide` throws, the org is unchanged.
 * `wants`: what to read besides the org.
 */
export async function changeOrg<Answer>(
  admin: Admin,
  context: WriteContext,
  decide: Decide<Answer>,
  wants: OrgWants = NOTHING_ELSE,
): Promise<Answer> {
  return admin.mutex.run(context.org, () => tryChange(admin, context, decide, wants));
}

async function tryChange<Answer>(
  admin: Admin,
  context: WriteContext,
  decide: Decide<Answer>,
  wants: OrgWants,
): Promise<Answer> {
  const { ledger, quotas, snapshots } = admin;
  const { org } = context;
  for (let attempt = 0; attempt < TRIES_MAX; attempt += 1) {
    const view = await readOrg(ledger, quotas, org, wants);
    if (!view.open) throw new ProblemError('org-archived', `The org ${org} is archived`);
    const { changes, auditEvent, answer } = await decide(view);
    if (auditEvent === undefined) return answer;
    const audit = auditText(view.now, context, auditEvent);
    const version = await ledger.commit(org, { version: view.version, changes, audit });
    snapshots.forget(org);
    if (version !== undefined) return answer;
  }
  throw new ProblemError('store-busy', 'too many concurrent changes to the org, try again');
}

export function auditText(
  at: number,
  { who, reason = '' }: Pick<WriteContext, 'who' | 'reason'>,
  auditEvent: AuditEvent,
): string {
  const { action, subject, from = null, to = null } = auditEvent;
  return JSON.stringify({ at, who, action, subject, from, to, reason });
}
