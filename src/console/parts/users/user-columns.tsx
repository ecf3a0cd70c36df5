/** The columns of tables of users, with the figures of one quota. */

import { Ellipsis, Timer, Trash2, User as UserIcon } from 'lucide-preact';
import { nameOf } from '../../api/subjects.js';
import { amount, percent } from '../../format/amounts.js';
import { texts } from '../../i18n/index.js';
import { linkToPage } from '../../pages.js';
import { setQuery } from '../../router.js';
import { type QuotaOverview, useOrg } from '../../state/org.js';
import { may } from '../../state/session.js';
import { StatusBadge } from '../../ui/badge.js';
import { Menu, type MenuItem } from '../../ui/menu.js';
import { NamedCell } from '../../ui/named-cell.js';
import { setFilters } from '../../ui/paging.js';
import { ProgressBar } from '../../ui/progress-bar.js';
import type { Column } from '../../ui/table.js';
import { Time } from '../../ui/time.js';
import { CapCell } from './cap-cell.js';
import type { User } from './user.js';
import { userActs } from './user-acts.js';
import { UserStatusBadge } from './user-status.js';

interface UserColumns {
  /** Undefined: the org has no plan, so there are no figures. */
  readonly quota: QuotaOverview | undefined;
  readonly groups: ReadonlyMap<string, string>;
}

export function userColumns({ quota, groups }: UserColumns): Column<User>[] {
  const { columns } = texts.value.users;
  return [
    { id: 'user', label: columns.user, sort: 'name', cell: (user) => <UserCell user={user} /> },
    { id: 'role', label: columns.role, sort: 'role', cell: ({ role }) => <RoleCell role={role} /> },
    { id: 'groups', label: columns.groups, cell: (user) => <GroupsCell user={user} names={groups} /> },
    {
      id: 'status',
      label: columns.status,
      sort: 'status',
      cell: (user) => <StatusCell user={user} quota={quota?.quota} />,
    },
    ...(quota === undefined ? [] : figureColumns(quota)),
    { id: 'actions', label: '', cell: (user) => <ActionsCell user={user} quota={quota?.quota} /> },
  ];
}

function figureColumns(quota: QuotaOverview): Column<User>[] {
  const { columns } = texts.value.users;
  return [
    { id: 'cap', label: columns.cap, numeric: true, cell: (user) => <CapCell user={user} quota={quota} /> },
    {
      id: 'consumed',
      label: columns.consumed,
      sort: `consumed:${quota.quota}`,
      numeric: true,
      cell: (user) => <ConsumedCell user={user} quota={quota} />,
    },
    {
      id: 'left',
      label: columns.left,
      numeric: true,
      cell: (user) => <LeftCell user={user} quota={quota} />,
    },
  ];
}

function UserCell({ user }: { readonly user: User }) {
  const { id: org } = useOrg();
  const href = linkToPage('user', { org, user: user.id });
  const name = nameOf(user);
  const second = user.email || (name === user.id ? '' : user.id);
  return <NamedCell icon={<UserIcon size={18} aria-hidden="true" />} name={name} href={href} note={second} />;
}

/** A click on a role shows only those who have it. */
function RoleCell({ role }: { readonly role: string }) {
  if (role === '') return <>–</>;
  return (
    <button
      type="button"
      class="link-button wraps"
      title={texts.value.users.onlyRole(role)}
      onClick={() => setFilters({ role })}
    >
      {role}
    </button>
  );
}

const GROUPS_SHOWN = 2;

interface GroupsCellProps {
  readonly user: User;
  readonly names: ReadonlyMap<string, string>;
}

function GroupsCell({ user: { groups }, names }: GroupsCellProps) {
  const { id: org } = useOrg();
  if (groups.length === 0) return <>–</>;
  const hidden = groups.slice(GROUPS_SHOWN);
  return (
    <ul class="group-names">
      {groups.slice(0, GROUPS_SHOWN).map((group) => {
        const href = linkToPage('group', { org, group });
        const name = names.get(group) ?? group;
        return (
          <li key={group} class="wraps">
            {href === undefined ? name : <a href={href}>{name}</a>}
          </li>
        );
      })}
      {hidden.length > 0 && (
        <li class="muted" title={hidden.map((group) => names.get(group) ?? group).join(', ')}>
          {texts.value.users.moreGroups(hidden.length)}
        </li>
      )}
    </ul>
  );
}

interface CellProps {
  readonly user: User;
  readonly quota: QuotaOverview;
}

function StatusCell({ user, quota }: { readonly user: User; readonly quota: string | undefined }) {
  const status = (quota === undefined ? undefined : user.quotas[quota]?.status) ?? 'ok';
  return (
    <>
      <div class="badges">
        <UserStatusBadge status={user.status} />
        {status !== 'ok' && <StatusBadge status={status} />}
      </div>
      {user.lastActiveAt && (
        <div class="small muted">
          {texts.value.users.lastActive} <Time at={user.lastActiveAt} as="day" />
        </div>
      )}
    </>
  );
}

function ConsumedCell({ user, quota: { quota, unit } }: CellProps) {
  const figures = user.quotas[quota];
  if (figures === undefined) return <>–</>;
  const { cap, consumed, held, status } = figures;
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

function LeftCell({ user, quota: { quota } }: CellProps) {
  const { users } = texts.value;
  const { left = null, effectiveLeft = null } = user.quotas[quota] ?? {};
  const least = effectiveLeft ?? left;
  if (least === null) return <>–</>;
  return (
    <div title={users.leftTitle}>
      {amount(Math.max(0, least))}
      {left !== null && left > least && (
        <div class="small muted">{users.ownLeft(amount(Math.max(0, left)))}</div>
      )}
    </div>
  );
}

function ActionsCell({ user, quota }: { readonly user: User; readonly quota: string | undefined }) {
  const items = [...capActs(user, quota), ...userActs(user)];
  if (items.length === 0) return null;
  return (
    <div class="row-actions">
      <Menu
        label={texts.value.users.actionsFor(nameOf(user))}
        buttonClass="button button-menu"
        button={<Ellipsis size={16} aria-hidden="true" />}
        items={items}
      />
    </div>
  );
}

function capActs(user: User, quota: string | undefined): MenuItem[] {
  const limit = quota === undefined ? null : (user.quotas[quota]?.limit ?? null);
  if (limit === null) return [];
  const { limits, users } = texts.value;
  return [
    ...(may('raiseLimit')
      ? [{ label: limits.raise, icon: Timer, onSelect: () => setQuery({ raise: limit }) }]
      : []),
    ...(may('deleteLimit')
      ? [{ label: users.cap.delete, icon: Trash2, onSelect: () => setQuery({ delete: limit }) }]
      : []),
  ];
}
