/** The admin tokens that reach no further than the own one: created with a role and orgs, shown once, deleted at once. */

import { ShieldCheck } from 'lucide-preact';
import { useState } from 'preact/hooks';
import { api, type Schemas } from '../../api/client.js';
import { useQuery } from '../../api/query.js';
import { texts } from '../../i18n/index.js';
import { secretColumns } from '../../parts/secrets/secret-columns.js';
import { SecretsPage } from '../../parts/secrets/secrets-page.js';
import { queryOf } from '../../router.js';
import { may } from '../../state/session.js';
import { Badge } from '../../ui/badge.js';
import { NamedCell } from '../../ui/named-cell.js';
import { NoMatch } from '../../ui/no-match.js';
import { searchedPageQuery, usePaging } from '../../ui/paging.js';
import { EmptyState } from '../../ui/states.js';
import { type Column, Table } from '../../ui/table.js';
import { CreateTokenDialog, DeleteTokenDialog, isOwn } from './token-dialogs.js';

type Token = Schemas['Token'];

export default function TokensPage() {
  return (
    <SecretsPage
      text={texts.value.tokens}
      kind="token"
      mayCreate={may('createToken')}
      dialog={(props) => <CreateTokenDialog {...props} />}
    >
      <TokenList />
    </SecretsPage>
  );
}

function TokenList() {
  const { tokens } = texts.value;
  const [deleted, setDeleted] = useState<Token | undefined>(undefined);
  const paging = usePaging('-createdAt');
  const query = searchedPageQuery(paging);
  const list = useQuery({
    key: `tokens ${JSON.stringify(query)}`,
    kinds: ['directory'],
    read: (options) => api.GET('/v1/tokens', { params: { query }, ...options }),
  });
  return (
    <>
      <Table<Token>
        caption={tokens.caption}
        query={list}
        columns={tokenColumns(may('deleteToken') ? setDeleted : undefined)}
        keyOf={({ id }) => id}
        paging={paging}
        empty={
          queryOf('q') === '' ? (
            <EmptyState icon={ShieldCheck} title={tokens.empty.title}>
              {tokens.empty.text}
            </EmptyState>
          ) : (
            <NoMatch icon={ShieldCheck} filters={['q']} />
          )
        }
      />
      {deleted && <DeleteTokenDialog token={deleted} onClose={() => setDeleted(undefined)} />}
    </>
  );
}

function tokenColumns(onDelete: ((token: Token) => void) | undefined): Column<Token>[] {
  const { columns, roles, allOrgs } = texts.value.tokens;
  return [
    { id: 'name', label: columns.name, sort: 'name', cell: (token) => <NameCell token={token} /> },
    { id: 'role', label: columns.role, sort: 'role', cell: ({ role }) => roles[role].name },
    {
      id: 'orgs',
      label: columns.orgs,
      cell: ({ orgs }) => (orgs === 'all' ? allOrgs : <OrgsCell orgs={orgs} />),
    },
    ...secretColumns(onDelete),
  ];
}

function NameCell({ token }: { readonly token: Token }) {
  return (
    <NamedCell
      icon={<ShieldCheck size={18} aria-hidden="true" />}
      name={
        <>
          {token.name} {isOwn(token) && <Badge tone="accent">{texts.value.tokens.own}</Badge>}
        </>
      }
      note={token.id}
    />
  );
}

const NAMED_MAX = 3;

function OrgsCell({ orgs }: { readonly orgs: readonly string[] }) {
  const more = orgs.length - NAMED_MAX;
  return (
    <span title={orgs.join(', ')}>
      {orgs.slice(0, NAMED_MAX).join(', ')} {more > 0 && texts.value.tokens.moreOrgs(more)}
    </span>
  );
}
