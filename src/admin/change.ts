/** Writes: decided on what was read, made only if nothing changed since, with their audit entry in the same step. */
import { ProblemError } from '../errors/catalogue.js';
import type { Change } from '../ledger/port.js';
import type { Admin } from './admin.js';
import { type OrgBook, openBook, type WantsOf } from './book.js';

/** An entry of the audit log but for its time and author. Figures stand in it as people read them. */
export interface Deed {
  readonly action: string;
  /** `org`, `plan:ai`, `user:ann`, `limit:ai:u:ann` … */
  readonly subject: string;
  readonly from?: unknown;
  readonly to?: unknown;
  readonly reason?: string | undefined;
}

export interface Step<Answer> {
  readonly changes: readonly Change[];
  readonly deed?: Deed;
  readonly answer: Answer;
}

const TRIES_MAX = 8;

/**
 * Reads, decides and commits, again where someone else was faster. A step without deed changes nothing; what `decide`
 * throws leaves the org as it is.
 */
export async function changeOrg<Answer>(
  admin: Admin,
  org: string,
  who: string,
  wantsOf: WantsOf,
  decide: (book: OrgBook) => Step<Answer> | Promise<Step<Answer>>,
): Promise<Answer> {
  const { ledger, quotas, snapshots } = admin;
  for (let attempt = 0; attempt < TRIES_MAX; attempt += 1) {
    const book = await openBook(ledger, quotas, org, wantsOf);
    if (!book.open) throw new ProblemError('org-archived', `The org ${org} is archived`);
    const { changes, deed, answer } = await decide(book);
    if (deed === undefined) return answer;
    const audit = auditText(book.now, who, deed);
    const version = await ledger.commit(org, { version: book.version, changes, audit });
    snapshots.forget(org);
    if (version !== undefined) return answer;
  }
  throw new ProblemError('store-busy', 'Others changed the org at the same time, again and again');
}

export function auditText(at: number, who: string, deed: Deed): string {
  const { action, subject, from, to, reason } = deed;
  return JSON.stringify({
    at,
    who,
    action,
    subject,
    from: from ?? null,
    to: to ?? null,
    reason: reason ?? '',
  });
}
