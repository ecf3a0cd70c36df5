/** Imports users from CSV or JSON: all rows or none, in one step, with one audit entry. */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import Type from 'typebox';
import { ProblemError } from '../../errors/catalogue.js';
import { decodeGroup, decodeMember, encodeMember, type Member } from '../../ledger/codec.js';
import type { Change, Expectation } from '../../ledger/port.js';
import type { OrgView } from '../../ledger/view/org-view.js';
import { MANAGERS } from '../access/roles.js';
import type { Admin } from '../admin.js';
import { endpoint, ok } from '../http/endpoint.js';
import { named } from '../http/schema.js';
import { DryRun, Reason } from '../http/validate.js';
import { changeOrg, type WriteContext, type WritePlan, writeContext } from '../writes/change.js';
import { type ImportFile, ImportRow, ROWS_MAX, type Row, RowProblems, readImport } from './import-rows.js';
import { memberChange } from './members.js';
import { type Profile, profileField } from './profile.js';

const Count = Type.Integer({ minimum: 0 });

const Imported = named(
  'ImportedUsers',
  {
    rows: Count,
    added: Count,
    changed: Count,
    unchanged: Count,
    seatsUsed: Count,
    sha256: Type.String({ description: 'Hash of the body, as in the audit log' }),
  },
  { rows: 1, added: 1, changed: 0, unchanged: 0, seatsUsed: 3, sha256: '0'.repeat(64) },
);

export const IMPORT_ENDPOINTS = [
  endpoint({
    id: 'importUsers',
    method: 'POST',
    path: '/orgs/:org/users/import',
    summary: 'Add or change users from CSV or JSON, all or none; with dryRun, only check the rows',
    roles: MANAGERS,
    query: { ...DryRun, reason: Reason },
    media: 'rows',
    body: Type.Array(ImportRow, { maxItems: ROWS_MAX }),
    example: [{ id: 'eve', name: 'Eve Jones', email: 'eve@example.com', groups: [] }],
    answers: { 200: Imported },
    errors: ['seats-taken'],
    handle: async (admin, request) => {
      const { body, query, headers } = request;
      const isCsv = /^text\/csv\b/i.test(headers['content-type'] ?? '');
      const stream =
        (body as unknown) instanceof Readable ? (body as unknown as Readable) : Readable.from([]);
      const file = await readImport(stream, isCsv);
      const context = writeContext(request, query.reason);
      if (context.once !== undefined)
        context.once.fingerprint = hashOf(context.once.fingerprint, file.sha256);
      return ok(await importUsers(admin, context, { file, dryRun: query.dryRun === true }));
    },
  }),
];

function hashOf(...parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url');
}

interface Import {
  readonly file: ImportFile;
  readonly dryRun: boolean;
}

async function importUsers(admin: Admin, context: WriteContext, { file, dryRun }: Import) {
  const { rows, sha256 } = file;
  const decide = async (view: OrgView): Promise<WritePlan<ImportAnswer>> => {
    const groups = await groupsOf(admin, view, rows);
    const plan = planOf(view.now, groups);
    for (let from = 0; from < rows.length; from += ROWS_A_READ)
      await planRows(admin, { org: view.id, plan, rows: rows.slice(from, from + ROWS_A_READ) });
    plan.problems.check();
    const { changes, seats, added, changed } = plan;
    const seatsUsed = view.seatsUsed + seats;
    if (view.seats !== undefined && seats > 0 && seatsUsed > view.seats)
      throw new ProblemError(
        'seats-taken',
        `the rows take ${seats} seats, and ${view.seats - view.seatsUsed} are free`,
      );
    const unchanged = rows.length - added - changed;
    const answer = { rows: rows.length, added, changed, unchanged, seatsUsed, sha256 };
    if (dryRun || changes.length === 0) return { changes: [], answer };
    const most = seats > 0 ? view.seats : undefined;
    if (seats !== 0) changes.push({ incr: 'org', field: 'seatsUsed', by: seats, most });
    const auditEvent = { action: 'user.import', subject: 'users', to: answer };
    return { changes, expects: [groups.expected], auditEvent, answer };
  };
  return changeOrg(admin, context, { decide, anyVersion: true });
}

