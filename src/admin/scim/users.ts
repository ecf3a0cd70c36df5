/** Users: create, replace, patch, remove. The same rules and audit entries as in the admin API. */
import type { Member, UserStatus } from '../../ledger/codec.js';
import type { Change } from '../../ledger/port.js';
import { type OrgView, readOrg, type Tables, textIn } from '../../ledger/view/org-view.js';
import { userIdOf } from '../../quota/id.js';
import type { Admin } from '../admin.js';
import { checkMatch } from '../http/etag.js';
import { notFound } from '../http/problems.js';
import { memberChange, memberIn } from '../users/members.js';
import { type Profile, profileIn } from '../users/profile.js';
import { profileChange, seatChange, snapshot } from '../users/routes.js';
import { changeOrg, type WriteContext, type WritePlan } from '../writes/change.js';
import { badRequest, ScimError, taken } from './errors.js';
import { userKeyOfScim } from './ids.js';
import type { Operation } from './operations.js';
import type { Resource } from './projection.js';
import { shownName, type UserInput, userInputOf, userKeyIn } from './user-input.js';
import { patchedUser } from './user-patch.js';
import {
  ID_ATTRIBUTE_FIELD,
  nameFields,
  recordChange,
  recordField,
  recordIn,
  type ScimRecord,
  type UserIdAttribute,
} from './user-record.js';
import { etagOfScimUser, scimUserWants, userResource } from './user-resource.js';

/** What SCIM changes of a user. */
interface UserState {
  readonly member: Member;
  readonly profile: Profile;
  readonly record: ScimRecord;
}

/** A user who was removed comes back with their limits and consumption, in no group. */
export async function createUser(admin: Admin, context: WriteContext, body: unknown): Promise<Resource> {
  const { scimUserId: attribute } = admin;
  const input = userInputOf(body);
  const userKey = userKeyIn(input, attribute);
  const record = recordOf(input);
  const decide = async (view: OrgView): Promise<WritePlan<Resource>> => {
    const { tables } = view;
    checkAttribute(tables, attribute);
    const existing = memberIn(tables, userKey);
    if (existing !== undefined && existing.status !== 'removed')
      throw taken(`the user ${userIdOf(userKey)} already exists`);
    const before = existing === undefined ? undefined : stateIn(admin, tables, { userKey, member: existing });
    const profile = before?.profile ?? { name: '', email: '', role: '', createdAt: view.now };
    const member: Member = { status: input.active === false ? 'inactive' : 'active', groups: [] };
    const after = { member, profile: profileOf(input, profile), record };
    const names = await nameChanges(admin, view, { userKey, before: undefined, after: record, tables });
    return planOf(admin, view, { userKey, before, after, further: names });
  };
  const reads = [...scimUserWants(userKey, []), { table: 'records', fields: nameFields(record) } as const];
  return changeOrg(admin, context, { reads, decide });
}

/** `active` and `roles` that are left out stay as they are. */
export async function replaceUser(
  admin: Admin,
  context: WriteContext,
  { id, body }: { readonly id: string; readonly body: unknown },
): Promise<Resource> {
  const input = userInputOf(body);
  return changeUser(admin, context, { id, inputOf: () => input });
}

export async function patchUser(
  admin: Admin,
  context: WriteContext,
  { id, operations }: { readonly id: string; readonly operations: readonly Operation[] },
): Promise<Resource> {
  const inputOf = (user: Resource): UserInput => {
    const { roles, ...input } = patchedUser(user, operations) as Record<string, unknown>;
    // Unlike a replacement, a patch that leaves no role has removed it.
    return userInputOf({ ...input, roles: roles ?? [{ value: '' }] });
  };
  return changeUser(admin, context, { id, inputOf });
}

/** They are in no group afterwards; limits and consumption stay, should they come back. */
export async function removeUser(admin: Admin, context: WriteContext, id: string): Promise<void> {
  await changeUser(admin, context, { id, inputOf: () => undefined });
}

interface UserChange {
  readonly id: string;
  /** Undefined: the user is removed. */
  readonly inputOf: (user: Resource) => UserInput | undefined;
}

