/** One group: figures of each quota, its members, and what they consumed together over time. */
import '../../parts/users/users.css';
import { Ellipsis, UserPlus } from 'lucide-preact';
import { api } from '../../api/client.js';
import { useQuery } from '../../api/query.js';
import { nameOf } from '../../api/subjects.js';
import { quotaName } from '../../format/amounts.js';
import { texts } from '../../i18n/index.js';
import { Consumption } from '../../parts/consumption/consumption-chart.js';
import { FiguresCard, figuresOfGroup } from '../../parts/consumption/figures-card.js';
import type { Group } from '../../parts/groups/group.js';
import { groupActs, OpenGroupDialog } from '../../parts/groups/group-acts.js';
import { OpenLimitDialog } from '../../parts/limits/limit-dialogs.js';
import { OpenUserDialog } from '../../parts/users/user-acts.js';
import { type PathParams, queryOf, setQuery } from '../../router.js';
import { type QuotaOverview, useOrg } from '../../state/org.js';
import { may } from '../../state/session.js';
import { Button } from '../../ui/button.js';
import { Chips } from '../../ui/chips.js';
import { Menu } from '../../ui/menu.js';
import { PageHead } from '../../ui/page-head.js';
import { setFilters } from '../../ui/paging.js';
import { Loaded } from '../../ui/states.js';
import { Tabs } from '../../ui/tabs.js';
import { AddMemberDialog } from './add-member-dialog.js';
import { MemberList } from './member-list.js';

export default function GroupPage({ params: { group: id = '' } }: { readonly params: PathParams }) {
  const { id: org } = useOrg();
  const query = useQuery({
    key: `group ${org} ${id}`,
    kinds: ['directory', 'consumption'],
    read: (options) =>
      api.GET('/v1/orgs/{org}/groups/{group}', { params: { path: { org, group: id } }, ...options }),
  });
  return (
    <Loaded query={query} page>
      {(group) => <GroupDetails group={group as Group} />}
    </Loaded>
  );
}

function GroupDetails({ group }: { readonly group: Group }) {
  const { quotas } = useOrg();
  const { groups } = texts.value;
  const quota = quotas.find((one) => one.quota === queryOf('quota')) ?? quotas[0];
  return (
    <>
      <PageHead
        title={nameOf(group)}
        about={
          <span class="facts-line">
            <span>{texts.value.user.about(group.id)}</span>
            <span>{groups.members(group.members)}</span>
          </span>
        }
        action={<GroupActions group={group} quota={quota?.quota} />}
      />
      <div class="quota-cards">
        {quotas.map((one) => (
          <GroupFigures key={one.quota} group={group} quota={one} />
        ))}
      </div>
      <GroupTabs group={group} quota={quota} />
      {queryOf('add') === 'member' && may('addMember') && (
        <AddMemberDialog group={group} onClose={() => setQuery({ add: undefined })} />
      )}
      <OpenGroupDialog quota={quota?.quota} />
      <OpenUserDialog />
      <OpenLimitDialog />
    </>
  );
}

function GroupFigures({ group, quota }: { readonly group: Group; readonly quota: QuotaOverview }) {
  const { cap, consumed, held, left, status } = figuresOfGroup(group.quotas[quota.quota]);
  return (
    <FiguresCard
      quota={quota}
      cap={cap}
      consumed={consumed}
      held={held}
      left={left}
      leftNote={texts.value.groups.page.together}
      status={status}
    />
  );
}

function GroupActions({ group, quota }: { readonly group: Group; readonly quota: string | undefined }) {
  const { groups, common } = texts.value;
  const items = groupActs(group, quota);
  return (
    <>
      {items.length > 0 && (
        <Menu
          label={groups.actionsFor(nameOf(group))}
          buttonClass="button"
          button={
            <>
              {common.actions}
              <Ellipsis size={16} aria-hidden="true" />
            </>
          }
          items={items}
        />
      )}
      {may('addMember') && (
        <Button kind="primary" icon={UserPlus} onClick={() => setQuery({ add: 'member' })}>
          {groups.page.addMember}
        </Button>
      )}
    </>
  );
}

const TABS = ['members', 'consumption'] as const;

interface GroupTabsProps {
  readonly group: Group;
  readonly quota: QuotaOverview | undefined;
}

function GroupTabs({ group, quota }: GroupTabsProps) {
  const { quotas } = useOrg();
  const { groups, user } = texts.value;
  const tab = TABS.find((one) => one === queryOf('tab')) ?? 'members';
  return (
    <Tabs
      label={user.tabs}
      tabs={TABS.map((id) => ({ id, label: groups.page.tab[id] }))}
      selected={tab}
      onSelect={(id) => setFilters({ tab: id })}
    >
      {quotas.length > 1 && (
        <Chips
          label={groups.quota}
          value={quota?.quota ?? ''}
          onChange={(value) => setFilters({ quota: value, sort: undefined })}
          choices={quotas.map(({ quota: value }) => ({ value, label: quotaName(value) }))}
        />
      )}
      {tab === 'members' && <MemberList group={group} quota={quota} />}
      {tab === 'consumption' && quota && (
        <Consumption subject={{ scope: 'group', id: group.id, name: nameOf(group) }} quota={quota} />
      )}
    </Tabs>
  );
}
