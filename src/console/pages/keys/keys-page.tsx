/** The API keys of the org: created for a user, shown once, deleted at once. */

import { KeyRound, Plus } from 'lucide-preact';
import { useState } from 'preact/hooks';
import { api, type Schemas } from '../../api/client.js';
import { useQuery } from '../../api/query.js';
import { texts } from '../../i18n/index.js';
import { linkToPage } from '../../pages.js';
import { secretColumns } from '../../parts/secrets/secret-columns.js';
import { SecretDialog } from '../../parts/secrets/secret-dialog.js';
import { queryOf, setQuery } from '../../router.js';
import { useOrg } from '../../state/org.js';
import { may } from '../../state/session.js';
import { Button } from '../../ui/button.js';
import { NamedCell } from '../../ui/named-cell.js';
import { PageHead } from '../../ui/page-head.js';
import { searchedPageQuery, setFilters, usePaging } from '../../ui/paging.js';
import { SearchBox } from '../../ui/search-box.js';
import { EmptyState } from '../../ui/states.js';
import { type Column, Table } from '../../ui/table.js';
import { CreateKeyDialog, DeleteKeyDialog } from './key-dialogs.js';

type Key = Schemas['Key'];

export default function KeysPage() {
  const { keys } = texts.value;
  const [made, setMade] = useState<string | undefined>(undefined);
  return (
    <>
      <PageHead title={keys.title} about={keys.about} action={<CreateButton primary />} />
      <div class="toolbar">
        <SearchBox label={keys.search} value={queryOf('q')} onChange={(q) => setFilters({ q })} />
      </div>
      <KeyList />
      {queryOf('create') === 'key' && may('createKey') && (
        <CreateKeyDialog onMade={setMade} onClose={() => setQuery({ create: undefined })} />
      )}
      {made !== undefined && (
        <SecretDialog
          title={keys.made.title}
          label={keys.made.label}
          secret={made}
          onClose={() => setMade(undefined)}
        >
          {keys.made.text}
        </SecretDialog>
      )}
    </>
  );
}

function CreateButton({ primary = false }: { readonly primary?: boolean }) {
  if (!may('createKey')) return null;
  return (
    <Button kind={primary ? 'primary' : 'normal'} icon={Plus} onClick={() => setQuery({ create: 'key' })}>
      {texts.value.keys.create}
    </Button>
  );
}

function KeyList() {
  const { id: org } = useOrg();
  const { keys } = texts.value;
  const [deleted, setDeleted] = useState<Key | undefined>(undefined);
  const paging = usePaging('-createdAt');
  const q = queryOf('q');
  const query = searchedPageQuery(paging);
  const list = useQuery({
    key: `keys ${org} ${JSON.stringify(query)}`,
    kinds: ['directory'],
    read: (options) => api.GET('/v1/orgs/{org}/keys', { params: { path: { org }, query }, ...options }),
  });
  return (
    <>
      <Table<Key>
        caption={keys.caption}
        query={list}
        columns={keyColumns(may('deleteKey') ? setDeleted : undefined)}
        keyOf={({ id }) => id}
        paging={paging}
        empty={<NoKeys isSearch={q !== ''} />}
      />
      {deleted && <DeleteKeyDialog apiKey={deleted} onClose={() => setDeleted(undefined)} />}
    </>
  );
}

function NoKeys({ isSearch }: { readonly isSearch: boolean }) {
  const { keys, common } = texts.value;
  if (isSearch)
    return (
      <EmptyState icon={KeyRound} title={common.noMatch}>
        {common.noMatchText}
      </EmptyState>
    );
  return (
    <EmptyState icon={KeyRound} title={keys.empty.title} action={<CreateButton />}>
      {keys.empty.text}
    </EmptyState>
  );
}

function keyColumns(onDelete: ((key: Key) => void) | undefined): Column<Key>[] {
  const { columns } = texts.value.keys;
  return [
    { id: 'name', label: columns.name, sort: 'name', cell: (key) => <NameCell apiKey={key} /> },
    { id: 'user', label: columns.user, sort: 'user', cell: ({ user }) => <UserCell user={user} /> },
    ...secretColumns(onDelete),
  ];
}

function NameCell({ apiKey: { id, name } }: { readonly apiKey: Key }) {
  return (
    <NamedCell
      icon={<KeyRound size={18} aria-hidden="true" />}
      name={name || id}
      note={name === '' ? '' : id}
    />
  );
}

function UserCell({ user }: { readonly user: string }) {
  const { id: org } = useOrg();
  const href = linkToPage('user', { org, user });
  return href === undefined ? user : <a href={href}>{user}</a>;
}
