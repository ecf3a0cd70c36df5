/**
 * PATCH of a user (RFC 7644, section 3.5.2) with what Okta and Entra ID really send: `op` in any case, values without a
 * path, paths as names of values, booleans as text. The library applies each operation to the user as SCIM shows it.
 */
import { scimPatch } from 'scim-patch';
import { stringify } from 'scim2-parse-filter';
import { ATTRIBUTES, type Attribute, attributeIn, withoutUrn } from './attributes.js';
import { badRequest, ScimError, type ScimType } from './errors.js';
import { booleanOf, folded, parsedFilter } from './filter.js';
import type { Operation } from './operations.js';
import type { Resource } from './projection.js';
import { canonicalValue } from './user-input.js';

/** The user after the operations. */
export function patchedUser(user: Resource, operations: readonly Operation[]): unknown {
  const known = operations.flatMap(pathed).flatMap(applicable);
  try {
    return scimPatch(structuredClone(user) as never, known as never, {
      mutateDocument: true,
      treatMissingAsAdd: true,
    });
  } catch (error) {
    throw refusalOf(error);
  }
}

/** A value without a path is one operation for each of its members. */
function pathed(operation: Operation): Operation[] {
  if (operation.path !== undefined) return [operation];
  const { op, value } = operation;
  if (op === 'remove') throw badRequest('noTarget', 'remove needs a path');
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw badRequest('invalidValue', 'an operation without a path needs an object as its value');
  return Object.entries(value)
    .filter(([path]) => !READ_ONLY.has(path.toLowerCase()))
    .map(([path, part]) => ({ op, path, value: part as unknown }));
}

/** Clients send them along in objects; they change nothing. */
const READ_ONLY: ReadonlySet<string> = new Set(['id', 'meta', 'schemas', 'groups']);

const PATH = /^([A-Za-z][\w-]*)(?:\[(.*)\])?(?:\.([A-Za-z$][\w-]*))?$/s;

/** With the names of the table. Attributes that are not kept are left out, so that a client's other mappings work. */
function applicable({ op, path: stated = '', value }: Operation): Operation[] {
  const [, name = '', filter, sub] = PATH.exec(withoutUrn('User', stated)) ?? [];
  const attribute = attributeIn(ATTRIBUTES.User, name);
  if (attribute === undefined) {
    if (name === '' && !stated.toLowerCase().startsWith('urn:'))
      throw badRequest('invalidPath', `the path ${stated} could not be read`);
    return [];
  }
  if (attribute.mutability === 'readOnly') throw badRequest('mutability', `${attribute.name} is read-only`);
  const part = sub === undefined ? undefined : attributeIn(attribute.subAttributes ?? [], sub);
  if (sub !== undefined && part === undefined) return [];
  const where = filter === undefined ? '' : `[${selection(filter, attribute)}]`;
  const path = `${attribute.name}${where}${part === undefined ? '' : `.${part.name}`}`;
  const isList = attribute.multiValued && filter === undefined && part === undefined;
  return [{ op, path, value: valueIn(value, part ?? attribute, isList) }];
}

/** Types are kept in lower case; other values are compared as they are. */
function selection(text: string, { multiValued, subAttributes = [] }: Attribute): string {
  if (!multiValued) throw badRequest('invalidPath', `[${text}] selects from a single value`);
  const exact = subAttributes.map((one) => ({ ...one, caseExact: one.name !== 'type' }));
  return stringify(folded(parsedFilter(text, 'User'), exact));
}

/** Other members of objects are left out: the library would read their names as paths, also into prototypes. */
function valueIn(stated: unknown, attribute: Attribute, isList: boolean): unknown {
  const value = canonicalValue(stated, attribute);
  if (isList && value !== undefined && !Array.isArray(value)) return [value];
  return attribute.type === 'boolean' ? (booleanOf(value) ?? value) : value;
}

const TYPES: ReadonlySet<string> = new Set(['invalidPath', 'invalidSyntax', 'invalidValue', 'noTarget']);

function refusalOf(error: unknown): ScimError {
  if (error instanceof ScimError) return error;
  const { scimCode = '', message = '' } = error as { readonly scimCode?: string; readonly message?: string };
  const scimType = TYPES.has(scimCode) ? (scimCode as Exclude<ScimType, 'uniqueness'>) : 'invalidValue';
  return badRequest(scimType, message === '' ? 'the operations could not be applied' : message);
}
