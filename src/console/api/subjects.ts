/** Users and groups of an org by their name. */
import { api, type Schemas } from './client.js';
import { useQuery } from './query.js';

export interface Subject {
  readonly scope: 'user' | 'group';
  readonly id: string;
  /** Its id where it has no name. */
  readonly name: string;
}

export type FoundSubject =
  | ({ readonly scope: 'user' } & Schemas['User'])
  | ({ readonly scope: 'group' } & Schemas['Group']);

/** A name for people: many users have none but their id. */
export function nameOf({ id, name }: { readonly id: string; readonly name: string }): string {
  return name === '' ? id : name;
}

const EACH_MAX = 10;

/** Groups and users whose name contains the text; without a text, nothing is asked. Undefined while they are loading. */
export function useSubjects(org: string, text: string | undefined): readonly FoundSubject[] | undefined {
  const q = text?.trim();
  const query = { pageSize: EACH_MAX, ...(q ? { q } : {}) };
  const keyOf = (what: string): string | undefined =>
    q === undefined ? undefined : `find-${what} ${org} ${q}`;
  const groups = useQuery({
    key: keyOf('groups'),
    kinds: ['directory'],
    read: (options) => api.GET('/v1/orgs/{org}/groups', { params: { path: { org }, query }, ...options }),
  }).data;
  const users = useQuery({
    key: keyOf('users'),
    kinds: ['directory'],
    read: (options) => api.GET('/v1/orgs/{org}/users', { params: { path: { org }, query }, ...options }),
  }).data;
  if (groups === undefined || users === undefined) return undefined;
  return [
    // The types of the client leave out members that are always null.
    ...groups.items.map((group) => ({ scope: 'group' as const, ...(group as Schemas['Group']) })),
    ...users.items.map((user) => ({ scope: 'user' as const, ...user })),
  ];
}
