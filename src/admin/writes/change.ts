/** Writes: read the org, decide, commit with the audit entry if nothing changed since; otherwise retry. */
import { ProblemError } from '../../errors/catalogue.js';
import { commitAll } from '../../ledger/large-commit.js';
import {
  type Change,
  type Commit,
  type Expectation,
  type Snapshot,
  STAGED_TABLES,
  type Want,
} from '../../ledger/port.js';
import {
  allWants,
  type FoundOrg,
  findOrg,
  NOTHING_ELSE,
  type OrgView,
  type OrgWants,
  orgViewOf,
  readOrg,
  textIn,
} from '../../ledger/view/org-view.js';
import type { Admin } from '../admin.js';
import { notFound } from '../http/problems.js';
import { keepAnswer, keptAnswer, type Once, onceWant } from './idempotency.js';

/** What every write carries: the org, the author, the reason, and the expected ETag. */
export interface WriteContext {
  readonly org: string;
  readonly who: string;
  readonly reason: string | undefined;
  readonly ifMatch: string | undefined;
  readonly once?: Once | undefined;
}

interface Asked {
  readonly params: { readonly org: string };
  readonly access: { readonly who: string };
  readonly headers: { readonly 'if-match'?: string | undefined };
  readonly once: Once | undefined;
}

export function writeContext(
  { params, access, headers, once }: Asked,
  reason: string | undefined,
): WriteContext {
  return { org: params.org, who: access.who, reason, ifMatch: headers['if-match'], once };
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
  /** What the changes depend on besides the org and `reads`. */
  readonly expects?: readonly Expectation[] | undefined;
  readonly auditEvent?: AuditEvent | undefined;
}

/** A response that is known before the commit. */
interface Known<Answer> {
  readonly answer: Answer;
  /** The answer of a repetition, where the first one has a secret. */
  readonly repeated?: Answer;
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
  /**
   * The commit expects what was read, not the org's version: for writes that take long or meet many others. What `decide` reads
   * by itself must then be in `expects`, or in `was` of the changes.
   */
  readonly anyVersion?: boolean;
}

const TRIES_MAX = 8;

/** Reads once, decides, and commits once; retries after a concurrent change. */
export async function changeOrg<Answer>(
  admin: Admin,
  context: WriteContext,
  write: Write<Answer>,
): Promise<Answer> {
  return admin.mutex.runOnce(context, () => tryChange(admin, context, write));
}

/** What to read before the decision: what it needs, and the answer to an earlier request with the same key. */
function readsOf<Answer>({ once }: WriteContext, { reads = NOTHING_ELSE }: Write<Answer>): OrgWants {
  if (once === undefined) return reads;
  if (typeof reads === 'function') return (start) => [...reads(start), onceWant(once)];
  return [...reads, onceWant(once)];
}

function firstAnswer({ once }: WriteContext, view: OrgView | undefined): { answer: unknown } | undefined {
  if (once === undefined || view === undefined) return undefined;
  return keptAnswer(once, textIn(view.tables, 'requests', once.field), view.now);
}

async function tryChange<Answer>(admin: Admin, context: WriteContext, write: Write<Answer>): Promise<Answer> {
  const { org } = context;
  for (let attempt = 0; attempt < TRIES_MAX; attempt += 1) {
    const begun = attempt === 0 ? write.begun : undefined;
    const found = await findSettled(admin, org, { reads: readsOf(context, write), begun });
    const { view, now } = found;
    const first = firstAnswer(context, view);
    if (first !== undefined) return first.answer as Answer;
    const plan = view === undefined ? write.create?.(now) : await decideOn(view, write);
    if (plan === undefined) throw notFound(`org ${org}`);
    const { start } = view?.cycle ?? { start: 0 };
    const { auditEvent } = plan;
    if (auditEvent === undefined) return 'show' in plan ? showNow(admin, { org, start }, plan) : plan.answer;
    const audit = auditText(now, context, auditEvent);
    const condition = conditionOf(found, write, plan.expects);
    const kept = await withAnswer(admin, context, { version: condition.version, start, now, plan });
    const done = kept && (await commit(admin, org, { condition, start, audit, plan: kept }));
    if (done !== undefined) return done.answer;
  }
  throw new ProblemError('store-busy', 'too many concurrent changes to the org, try again');
}

interface Begun {
  readonly reads: OrgWants;
  readonly begun: Promise<FoundOrg> | undefined;
}

