/** The API keys of the org: created for a user, shown once, deleted at once. */

import { KeyRound } from 'lucide-preact';
import { useState } from 'preact/hooks';
import { api, type Schemas } from '../../api/client.js';
import { useQuery } from '../../api/query.js';
import { texts } from '../../i18n/index.js';
import { linkToPage } from '../../pages.js';
import { secretColumns } from '../../parts/secrets/secret-columns.js';
import { CreateSecretButton, SecretsPage } from '../../parts/secrets/secrets-page.js';
import { queryOf } from '../../router.js';
import { useOrg } from '../../state/org.js';
import { may } from '../../state/session.js';
import { NamedCell } from '../../ui/named-cell.js';
import { NoMatch } from '../../ui/no-match.js';
import { searchedPageQuery, usePaging } from '../../ui/paging.js';
import { EmptyState } from '../../ui/states.js';
import { type Column, Table } from '../../ui/table.js';
import { CreateKeyDialog, DeleteKeyDialog } from './key-dialogs.js';

type Key = Schemas['Key'];

const KIND = 'key';

export default function KeysPage() {
  return (
    <SecretsPage
      text={texts.value.keys}
      kind={KIND}
      mayCreate={may('createKey')}
      dialog={(props) => <CreateKeyDialog {...props} />}
    >
      <KeyList />
    </SecretsPage>
  );
}

function KeyList() {
  const { id: org } = useOrg();
  const { keys } = texts.value;
  const [deleted, setDeleted] = useState<Key | undefined>(undefined);
  const paging = usePaging('-createdAt');
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
        empty={queryOf('q') === '' ? <NoKeys /> : <NoMatch icon={KeyRound} filters={['q']} />}
      />
      {deleted && <DeleteKeyDialog apiKey={deleted} onClose={() => setDeleted(undefined)} />}
    </>
  );
}

function NoKeys() {
  const { create, empty } = texts.value.keys;
  return (
    <EmptyState
      icon={KeyRound}
      title={empty.title}
      action={may('createKey') && <CreateSecretButton label={create} kind={KIND} />}
    >
      {empty.text}
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