interface ImportAnswer {
  readonly rows: number;
  readonly added: number;
  readonly changed: number;
  readonly unchanged: number;
  readonly seatsUsed: number;
  readonly sha256: string;
}

/** Rows whose users are read in one call of the store. */
const ROWS_A_READ = 200;

interface Groups {
  readonly generations: ReadonlyMap<string, number>;
  /** That the groups are still what they are. */
  readonly expected: Expectation;
}

async function groupsOf({ ledger }: Admin, view: OrgView, rows: readonly Row[]): Promise<Groups> {
  const fields = [...new Set(rows.flatMap(({ groups = [] }) => groups))];
  const { values } = await ledger.read(view.id, [{ table: 'groups', fields }]);
  const generations = new Map<string, number>();
  for (const [index, field] of fields.entries()) {
    const text = values[0]?.[index] ?? null;
    const group = text === null ? undefined : decodeGroup(text);
    if (group?.alive === true) generations.set(field, group.generation);
  }
  return { generations, expected: { table: 'groups', fields, values: values[0] ?? [] } };
}

interface Plan {
  readonly groups: Groups;
  readonly now: number;
  readonly problems: RowProblems;
  readonly changes: Change[];
  seats: number;
  added: number;
  changed: number;
}

function planOf(now: number, groups: Groups): Plan {
  return { groups, now, problems: new RowProblems(), changes: [], seats: 0, added: 0, changed: 0 };
}

interface SomeRows {
  readonly org: string;
  readonly plan: Plan;
  readonly rows: readonly Row[];
}

async function planRows({ ledger }: Admin, { org, plan, rows }: SomeRows): Promise<void> {
  const { values } = await ledger.read(org, [
    { table: 'members', fields: rows.map(({ userKey }) => userKey) },
    { table: 'records', fields: rows.map(({ userKey }) => profileField(userKey)) },
  ]);
  for (const [index, row] of rows.entries())
    planRow(plan, row, { member: values[0]?.[index] ?? null, profile: values[1]?.[index] ?? null });
}

interface Stored {
  readonly member: string | null;
  readonly profile: string | null;
}

/** What a row leaves out stays as it is; a new user is active. */
function planRow(plan: Plan, row: Row, stored: Stored): void {
  const before = stored.member === null ? undefined : decodeMember(stored.member);
  const groups = row.groups === undefined ? (before?.groups ?? []) : membershipsOf(plan, row);
  const after: Member = { status: row.status ?? before?.status ?? 'active', groups };
  const profile = profileAfter(row, stored.profile, plan.now);
  const isChanged = stored.member !== encodeMember(after);
  if (!isChanged && profile === stored.profile) return;
  if (before === undefined) plan.added += 1;
  else plan.changed += 1;
  plan.seats += Number(after.status === 'active') - Number(before?.status === 'active');
  for (const change of isChanged ? memberChange(row.userKey, before, after) : [])
    plan.changes.push('set' in change ? { ...change, was: stored.member } : change);
  if (profile !== stored.profile)
    plan.changes.push({
      set: 'records',
      field: profileField(row.userKey),
      value: profile,
      was: stored.profile,
    });
}

function membershipsOf({ groups, problems }: Plan, { line, groups: named = [] }: Row): Member['groups'] {
  return named.flatMap((group) => {
    const generation = groups.generations.get(group);
    if (generation !== undefined) return [{ group, generation }];
    problems.add({ line, field: 'groups', problem: `group ${group} not found` });
    return [];
  });
}

function profileAfter({ name, email, role }: Row, stored: string | null, now: number): string {
  const before = stored === null ? { createdAt: now } : (JSON.parse(stored) as Partial<Profile>);
  const text = {
    name: name ?? before.name ?? '',
    email: email ?? before.email ?? '',
    role: role ?? before.role ?? '',
  };
  return JSON.stringify({ ...before, ...text });
}