/** While a large change is being moved into place, no other change can be committed. */
async function findSettled(admin: Admin, org: string, { begun, reads }: Begun): Promise<FoundOrg> {
  const found = await (begun ?? findOrg(admin, org, reads));
  if (found.view?.isMoving !== true) return found;
  await admin.ledger.endStaging(org);
  return findOrg(admin, org, reads);
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

interface Planned<Answer> {
  /** Undefined: any. */
  readonly version: number | undefined;
  readonly start: number;
  readonly now: number;
  readonly plan: WritePlan<Answer>;
}

/**
 * Adds the answer to the changes, where a repetition will ask for it: it shows the org as it was just before the commit, with the
 * changes. Undefined: the version of the org has changed.
 */
async function withAnswer<Answer>(
  { ledger, quotas }: Admin,
  { org: id, once }: WriteContext,
  { version, start, now, plan }: Planned<Answer>,
): Promise<WritePlan<Answer> | undefined> {
  if (once === undefined) return plan;
  const { changes, auditEvent } = plan;
  const keep = (kept: Answer) => ({ auditEvent, changes: [...changes, keepAnswer(once, now, kept)] });
  if (!('show' in plan)) return { ...plan, ...keep('repeated' in plan ? plan.repeated : plan.answer) };
  const wants = allWants(quotas, plan.wants, start);
  const before = await ledger.read(id, wants);
  if (version !== undefined && before.version !== version) return undefined;
  const answer = plan.show(orgViewOf({ id, quotas, wants, snapshot: afterChanges(before, wants, changes) }));
  return { ...keep(answer), answer };
}

/** What `wants` will read after the changes. */
function afterChanges(before: Snapshot, wants: readonly Want[], changes: readonly Change[]): Snapshot {
  const fields = new Map(
    wants.flatMap(({ table, fields }, at) =>
      fields.map((field, place): [string, string | null] => [
        `${table} ${field}`,
        before.values[at]?.[place] ?? null,
      ]),
    ),
  );
  for (const change of changes) {
    if ('set' in change) fields.set(`${change.set} ${change.field}`, change.value);
    else if ('del' in change) fields.set(`${change.del} ${change.field}`, null);
    else {
      const name = `${change.incr} ${change.field}`;
      fields.set(name, String(Number(fields.get(name) ?? 0) + change.by));
    }
  }
  const values = wants.map((want) =>
    want.fields.map((field) => fields.get(`${want.table} ${field}`) ?? null),
  );
  return { ...before, version: before.version + 1, values };
}

type Condition = Pick<Commit, 'version' | 'expects'>;

/** Fields of the org that decisions change; a write that depends on seats states it (`most`). */
const MOVING_FIELDS: readonly string[] = ['seatsUsed', 'limitsVersion'];
const DIRECTORY: readonly string[] = [...STAGED_TABLES, 'keys', 'requests'];

function conditionOf<Answer>(
  { view, read }: FoundOrg,
  { anyVersion }: Write<Answer>,
  more: readonly Expectation[] = [],
): Condition {
  const [org, ...others] = read;
  const expects = [...others.filter(({ table }) => DIRECTORY.includes(table)), ...more];
  if (anyVersion !== true || org === undefined) return { version: view?.version ?? 0, expects };
  return { expects: [withoutMoving(org), ...expects] };
}

function withoutMoving({ table, fields, values }: Expectation): Expectation {
  const kept = fields.map((field) => !MOVING_FIELDS.includes(field) && !field.startsWith('carry:'));
  return {
    table,
    fields: fields.filter((_, at) => kept[at] === true),
    values: values.filter((_, at) => kept[at] === true),
  };
}

interface PlannedCommit<Answer> {
  readonly condition: Condition;
  /** Fields of the present cycle: it is the cycle that was read, or nothing is changed. */
  readonly start: number;
  readonly audit: string;
  readonly plan: WritePlan<Answer>;
}

/** Undefined: what the change depends on has changed. */
async function commit<Answer>(
  admin: Admin,
  org: string,
  { condition, start, audit, plan }: PlannedCommit<Answer>,
): Promise<Known<Answer> | undefined> {
  const { ledger, quotas, snapshots } = admin;
  const { changes } = plan;
  const wants = 'show' in plan ? allWants(quotas, plan.wants, start) : [];
  const snapshot = await commitAll(ledger, org, { ...condition, changes, audit, wants });
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
