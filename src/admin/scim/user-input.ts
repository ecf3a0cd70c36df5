/** A user as a directory sends it: attributes by their names without case, checked by the rules of the admin API. */
import Type, { type Static } from 'typebox';
import { userKeyOf } from '../../quota/id.js';
import { Email, Id, members, Title, validatorOf } from '../http/validate.js';
import { ATTRIBUTES, type Attribute, attributeIn, type Kind, withoutUrn } from './attributes.js';
import { badRequest } from './errors.js';
import { booleanOf } from './filter.js';
import type { UserIdAttribute } from './user-record.js';

const UserInput = members({
  userName: Id,
  externalId: Type.Optional(Id),
  displayName: Type.Optional(Title),
  formatted: Type.Optional(Title),
  givenName: Type.Optional(Title),
  familyName: Type.Optional(Title),
  email: Type.Optional(Email),
  emailType: Type.Optional(Title),
  role: Type.Optional(Title),
  active: Type.Optional(Type.Boolean()),
});
export type UserInput = Static<typeof UserInput>;

type Fields = Record<string, unknown>;

/** Attributes that are not kept are left out: the answer shows what is. */
export function userInputOf(body: unknown): UserInput {
  const { userName, externalId, displayName, active, ...rest } = canonical(body, 'User');
  const name = asFields(rest.name);
  const email = chosen(rest.emails);
  const input = defined({
    userName,
    externalId,
    displayName,
    formatted: name.formatted,
    givenName: name.givenName,
    familyName: name.familyName,
    email: email.value,
    emailType: typeof email.type === 'string' ? email.type.toLowerCase() : email.type,
    role: chosen(rest.roles).value,
    active: active === undefined ? undefined : (booleanOf(active) ?? active),
  });
  const validator = validatorOf(UserInput);
  if (validator.Check(input)) return input;
  const [error] = validator.Errors(input);
  const field = error?.instancePath.slice(1) ?? '';
  throw badRequest(
    'invalidValue',
    input.userName === undefined ? 'userName is missing' : `${field}: ${error?.message}`,
  );
}

/** With the names of the table; unknown attributes are left out, null is no value. */
export function canonical(body: unknown, kind: Kind): Fields {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw badRequest('invalidSyntax', 'the body is not an object');
  return canonicalPart(body, ATTRIBUTES[kind], (name) => withoutUrn(kind, name));
}

function canonicalPart(
  value: object,
  attributes: readonly Attribute[],
  nameOf: (name: string) => string = String,
): Fields {
  const found: Fields = {};
  for (const [name, part] of Object.entries(value)) {
    const attribute = attributeIn(attributes, nameOf(name));
    if (attribute === undefined || part === null) continue;
    found[attribute.name] = canonicalValue(part, attribute);
  }
  return found;
}

/** Objects keep only the members that the table knows. */
export function canonicalValue(value: unknown, attribute: Attribute): unknown {
  if (Array.isArray(value)) return value.map((one) => canonicalValue(one, attribute));
  if (typeof value !== 'object' || value === null) return value;
  return canonicalPart(value, attribute.subAttributes ?? []);
}

function asFields(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

/** The primary one, else the first. Some clients send a single value in place of a list, or a bare text. */
function chosen(value: unknown): Fields {
  if (typeof value === 'string') return { value };
  if (!Array.isArray(value)) return asFields(value);
  const all = value.map((one: unknown) => (typeof one === 'string' ? { value: one } : asFields(one)));
  return all.find(({ primary }) => booleanOf(primary) === true) ?? all[0] ?? {};
}

function defined(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** The name that lists show. */
export function shownName({ displayName, formatted, givenName, familyName }: UserInput): string {
  const parts = [givenName, familyName].filter((part) => part !== undefined && part !== '').join(' ');
  return (displayName || formatted || parts).slice(0, 128);
}

/** The key of the user whom requests will name. */
export function userKeyIn(input: UserInput, attribute: UserIdAttribute): string {
  const id = input[attribute];
  if (id === undefined)
    throw badRequest('invalidValue', `${attribute} is missing; it is the id by which requests name the user`);
  const userKey = userKeyOf(id);
  if (userKey === undefined)
    throw badRequest('invalidValue', `${attribute}: must be at most 256 bytes of valid Unicode`);
  return userKey;
}