async function changeUser(
  admin: Admin,
  context: WriteContext,
  { id, inputOf }: UserChange,
): Promise<Resource> {
  const { scimUserId: attribute } = admin;
  const userKey = presentKey(id);
  // A name is hardly ever taken: the commit expects that it is free, and only after a refusal its owner is read.
  let isFirst = true;
  const decide = async (view: OrgView): Promise<WritePlan<Resource>> => {
    const { tables } = view;
    const member = liveUser(tables, userKey, id);
    checkMatch(context.ifMatch, etagOfScimUser(tables, userKey, member));
    const before = stateIn(admin, tables, { userKey, member });
    const input = inputOf(userResource(view, { userKey, member, attribute }));
    if (input === undefined) {
      const after: UserState = { ...before, member: { status: 'removed', groups: [] } };
      return planOf(admin, view, { userKey, before, after, further: [] });
    }
    checkAttribute(tables, attribute);
    checkUserId(input, before.record, attribute);
    const after: UserState = {
      member: { ...member, status: statusAfter(member.status, input.active) },
      profile: profileOf(input, before.profile),
      record: recordOf(input),
    };
    const names = { userKey, before: before.record, after: after.record };
    const further = isFirst ? supposedNames(tables, names) : await readNames(admin, view, names);
    isFirst = false;
    return planOf(admin, view, { userKey, before, after, further });
  };
  return changeOrg(admin, context, { reads: scimUserWants(userKey, []), decide });
}

/** 404 where the id is not one, or its user was removed. */
function presentKey(id: string): string {
  const userKey = userKeyOfScim(id);
  if (userKey === undefined) throw notFound(`user ${id}`);
  return userKey;
}

function liveUser(tables: Tables, userKey: string, id: string): Member {
  const member = memberIn(tables, userKey);
  if (member === undefined || member.status === 'removed') throw notFound(`user ${id}`);
  return member;
}

interface KnownUser {
  readonly userKey: string;
  readonly member: Member;
}

function stateIn(
  { scimUserId: attribute }: Admin,
  tables: Tables,
  { userKey, member }: KnownUser,
): UserState {
  return { member, profile: profileIn(tables, userKey), record: recordIn(tables, userKey, attribute) };
}

function statusAfter(before: UserStatus, active: boolean | undefined): UserStatus {
  if (active === false) return 'inactive';
  return active === true && before === 'inactive' ? 'active' : before;
}

function profileOf(input: UserInput, before: Profile): Profile {
  return { ...before, name: shownName(input), email: input.email ?? '', role: input.role ?? before.role };
}

function recordOf({
  userName,
  externalId,
  formatted,
  givenName,
  familyName,
  emailType,
}: UserInput): ScimRecord {
  const all = { userName, externalId, formatted, givenName, familyName, emailType };
  return Object.fromEntries(
    Object.entries(all).filter(([, value]) => value !== undefined),
  ) as unknown as ScimRecord;
}

/** Requests name the user by it: with another value they would be another user. */
function checkUserId(input: UserInput, before: ScimRecord, attribute: UserIdAttribute): void {
  if (input[attribute] !== before[attribute])
    throw badRequest(
      'mutability',
      `${attribute} is the id by which requests name the user, and cannot change from ${before[attribute]}`,
    );
}

interface Names {
  readonly userKey: string;
  readonly before: ScimRecord | undefined;
  readonly after: ScimRecord;
}

/** `tables` has the fields of both names. */
async function nameChanges(
  admin: Admin,
  { id: org }: OrgView,
  { userKey, before, after, tables }: Names & { readonly tables: Tables },
): Promise<Change[]> {
  const [old, fresh] = [nameFields(before ?? {}), nameFields(after)];
  const changes: Change[] = [];
  for (const field of fresh) {
    const owner = textIn(tables, 'records', field);
    if (owner === userKey) continue;
    if (owner !== undefined && (await isLive(admin, org, owner)))
      throw taken(`${field.startsWith('scim-name:') ? 'userName' : 'externalId'} belongs to another user`);
    changes.push({ set: 'records', field, value: userKey });
  }
  for (const field of old)
    if (!fresh.includes(field) && textIn(tables, 'records', field) === userKey)
      changes.push({ del: 'records', field });
  return changes;
}

async function isLive(admin: Admin, org: string, userKey: string): Promise<boolean> {
  const { tables } = await readOrg(admin, org, [{ table: 'members', fields: [userKey] }]);
  const status = memberIn(tables, userKey)?.status;
  return status !== undefined && status !== 'removed';
}

