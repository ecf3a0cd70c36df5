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

export interface Found<One> {
  /** Undefined while the first ones are loading. */
  readonly items: readonly One[] | undefined;
  /** They are those of an earlier text. */
  readonly outdated: boolean;
}

/** Groups and users whose name contains the text; without a text, nothing is asked. */
export function useSubjects(org: string, text: string | undefined): Found<FoundSubject> {
  const q = text?.trim();
  const query = { pageSize: EACH_MAX, ...(q ? { q } : {}) };
  const keyOf = (what: string): string | undefined =>
    q === undefined ? undefined : `find-${what} ${org} ${q}`;
  const groups = useQuery({
    key: keyOf('groups'),
    kinds: ['directory'],
    read: (options) => api.GET('/v1/orgs/{org}/groups', { params: { path: { org }, query }, ...options }),
  });
  const users = useQuery({
    key: keyOf('users'),
    kinds: ['directory'],
    read: (options) => api.GET('/v1/orgs/{org}/users', { params: { path: { org }, query }, ...options }),
  });
  const outdated = q !== undefined && !(groups.current && users.current);
  if (groups.data === undefined || users.data === undefined) return { items: undefined, outdated };
  const items = [
    // The types of the client leave out members that are always null.
    ...groups.data.items.map((group) => ({ scope: 'group' as const, ...(group as Schemas['Group']) })),
    ...users.data.items.map((user) => ({ scope: 'user' as const, ...user })),
  ];
  return { items, outdated };
}
