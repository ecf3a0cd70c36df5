/** Writes: decided on what was read, made only if nothing changed since, with their audit entry in the same step. */
import { ProblemError } from '../errors/catalogue.js';
import type { Change } from '../ledger/port.js';
import { NOTHING_ELSE, type OrgBook, openBook, type WantsOf } from '../ledger/view/book.js';
import type { Admin } from './admin.js';

/** What every write states: where, by whom, why, and on what state of things. */
export interface Act {
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

export function actOf({ params, access, headers }: Asked, reason: string | undefined): Act {
  return { org: params.org, who: access.who, reason, ifMatch: headers['if-match'] };
}

/** An entry of the audit log but for its time, author and reason. Figures stand in it as people read them. */
export interface Deed {
  readonly action: string;
  /** `org`, `plan:ai`, `user:ann`, `limit:ai:u:ann` … */
  readonly subject: string;
  readonly from?: unknown;
  readonly to?: unknown;
}

export interface Step<Answer> {
  readonly changes: readonly Change[];
  /** Left out: nothing is changed. */
  readonly deed?: Deed;
  readonly answer: Answer;
}

export type Decide<Answer> = (book: OrgBook) => Step<Answer> | Promise<Step<Answer>>;

export const UNCHANGED: Step<undefined> = { changes: [], answer: undefined };

const TRIES_MAX = 8;

/**
 * Reads, decides and commits, again where someone else was faster. What `decide` throws leaves the org as it is.
 * `wantsOf`: what it needs to read besides the org.
 */
export async function changeOrg<Answer>(
  admin: Admin,
  act: Act,
  decide: Decide<Answer>,
  wantsOf: WantsOf = NOTHING_ELSE,
): Promise<Answer> {
  return admin.turns.take(act.org, () => tryChange(admin, act, decide, wantsOf));
}

async function tryChange<Answer>(
  admin: Admin,
  act: Act,
  decide: Decide<Answer>,
  wantsOf: WantsOf,
): Promise<Answer> {
  const { ledger, quotas, snapshots } = admin;
  const { org } = act;
  for (let attempt = 0; attempt < TRIES_MAX; attempt += 1) {
    const book = await openBook(ledger, quotas, org, wantsOf);
    if (!book.open) throw new ProblemError('org-archived', `The org ${org} is archived`);
    const { changes, deed, answer } = await decide(book);
    if (deed === undefined) return answer;
    const audit = auditText(book.now, act, deed);
    const version = await ledger.commit(org, { version: book.version, changes, audit });
    snapshots.forget(org);
    if (version !== undefined) return answer;
  }
  throw new ProblemError('store-busy', 'Others changed the org at the same time, again and again');
}

export function auditText(at: number, { who, reason = '' }: Pick<Act, 'who' | 'reason'>, deed: Deed): string {
  const { action, subject, from = null, to = null } = deed;
  return JSON.stringify({ at, who, action, subject, from, to, reason });
}
