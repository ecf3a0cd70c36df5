/** The filters and the table of users. */

import { UserPlus, Users, X } from 'lucide-preact';
import { api } from '../../api/client.js';
import { useQuery } from '../../api/query.js';
import { quotaName } from '../../format/amounts.js';
import { texts } from '../../i18n/index.js';
import { useGroups } from '../../parts/users/user.js';
import { userColumns } from '../../parts/users/user-columns.js';
import { queryOf, setQuery } from '../../router.js';
import { type QuotaOverview, useOrg } from '../../state/org.js';
import { may } from '../../state/session.js';
import { Button } from '../../ui/button.js';
import { Chips } from '../../ui/chips.js';
import { NoMatch } from '../../ui/no-match.js';
import { setFilters, sortedPageQuery, usePaging } from '../../ui/paging.js';
import { SearchBox } from '../../ui/search-box.js';
import { EmptyState } from '../../ui/states.js';
import { Table } from '../../ui/table.js';

const STATUSES = ['active', 'invited', 'inactive', 'removed'] as const;

function givenFilters() {
  const status = STATUSES.find((one) => one === queryOf('status'));
  const texts = { q: queryOf('q'), role: queryOf('role'), group: queryOf('group') };
  const given = Object.fromEntries(Object.entries(texts).filter(([, value]) => value !== ''));
  return { ...given, ...(status === undefined ? {} : { status }) };
}

interface UserListProps {
  readonly quota: QuotaOverview | undefined;
  readonly label: string;
}

export function UserList({ quota, label }: UserListProps) {
  const { id: org } = useOrg();
  const groups = useGroups();
  const paging = usePaging('name');
  const filters = givenFilters();
  const query = {
    ...filters,
    ...sortedPageQuery(paging),
  };
  const list = useQuery({
    key: `users ${org} ${JSON.stringify(query)}`,
    kinds: ['directory', 'consumption'],
    read: (options) => api.GET('/v1/orgs/{org}/users', { params: { path: { org }, query }, ...options }),
  });
  const isFiltered = Object.keys(filters).length > 0;
  return (
    <>
      <Filters quota={quota} groups={groups} />
      <Table
        caption={label}
        query={list}
        columns={userColumns({ quota, groups })}
        keyOf={({ id }) => id}
        paging={paging}
        empty={isFiltered ? <NoMatch icon={Users} filters={['q', 'status', 'group', 'role']} /> : <NoUsers />}
      />
    </>
  );
}

interface FiltersProps {
  readonly quota: QuotaOverview | undefined;
  readonly groups: ReadonlyMap<string, string>;
}

function Filters({ quota, groups }: FiltersProps) {
  const { users, common } = texts.value;
  const { quotas } = useOrg();
  return (
    <div class="toolbar">
      <SearchBox label={users.search} value={queryOf('q')} onChange={(q) => setFilters({ q })} />
      <Chips
        label={users.filterStatus}
        value={queryOf('status')}
        onChange={(status) => setFilters({ status })}
        choices={[
          { value: '', label: common.all },
          ...STATUSES.map((value) => ({ value, label: users.statuses[value] })),
        ]}
      />
      {groups.size > 0 && <GroupFilter groups={groups} />}
      {queryOf('role') !== '' && <RoleFilter role={queryOf('role')} />}
      {quotas.length > 1 && (
        <Chips
          label={users.quota}
          value={quota?.quota ?? ''}
          // The order by consumption is that of the quota before.
          onChange={(value) => setFilters({ quota: value, sort: undefined })}
          choices={quotas.map(({ quota: value }) => ({ value, label: quotaName(value) }))}
        />
      )}
    </div>
  );
}

function GroupFilter({ groups }: { readonly groups: ReadonlyMap<string, string> }) {
  const { users } = texts.value;
  return (
    <select
      class="input select"
      aria-label={users.filterGroup}
      value={queryOf('group')}
      onChange={(event) => setFilters({ group: event.currentTarget.value })}
    >
      <option value="">{users.allGroups}</option>
      {[...groups].map(([id, name]) => (
        <option key={id} value={id}>
          {name}
        </option>
      ))}
    </select>
  );
}

function RoleFilter({ role }: { readonly role: string }) {
  const { users } = texts.value;
  return (
    <button
      type="button"
      class="chip"
      aria-pressed
      aria-label={users.clearRole(role)}
      onClick={() => setFilters({ role: undefined })}
    >
      {users.filterRole(role)}
      <X size={14} aria-hidden="true" />
    </button>
  );
}

function NoUsers() {
  const { users } = texts.value;
  return (
    <EmptyState
      icon={Users}
      title={users.empty.title}
      action={
        may('addUser') && (
          <Button icon={UserPlus} onClick={() => setQuery({ invite: 'new' })}>
            {users.invite}
          </Button>
        )
      }
    >
      {users.empty.text}
    </EmptyState>
  );
}