/** Names that the user has, or had before; none where SCIM meets the user for the first time. */
function namesBefore(tables: Tables, { userKey, before }: Names): string[] {
  const isIndexed = textIn(tables, 'records', recordField(userKey)) !== undefined;
  return isIndexed ? nameFields(before ?? {}) : [];
}

/** Changes that are refused unless the user owns the names of before, and nobody the others. */
function supposedNames(tables: Tables, names: Names): Change[] {
  const { userKey, after } = names;
  const [old, fresh] = [namesBefore(tables, names), nameFields(after)];
  if (old.join() === fresh.join()) return [];
  const left = old.filter((field) => !fresh.includes(field));
  return [
    ...fresh.map((field): Change => {
      return { set: 'records', field, value: userKey, was: old.includes(field) ? userKey : null };
    }),
    ...left.map((field): Change => ({ del: 'records', field, was: userKey })),
  ];
}

/** Reads the owners of all names, where they change. */
async function readNames(admin: Admin, view: OrgView, names: Names): Promise<Change[]> {
  const [old, fresh] = [nameFields(names.before ?? {}), nameFields(names.after)];
  if (namesBefore(view.tables, names).join() === fresh.join()) return [];
  const { tables } = await readOrg(admin, view.id, [
    { table: 'records', fields: [...new Set([...old, ...fresh])] },
  ]);
  return nameChanges(admin, view, { ...names, tables });
}

interface PlannedUser {
  readonly userKey: string;
  readonly before: UserState | undefined;
  readonly after: UserState;
  readonly further: readonly Change[];
}

function planOf(
  admin: Admin,
  view: OrgView,
  { userKey, before, after, further }: PlannedUser,
): WritePlan<Resource> {
  const { tables } = view;
  const { member, profile } = after;
  const changes = [
    ...memberChange(userKey, before?.member, member),
    ...profileChange(userKey, before?.profile, profile),
    ...recordChange(tables, userKey, after.record),
    ...further,
  ];
  const shown = shownUser(admin, userKey, member);
  if (changes.length === 0) return { changes, ...shown };
  if (textIn(tables, 'records', ID_ATTRIBUTE_FIELD) === undefined)
    changes.push({ set: 'records', field: ID_ATTRIBUTE_FIELD, value: admin.scimUserId });
  changes.push(...seatChange(view, before?.member.status, member.status));
  const subject = `user:${userIdOf(userKey)}`;
  const to = auditOf(after);
  const auditEvent =
    before === undefined
      ? { action: 'user.add', subject, to }
      : { action: 'user.change', subject, from: auditOf(before), to };
  return { changes, auditEvent, ...shown };
}

function auditOf({ member, profile, record: { userName, externalId } }: UserState) {
  return { ...snapshot(member, profile), userName, externalId: externalId ?? null };
}

function shownUser({ scimUserId: attribute }: Admin, userKey: string, { groups }: Member) {
  const named = groups.map(({ group }) => group);
  return {
    wants: scimUserWants(userKey, named),
    show: (view: OrgView): Resource => {
      const member = memberIn(view.tables, userKey);
      if (member === undefined) throw notFound(`user ${userIdOf(userKey)}`);
      return userResource(view, { userKey, member, attribute });
    },
  };
}

/** Users of both kinds in one org would be the wrong users for half of the requests. */
function checkAttribute(tables: Tables, attribute: UserIdAttribute): void {
  const used = textIn(tables, 'records', ID_ATTRIBUTE_FIELD);
  if (used !== undefined && used !== attribute)
    throw new ScimError(
      409,
      'mutability',
      `the org's users were created with ${used} as their id: set admin.scim.userId to ${used}`,
    );
}

export async function readUser(admin: Admin, org: string, id: string): Promise<Resource> {
  const user = await findUser(admin, org, presentKey(id));
  if (user === undefined) throw notFound(`user ${id}`);
  return user;
}

/** Undefined: there is none, or they were removed. */
export async function findUser(admin: Admin, org: string, userKey: string): Promise<Resource | undefined> {
  const { scimUserId: attribute } = admin;
  let view = await readOrg(admin, org, scimUserWants(userKey, []));
  const groups = memberIn(view.tables, userKey)?.groups.map(({ group }) => group) ?? [];
  if (groups.length > 0) view = await readOrg(admin, org, scimUserWants(userKey, groups));
  const member = memberIn(view.tables, userKey);
  if (member === undefined || member.status === 'removed') return undefined;
  return userResource(view, { userKey, member, attribute });
}
