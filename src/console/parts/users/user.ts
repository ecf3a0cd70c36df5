/** A user as pages show it, and the seats that users take. */
import { api, dataOf, type Schemas } from '../../api/client.js';
import { useQuery } from '../../api/query.js';
import { nameOf } from '../../api/subjects.js';
import { texts } from '../../i18n/index.js';
import { type Overview, useOrg } from '../../state/org.js';

export type User = Schemas['User'];
export type UserStatus = User['status'];

export function readUser(org: string, user: string): Promise<User> {
  return dataOf(api.GET('/v1/orgs/{org}/users/{user}', { params: { path: { org, user } } }));
}

/** `4 of 5 seats used`; `by`: how many more or less than now. */
export function seatsText({ seats }: Overview, by = 0): string {
  const { users } = texts.value;
  const used = seats.used + by;
  return seats.total === null ? users.seatsUnlimited(used) : users.seats(String(used), String(seats.total));
}

const GROUPS_MAX = 200;

/** The groups of the org by id, for their names and for filters. */
export function useGroups(): ReadonlyMap<string, string> {
  const { id: org } = useOrg();
  const { data } = useQuery({
    key: `group-names ${org}`,
    kinds: ['directory'],
    read: (options) =>
      api.GET('/v1/orgs/{org}/groups', {
        params: { path: { org }, query: { pageSize: GROUPS_MAX, sort: 'name' } },
        ...options,
      }),
  });
  return new Map(data?.items.map((group) => [group.id, nameOf(group)]));
}
