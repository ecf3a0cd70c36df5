/** The groups of the org, with members, limit and combined consumption. */
import '../../parts/users/users.css';
import { Ellipsis, Plus, Users } from 'lucide-preact';
import { api } from '../../api/client.js';
import { useQuery } from '../../api/query.js';
import { nameOf } from '../../api/subjects.js';
import { amount, percent, quotaName } from '../../format/amounts.js';
import { texts } from '../../i18n/index.js';
import { linkToPage } from '../../pages.js';
import { figuresOfGroup } from '../../parts/consumption/figures-card.js';
import type { Group } from '../../parts/groups/group.js';
import { groupActs, OpenGroupDialog } from '../../parts/groups/group-acts.js';
import { CreateGroupDialog } from '../../parts/groups/group-dialogs.js';
import { OpenLimitDialog } from '../../parts/limits/limit-dialogs.js';
import { queryOf, setQuery } from '../../router.js';
import { type QuotaOverview, useOrg } from '../../state/org.js';
import { may } from '../../state/session.js';
import { StatusBadge } from '../../ui/badge.js';
import { Button } from '../../ui/button.js';
import { Chips } from '../../ui/chips.js';
import { Menu } from '../../ui/menu.js';
import { NamedCell } from '../../ui/named-cell.js';
import { NoMatch } from '../../ui/no-match.js';
import { PageHead } from '../../ui/page-head.js';
import { searchedPageQuery, setFilters, usePaging } from '../../ui/paging.js';
import { ProgressBar } from '../../ui/progress-bar.js';
import { SearchBox } from '../../ui/search-box.js';
import { EmptyState } from '../../ui/states.js';
import { type Column, Table } from '../../ui/table.js';

export default function GroupsPage() {
  const { groups } = texts.value;
  const { quotas } = useOrg();
  const quota = quotas.find((one) => one.quota === queryOf('quota')) ?? quotas[0];
  return (
    <>
      <PageHead title={groups.title} about={groups.about} action={<CreateButton primary />} />
      <div class="toolbar">
        <SearchBox label={groups.search} value={queryOf('q')} onChange={(q) => setFilters({ q })} />
        {quotas.length > 1 && (
          <Chips
            label={groups.quota}
            value={quota?.quota ?? ''}
            onChange={(value) => setQuery({ quota: value })}
            choices={quotas.map(({ quota: value }) => ({ value, label: quotaName(value) }))}
          />
        )}
      </div>
      <GroupList quota={quota} />
      {queryOf('create') === 'group' && may('addGroup') && (
        <CreateGroupDialog onClose={() => setQuery({ create: undefined })} />
      )}
      <OpenGroupDialog quota={quota?.quota} />
      <OpenLimitDialog />
    </>
  );
}

function CreateButton({ primary = false }: { readonly primary?: boolean }) {
  if (!may('addGroup')) return null;
  return (
    <Button kind={primary ? 'primary' : 'normal'} icon={Plus} onClick={() => setQuery({ create: 'group' })}>
      {texts.value.groups.create}
    </Button>
  );
}

function GroupList({ quota }: { readonly quota: QuotaOverview | undefined }) {
  const { id: org } = useOrg();
  const { groups } = texts.value;
  const paging = usePaging('name');
  const query = searchedPageQuery(paging);
  const list = useQuery({
    key: `groups ${org} ${JSON.stringify(query)}`,
    kinds: ['directory', 'consumption'],
    read: (options) => api.GET('/v1/orgs/{org}/groups', { params: { path: { org }, query }, ...options }),
  });
  return (
    <Table<Group>
      caption={groups.caption(quota === undefined ? '' : quotaName(quota.quota))}
      query={list as typeof list & { data: { items: Group[] } | undefined }}
      columns={groupColumns(quota)}
      keyOf={({ id }) => id}
      paging={paging}
      empty={
        queryOf('q') === '' ? (
          <EmptyState icon={Users} title={groups.empty.title} action={<CreateButton />}>
            {groups.empty.text}
          </EmptyState>
        ) : (
          <NoMatch icon={Users} filters={['q']} />
        )
      }
    />
  );
}

function groupColumns(quota: QuotaOverview | undefined): Column<Group>[] {
  const { columns } = texts.value.groups;
  return [
    { id: 'group', label: columns.group, sort: 'name', cell: (group) => <GroupCell group={group} /> },
    {
      id: 'members',
      label: columns.members,
      sort: 'members',
      numeric: true,
      cell: ({ members }) => amount(members),
    },
    ...(quota === undefined ? [] : figureColumns(quota)),
    { id: 'actions', label: '', cell: (group) => <ActionsCell group={group} quota={quota?.quota} /> },
  ];
}

function figureColumns({ quota, unit }: QuotaOverview): Column<Group>[] {
  const { groups } = texts.value;
  const { columns } = groups;
  const of = (group: Group) => figuresOfGroup(group.quotas[quota]);
  return [
    {
      id: 'limit',
      label: columns.limit,
      numeric: true,
      cell: (group) => {
        const { cap } = of(group);
        return cap === null ? <span class="muted">{groups.noLimit}</span> : amount(cap, unit);
      },
    },
    {
      id: 'consumed',
      label: columns.consumed,
      numeric: true,
      cell: (group) => <ConsumedCell figures={of(group)} unit={unit} />,
    },
    {
      id: 'left',
      label: columns.left,
      numeric: true,
      cell: (group) => {
        const { left } = of(group);
        return left === null ? '–' : amount(Math.max(0, left));
      },
    },
    {
      id: 'status',
      label: columns.status,
      cell: (group) => (of(group).cap === null ? '–' : <StatusBadge status={of(group).status} />),
    },
  ];
}

function GroupCell({ group }: { readonly group: Group }) {
  const { id: org } = useOrg();
  const href = linkToPage('group', { org, group: group.id });
  const name = nameOf(group);
  return (
    <NamedCell
      icon={<Users size={18} aria-hidden="true" />}
      name={name}
      href={href}
      note={name === group.id ? '' : group.id}
    />
  );
}

interface ConsumedCellProps {
  readonly figures: ReturnType<typeof figuresOfGroup>;
  readonly unit: string;
}

function ConsumedCell({ figures: { cap, consumed, held, status }, unit }: ConsumedCellProps) {
  if (cap === null) return <>{amount(consumed)}</>;
  return (
    <div class="consumed">
      <div class="row spread">
        <span>{amount(consumed)}</span>
        <span class="muted">{percent(cap === 0 ? 100 : (consumed / cap) * 100)}</span>
      </div>
      <ProgressBar consumed={consumed} held={held} limit={cap} unit={unit} status={status} />
    </div>
  );
}

function ActionsCell({ group, quota }: { readonly group: Group; readonly quota: string | undefined }) {
  const items = groupActs(group, quota);
  if (items.length === 0) return null;
  return (
    <div class="row-actions">
      <Menu
        label={texts.value.groups.actionsFor(nameOf(group))}
        buttonClass="button button-menu"
        button={<Ellipsis size={16} aria-hidden="true" />}
        items={items}
      />
    </div>
  );
}
