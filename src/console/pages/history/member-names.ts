/** The names of what the history is split by: it has ids only. */
import { api } from '../../api/client.js';
import { useQuery } from '../../api/query.js';
import { nameOf } from '../../api/subjects.js';
import { quotaName } from '../../format/amounts.js';
import { texts } from '../../i18n/index.js';
import { useGroups } from '../../parts/users/user.js';
import { useOrg } from '../../state/org.js';
import type { Asked, Dimension } from './history-query.js';

/** In place of a model, a key or a group: requests that have none. */
const NONE = 'none';
/** Who consumed less than all of these is shown by id. */
const USERS_MAX = 100;

export function useMemberNames({ dimension, quota }: Asked): (member: string) => string {
  const groups = distinct(useGroups());
  const users = distinct(useUserNames(dimension === 'user' ? quota : undefined));
  return (member) => {
    if (member === NONE) return texts.value.history.none[dimension];
    return namesOf(dimension, { groups, users })(member) ?? member;
  };
}

type Names = ReadonlyMap<string, string>;

function namesOf(
  dimension: Dimension,
  { groups, users }: { readonly groups: Names; readonly users: Names },
): (member: string) => string | undefined {
  if (dimension === 'user') return (member) => users.get(member);
  if (dimension === 'group') return (member) => groups.get(member);
  return dimension === 'quota' ? quotaName : () => undefined;
}

/** Two of the same name are told apart by their ids. */
function distinct(names: Names): Names {
  const ids = Map.groupBy(names.keys(), (id) => names.get(id));
  return new Map(
    [...names].map(([id, name]) => [id, ids.get(name)?.length === 1 ? name : `${name} (${id})`]),
  );
}

/** Those who consumed most of the quota in this period. */
function useUserNames(quota: string | undefined): Names {
  const { id: org } = useOrg();
  const { data } = useQuery({
    key: quota === undefined ? undefined : `consumer-names ${org} ${quota}`,
    kinds: ['directory'],
    read: (options) =>
      api.GET('/v1/orgs/{org}/users', {
        params: { path: { org }, query: { pageSize: USERS_MAX, sort: `-consumed:${quota}` } },
        ...options,
      }),
  });
  return new Map(data?.items.map((user) => [user.id, nameOf(user)]));
}
