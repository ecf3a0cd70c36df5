/** The members of a group, with their own caps, and a way out of the group for each. */
import { UserMinus, Users } from 'lucide-preact';
import { useState } from 'preact/hooks';
import { api, dataOf } from '../../api/client.js';
import { refresh, useQuery } from '../../api/query.js';
import { nameOf } from '../../api/subjects.js';
import { texts } from '../../i18n/index.js';
import type { Group } from '../../parts/groups/group.js';
import { type User, useGroups } from '../../parts/users/user.js';
import { userColumns } from '../../parts/users/user-columns.js';
import { queryOf } from '../../router.js';
import { type QuotaOverview, useOrg } from '../../state/org.js';
import { may } from '../../state/session.js';
import { IconButton } from '../../ui/button.js';
import { ConfirmDialog } from '../../ui/confirm-dialog.js';
import { NoMatch } from '../../ui/no-match.js';
import { searchedPageQuery, setFilters, usePaging } from '../../ui/paging.js';
import { SearchBox } from '../../ui/search-box.js';
import { EmptyState } from '../../ui/states.js';
import { type Column, Table } from '../../ui/table.js';
import { toast } from '../../ui/toasts.js';

interface MemberListProps {
  readonly group: Group;
  readonly quota: QuotaOverview | undefined;
}

export function MemberList({ group, quota }: MemberListProps) {
  const { id: org } = useOrg();
  const { page: text } = texts.value.groups;
  const names = useGroups();
  const paging = usePaging('name');
  const [leaving, setLeaving] = useState<User | undefined>(undefined);
  const q = queryOf('q');
  const query = searchedPageQuery(paging);
  const list = useQuery({
    key: `members ${org} ${group.id} ${JSON.stringify(query)}`,
    kinds: ['directory', 'consumption'],
    read: (options) =>
      api.GET('/v1/orgs/{org}/groups/{group}/members', {
        params: { path: { org, group: group.id }, query },
        ...options,
      }),
  });
  const columns = userColumns({ quota, groups: names }).filter(({ id }) => id !== 'actions');
  return (
    <>
      <div class="toolbar">
        <SearchBox label={text.search} value={q} onChange={(value) => setFilters({ q: value })} />
      </div>
      <Table
        caption={text.caption(nameOf(group))}
        query={list}
        columns={may('removeMember') ? [...columns, leaveColumn(setLeaving)] : columns}
        keyOf={({ id }) => id}
        paging={paging}
        empty={
          q === '' ? (
            <EmptyState icon={Users} title={text.empty}>
              {text.emptyText}
            </EmptyState>
          ) : (
            <NoMatch icon={Users} filters={['q']} />
          )
        }
      />
      {leaving && <RemoveMemberDialog group={group} user={leaving} onClose={() => setLeaving(undefined)} />}
    </>
  );
}

function leaveColumn(onLeave: (user: User) => void): Column<User> {
  const { act } = texts.value.groups.removeMember;
  return {
    id: 'actions',
    label: '',
    cell: (user) => (
      <div class="row-actions">
        <IconButton
          icon={UserMinus}
          size="small"
          label={`${act}: ${nameOf(user)}`}
          onClick={() => onLeave(user)}
        />
      </div>
    ),
  };
}

interface RemoveMemberDialogProps {
  readonly group: Group;
  readonly user: User;
  readonly onClose: () => void;
}

function RemoveMemberDialog({ group, user, onClose }: RemoveMemberDialogProps) {
  const { id: org } = useOrg();
  const { removeMember: text, done } = texts.value.groups;
  const name = nameOf(user);
  const remove = async (): Promise<void> => {
    const path = { org, group: group.id, user: user.id };
    await dataOf(api.DELETE('/v1/orgs/{org}/groups/{group}/members/{user}', { params: { path } }));
    await refresh('directory', 'consumption');
    toast(done.left(name));
  };
  return (
    <ConfirmDialog
      title={text.title(name, nameOf(group))}
      act={text.act}
      onConfirm={remove}
      onClose={onClose}
    >
      <p>{text.text(name)}</p>
    </ConfirmDialog>
  );
}
