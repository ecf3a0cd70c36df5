/** A group as a directory sends it, and the operations of a PATCH of a group: without a list of its members. */
import type { Filter } from 'scim2-parse-filter';
import Type, { type Static } from 'typebox';
import { invalid } from '../http/problems.js';
import { Id, members, validatorOf, words } from '../http/validate.js';
import { ATTRIBUTES, attributeIn, withoutUrn } from './attributes.js';
import { badRequest } from './errors.js';
import { parsedFilter } from './filter.js';
import { userKeyOfScim } from './ids.js';
import type { Operation } from './operations.js';
import { canonical } from './user-input.js';

const Names = members({
  displayName: Type.Optional(words(128, 1)),
  externalId: Type.Optional(Type.Union([Id, Type.Null()])),
});
type Names = Static<typeof Names>;

export interface GroupInput {
  readonly displayName: string;
  readonly externalId: string | undefined;
  /** User keys, each once. */
  readonly members: readonly string[];
}

export function groupInputOf(body: unknown): GroupInput {
  const { displayName, externalId, members: listed } = canonical(body, 'Group');
  if (displayName === undefined) throw badRequest('invalidValue', 'displayName is missing');
  const names = namesIn({ displayName, ...(externalId === undefined ? {} : { externalId }) });
  return {
    displayName: names.displayName ?? '',
    externalId: names.externalId ?? undefined,
    members: listed === undefined ? [] : memberKeys(listed),
  };
}

function namesIn(names: object): Names {
  const validator = validatorOf(Names);
  if (validator.Check(names)) return names;
  const [error] = validator.Errors(names);
  throw badRequest('invalidValue', `${error?.instancePath.slice(1)}: ${error?.message}`);
}

/** A single member in place of a list, and bare ids, are accepted. */
function memberKeys(stated: unknown): string[] {
  const keys = [stated].flat().map((one: unknown) => {
    const id = typeof one === 'object' && one !== null ? (one as { readonly value?: unknown }).value : one;
    if (typeof id !== 'string')
      throw badRequest('invalidValue', 'members: each needs the id of a user as value');
    const userKey = userKeyOfScim(id);
    if (userKey === undefined) throw invalid('members', `user ${id} not found`);
    return userKey;
  });
  return [...new Set(keys)];
}

/** What a PATCH makes of a group. */
export interface GroupEdit {
  readonly displayName?: string;
  /** null: none. */
  readonly externalId?: string | null;
  /** Whether the present members leave, but for those who join. */
  readonly replacesMembers: boolean;
  readonly joins: readonly string[];
  readonly leaves: readonly string[];
}

export function groupEditOf(operations: readonly Operation[]): GroupEdit {
  const edit = new Edit();
  for (const operation of operations) edit.add(operation);
  return edit.result();
}

const MEMBERS = /^members\[(.*)\]$/is;

class Edit {
  private names: Names = {};
  private replacesMembers = false;
  private readonly joins = new Set<string>();
  private readonly leaves = new Set<string>();

  result(): GroupEdit {
    const { replacesMembers } = this;
    return { ...this.names, replacesMembers, joins: [...this.joins], leaves: [...this.leaves] };
  }

  add({ op, path, value }: Operation): void {
    if (path !== undefined) this.edit(op, withoutUrn('Group', path), value);
    else if (op === 'remove') throw badRequest('noTarget', 'remove needs a path');
    else
      for (const [name, part] of Object.entries(canonical(value, 'Group')))
        if (attributeIn(ATTRIBUTES.Group, name)?.mutability !== 'readOnly' && name !== 'schemas')
          this.edit(op, name, part);
  }

  private edit(op: Operation['op'], path: string, value: unknown): void {
    const [, filter] = MEMBERS.exec(path) ?? [];
    const attribute = attributeIn(ATTRIBUTES.Group, path);
    if (filter !== undefined) this.editMembers(op, keysIn(parsedFilter(filter, 'Group')));
    else if (attribute === undefined) {
      // Attributes that are not kept change nothing, so that a client's other mappings work.
      if (!/^[\w:.-]+$/.test(path)) throw badRequest('invalidPath', `the path ${path} could not be read`);
    } else if (attribute.mutability === 'readOnly')
      throw badRequest('mutability', `${attribute.name} is read-only`);
    else if (attribute.name === 'members')
      this.editMembers(op, value === undefined ? undefined : memberKeys(value));
    else if (attribute.name !== 'schemas') this.rename(op, attribute.name, value);
  }

  private rename(op: Operation['op'], name: string, value: unknown): void {
    if (op === 'remove' && name === 'displayName')
      throw badRequest('invalidValue', 'displayName is required and cannot be removed');
    this.names = { ...this.names, ...namesIn({ [name]: op === 'remove' ? null : value }) };
  }

  /** Undefined: all of them. */
  private editMembers(op: Operation['op'], keys: readonly string[] | undefined): void {
    if (op === 'replace' || keys === undefined) {
      this.replacesMembers = true;
      this.joins.clear();
      this.leaves.clear();
    }
    const [into, outOf] = op === 'remove' ? [this.leaves, this.joins] : [this.joins, this.leaves];
    for (const userKey of keys ?? []) {
      into.add(userKey);
      outOf.delete(userKey);
    }
  }
}

/** `value eq "x"`, or several of them joined by `or`. */
function keysIn(filter: Filter): string[] {
  if (filter.op === 'or' && 'filters' in filter) return filter.filters.flatMap(keysIn);
  const { op, attrPath = '', compValue } = filter as { op: string; attrPath?: string; compValue?: unknown };
  if (op !== 'eq' || attrPath.toLowerCase() !== 'value' || typeof compValue !== 'string')
    throw badRequest('invalidFilter', 'members are selected by value eq "<id>"');
  const userKey = userKeyOfScim(compValue);
  // Nobody has this id: nobody is selected.
  return userKey === undefined ? [] : [userKey];
}
