/** The groups, the keys and the last refusals of a user. */
import { KeyRound, Pencil, ShieldCheck, Users } from 'lucide-preact';
import { api, type Schemas } from '../../api/client.js';
import { useQuery } from '../../api/query.js';
import { nameOf } from '../../api/subjects.js';
import { amount, quotaName } from '../../format/amounts.js';
import { texts } from '../../i18n/index.js';
import { linkToPage } from '../../pages.js';
import { secretColumns } from '../../parts/secrets/secret-columns.js';
import { type User, useGroups } from '../../parts/users/user.js';
import { setQuery } from '../../router.js';
import { useOrg } from '../../state/org.js';
import { may } from '../../state/session.js';
import { Button } from '../../ui/button.js';
import { pageQuery, usePaging } from '../../ui/paging.js';
import { EmptyState } from '../../ui/states.js';
import { Table } from '../../ui/table.js';
import { Time } from '../../ui/time.js';

interface TabProps {
  readonly user: User;
}

const EACH_MAX = 20;

export function GroupsTab({ user }: TabProps) {
  const { id: org } = useOrg();
  const { groups: text } = texts.value.user;
  const names = useGroups();
  const edit = may('changeUser') && (
    <Button icon={Pencil} size="small" onClick={() => setQuery({ profile: user.id })}>
      {text.edit}
    </Button>
  );
  if (user.groups.length === 0)
    return (
      <EmptyState icon={Users} title={text.none} action={edit}>
        {text.noneText}
      </EmptyState>
    );
  return (
    <div class="card">
      <ul class="stack" aria-label={text.caption(nameOf(user))}>
        {user.groups.map((group) => {
          const href = linkToPage('group', { org, group });
          const name = names.get(group) ?? group;
          return <li key={group}>{href === undefined ? name : <a href={href}>{name}</a>}</li>;
        })}
      </ul>
      <div>{edit}</div>
    </div>
  );
}

export function KeysTab({ user }: TabProps) {
  const { id: org } = useOrg();
  const { keys: text } = texts.value.user;
  const paging = usePaging('-createdAt');
  const query = {
    user: user.id,
    sort: paging.sort,
    ...pageQuery(paging, EACH_MAX),
  };
  const list = useQuery({
    key: `keys ${org} ${JSON.stringify(query)}`,
    kinds: ['directory'],
    read: (options) => api.GET('/v1/orgs/{org}/keys', { params: { path: { org }, query }, ...options }),
  });
  return (
    <Table
      caption={text.caption(nameOf(user))}
      query={list}
      paging={paging}
      keyOf={({ id }) => id}
      columns={[
        { id: 'name', label: text.name, sort: 'name', cell: ({ name }) => name || '–' },
        { id: 'id', label: text.id, cell: ({ id }) => <code>{id}</code> },
        ...secretColumns<Schemas['Key']>(undefined),
      ]}
      empty={
        <EmptyState icon={KeyRound} title={text.none}>
          {text.noneText}
        </EmptyState>
      }
    />
  );
}

export function RefusalsTab({ user }: TabProps) {
  const { id: org } = useOrg();
  const { refusals: text } = texts.value.user;
  const paging = usePaging('');
  const query = {
    kind: 'blocked' as const,
    who: user.id,
    order: 'newest' as const,
    ...pageQuery(paging, EACH_MAX),
  };
  const list = useQuery({
    key: `refusals ${org} ${JSON.stringify(query)}`,
    kinds: ['events'],
    read: (options) => api.GET('/v1/orgs/{org}/events', { params: { path: { org }, query }, ...options }),
  });
  return (
    <Table
      caption={text.caption(nameOf(user))}
      query={list}
      paging={paging}
      keyOf={({ id }) => id}
      columns={[
        { id: 'at', label: text.at, cell: ({ at }) => <Time at={at} /> },
        { id: 'quota', label: text.quota, cell: ({ quota }) => quotaName(quota) },
        { id: 'action', label: text.action, cell: ({ action }) => action },
        { id: 'whose', label: text.whose, cell: ({ name, subject }) => nameOf({ id: subject, name }) },
        { id: 'limit', label: text.limit, numeric: true, cell: ({ limit, unit }) => amount(limit, unit) },
        { id: 'consumed', label: text.consumed, numeric: true, cell: ({ consumed }) => amount(consumed) },
        {
          id: 'requests',
          label: text.requests,
          numeric: true,
          cell: ({ refused }) => amount(refused?.count ?? 1),
        },
      ]}
      empty={
        <EmptyState icon={ShieldCheck} title={text.none}>
          {text.noneText}
        </EmptyState>
      }
    />
  );
}
