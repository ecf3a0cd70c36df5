/** One user: state, figures, and tabs with the limits that apply, consumption, groups, keys and refusals. */
import '../../parts/users/users.css';
import { Ellipsis } from 'lucide-preact';
import { api } from '../../api/client.js';
import { useQuery } from '../../api/query.js';
import { nameOf } from '../../api/subjects.js';
import { quotaName } from '../../format/amounts.js';
import { texts } from '../../i18n/index.js';
import { Consumption } from '../../parts/consumption/consumption-chart.js';
import { FiguresCard } from '../../parts/consumption/figures-card.js';
import { OpenLimitDialog } from '../../parts/limits/limit-dialogs.js';
import type { User } from '../../parts/users/user.js';
import { OpenUserDialog, userActs } from '../../parts/users/user-acts.js';
import { UserStatusBadge } from '../../parts/users/user-status.js';
import { type PathParams, queryOf, setQuery } from '../../router.js';
import { useOrg } from '../../state/org.js';
import { Chips } from '../../ui/chips.js';
import { Menu } from '../../ui/menu.js';
import { PageHead } from '../../ui/page-head.js';
import { setFilters } from '../../ui/paging.js';
import { Loaded } from '../../ui/states.js';
import { Tabs } from '../../ui/tabs.js';
import { Time } from '../../ui/time.js';
import { LimitsTab } from './user-limits.js';
import { GroupsTab, KeysTab, RefusalsTab } from './user-lists.js';

export default function UserPage({ params: { user: id = '' } }: { readonly params: PathParams }) {
  const { id: org } = useOrg();
  const query = useQuery({
    key: `user ${org} ${id}`,
    kinds: ['directory', 'consumption'],
    read: (options) =>
      api.GET('/v1/orgs/{org}/users/{user}', { params: { path: { org, user: id } }, ...options }),
  });
  return (
    <Loaded query={query} page>
      {(user) => <UserDetails user={user} />}
    </Loaded>
  );
}

function UserDetails({ user }: { readonly user: User }) {
  const { quotas } = useOrg();
  const { user: text } = texts.value;
  return (
    <>
      <PageHead
        title={nameOf(user)}
        state={<UserStatusBadge status={user.status} />}
        about={<AboutUser user={user} />}
        action={<UserMenu user={user} />}
      />
      <div class="quota-cards">
        {quotas.map((quota) => {
          const figures = user.quotas[quota.quota];
          return (
            figures && (
              <FiguresCard
                key={quota.quota}
                quota={quota}
                cap={figures.cap}
                consumed={figures.consumed}
                held={figures.held}
                left={figures.effectiveLeft}
                leftNote={text.leftOf}
                status={figures.status}
              />
            )
          );
        })}
      </div>
      <UserTabs user={user} />
      <OpenUserDialog />
      <OpenLimitDialog />
    </>
  );
}

function AboutUser({ user: { id, email, role, createdAt, lastActiveAt } }: { readonly user: User }) {
  const { user: text, users } = texts.value;
  return (
    <span class="facts-line">
      <span>{text.about(id)}</span>
      {email !== '' && <span>{email}</span>}
      {role !== '' && <span>{role}</span>}
      {createdAt !== null && (
        <span>
          {text.since} <Time at={createdAt} as="date" />
        </span>
      )}
      {lastActiveAt && (
        <span>
          {users.lastActive} <Time at={lastActiveAt} />
        </span>
      )}
    </span>
  );
}

function UserMenu({ user }: { readonly user: User }) {
  const items = userActs(user);
  if (items.length === 0) return null;
  return (
    <Menu
      label={texts.value.users.actionsFor(nameOf(user))}
      buttonClass="button"
      button={
        <>
          {texts.value.common.actions}
          <Ellipsis size={16} aria-hidden="true" />
        </>
      }
      items={items}
    />
  );
}

const TABS = ['limits', 'consumption', 'groups', 'keys', 'refusals'] as const;

function UserTabs({ user }: { readonly user: User }) {
  const { quotas } = useOrg();
  const { user: text, users } = texts.value;
  const tab = TABS.find((one) => one === queryOf('tab')) ?? 'limits';
  const quota = quotas.find((one) => one.quota === queryOf('quota')) ?? quotas[0];
  const hasQuota = tab === 'consumption';
  return (
    <Tabs
      label={text.tabs}
      tabs={TABS.map((id) => ({ id, label: text.tab[id] }))}
      selected={tab}
      onSelect={(id) => setFilters({ tab: id })}
    >
      {hasQuota && quota !== undefined && quotas.length > 1 && (
        <Chips
          label={users.quota}
          value={quota.quota}
          onChange={(value) => setQuery({ quota: value })}
          choices={quotas.map(({ quota: value }) => ({ value, label: quotaName(value) }))}
        />
      )}
      {tab === 'limits' && <LimitsTab user={user} />}
      {tab === 'consumption' && quota && (
        <Consumption subject={{ scope: 'user', id: user.id, name: nameOf(user) }} quota={quota} />
      )}
      {tab === 'groups' && <GroupsTab user={user} />}
      {tab === 'keys' && <KeysTab user={user} />}
      {tab === 'refusals' && <RefusalsTab user={user} />}
    </Tabs>
  );
}
