/** Names of the sections of a packed history. */
import type { Scope } from '../quota/id.js';
import { numbersIn, numberText } from './packed.js';

/** The action of a correction by an admin. */
export const ADJUSTMENT = 'adjustment';

/** What was charged, or refused. */
export interface Section {
  readonly quota: string;
  readonly action: string;
  /** Model key and id of the API key; '' for none. */
  readonly model: string;
  readonly key: string;
  /** In rows of users: the groups that the user was in when it was charged, or the one whose limit refused. */
  readonly groups: readonly string[];
  /** Whose limit refused; the cells are counts. */
  readonly refused?: { readonly scope: Scope; readonly group: string };
}

const REFUSED = '!';
/** Before the numbers of groups, in place of their ids. */
const NUMBERED = '#';
const NUMBERED_GROUPS = /#([\w-]+):/g;
/** Members of the name of a user's section before its groups. */
const BEFORE_GROUPS = 4;
/** Earlier versions did not keep the groups of users. No group has this id. */
const UNKNOWN = ['?'];
const LETTERS: Record<Scope, string> = { user: 'u', group: 'g', org: 'o' };
const SCOPES: Record<string, Scope> = { u: 'user', g: 'group', o: 'org' };

/** In rows of groups and the org. */
export function sharedName(quota: string, action: string, model: string): string {
  return `${quota}|${action}|${model}|`;
}

/** In rows of users. `detail`: as `userDetail` returns it. */
// biome-ignore lint/complexity/useMaxParams: called for every line of the journal, where an object would be allocated each time.
export function userName(quota: string, action: string, model: string, detail: string): string {
  return `${quota}|${action}|${model}|${detail}`;
}

/** API keys and sets of groups are kept of users only: they would multiply the rows of groups and the org. */
export function userDetail(key: string, groups: readonly string[]): string {
  return `${key}|${groups.length < 2 ? (groups[0] ?? '') : [...groups].sort().join(',')}`;
}

// biome-ignore lint/complexity/useMaxParams: called for every line of the journal, where an object would be allocated each time.
export function refusedName(quota: string, action: string, scope: Scope, group: string): string {
  return `${REFUSED}${quota}|${action}|${LETTERS[scope]}|${group}`;
}

/** The ids of groups in the name of a user's section; none where it has numbers. */
export function groupIdsIn(name: string): readonly string[] {
  const groups = name.slice(groupsAt(name));
  return groups === '' || groups.startsWith(NUMBERED) ? [] : groups.split(',');
}

/** The name with numbers in place of the ids of groups. */
export function withGroupNumbers(name: string, numberOf: (group: string) => number): string {
  const groups = groupIdsIn(name);
  if (groups.length === 0) return name;
  return (
    name.slice(0, groupsAt(name)) + NUMBERED + groups.map((group) => numberText(numberOf(group))).join('')
  );
}

/** The name with the ids of groups in place of their numbers. */
export function withGroups(name: string, groupOf: (number: number) => string): string {
  const at = groupsAt(name);
  if (name[at] !== NUMBERED) return name;
  return (
    name.slice(0, at) +
    numbersIn(name.slice(at + 1))
      .map(groupOf)
      .join(',')
  );
}

/** The numbers of groups in a packed text. */
export function groupNumbersIn(text: string): readonly number[] {
  return [...text.matchAll(NUMBERED_GROUPS)].flatMap(([, numbers = '']) => numbersIn(numbers));
}

/** Where the groups begin; the end of a name without. */
function groupsAt(name: string): number {
  if (name.startsWith(REFUSED)) return name.length;
  let at = 0;
  for (let passed = 0; passed < BEFORE_GROUPS; passed += 1) {
    at = name.indexOf('|', at) + 1;
    if (at === 0) return name.length;
  }
  return at;
}

/** Groups are told only where the name has their ids. */
export function sectionOf(name: string): Section {
  const isRefused = name.startsWith(REFUSED);
  const parts = (isRefused ? name.slice(1) : name).split('|');
  const [quota = '', action = '', third = '', fourth = '', groups] = parts;
  if (!isRefused) return { quota, action, model: third, key: fourth, groups: groupsIn(groups) };
  const refused = { scope: SCOPES[third] ?? 'org', group: fourth };
  return { quota, action, model: '', key: '', groups: fourth === '' ? [] : [fourth], refused };
}

function groupsIn(text: string | undefined): readonly string[] {
  if (text === undefined) return UNKNOWN;
  return text === '' ? [] : text.split(',');
}
