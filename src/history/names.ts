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
  /** Whose limit refused; the cells are counts. */
  readonly refused?: { readonly scope: Scope; readonly group: string };
}

const REFUSED = '!';
const LETTERS: Record<Scope, string> = { user: 'u', group: 'g', org: 'o' };
const SCOPES: Record<string, Scope> = { u: 'user', g: 'group', o: 'org' };

// biome-ignore lint/complexity/useMaxParams: called for every line of the journal, where an object would be allocated each time.
export function chargedName(quota: string, action: string, model: string, key: string): string {
  return `${quota}|${action}|${model}|${key}`;
}

// biome-ignore lint/complexity/useMaxParams: called for every line of the journal, where an object would be allocated each time.
export function refusedName(quota: string, action: string, scope: Scope, group: string): string {
  return `${REFUSED}${quota}|${action}|${LETTERS[scope]}|${group}`;
}

export function sectionOf(name: string): Section {
  const isRefused = name.startsWith(REFUSED);
  const [quota = '', action = '', third = '', fourth = ''] = (isRefused ? name.slice(1) : name).split('|');
  if (!isRefused) return { quota, action, model: third, key: fourth };
  return { quota, action, model: '', key: '', refused: { scope: SCOPES[third] ?? 'org', group: fourth } };
}
