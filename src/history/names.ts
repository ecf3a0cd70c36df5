/** Names of the sections of a packed history. */
import type { Scope } from '../quota/id.js';

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
