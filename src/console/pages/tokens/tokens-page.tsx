/** The admin tokens that reach no further than the own one: created with a role and orgs, shown once, deleted at once. */

import { Plus, ShieldCheck } from 'lucide-preact';
import { useState } from 'preact/hooks';
import { api, type Schemas } from '../../api/client.js';
import { useQuery } from '../../api/query.js';
import { texts } from '../../i18n/index.js';
import { secretColumns } from '../../parts/secrets/secret-columns.js';
import { SecretDialog } from '../../parts/secrets/secret-dialog.js';
import { queryOf, setQuery } from '../../router.js';
import { may } from '../../state/session.js';
import { Badge } from '../../ui/badge.js';
import { Button } from '../../ui/button.js';
import { NamedCell } from '../../ui/named-cell.js';
import { PageHead } from '../../ui/page-head.js';
import { searchedPageQuery, setFilters, usePaging } from '../../ui/paging.js';
import { SearchBox } from '../../ui/search-box.js';
import { EmptyState } from '../../ui/states.js';
import { type Column, Table } from '../../ui/table.js';
import { CreateTokenDialog, DeleteTokenDialog, isOwn } from './token-dialogs.js';

type Token = Schemas['Token'];

export default function TokensPage() {
  const { tokens } = texts.value;
  const [made, setMade] = useState<string | undefined>(undefined);
  return (
    <>
      <PageHead
        title={tokens.title}
        about={tokens.about}
        action={
          may('createToken') && (
            <Button kind="primary" icon={Plus} onClick={() => setQuery({ create: 'token' })}>
              {tokens.create}
            </Button>
          )
        }
      />
      <div class="toolbar">
        <SearchBox label={tokens.search} value={queryOf('q')} onChange={(q) => setFilters({ q })} />
      </div>
      <TokenList />
      {queryOf('create') === 'token' && may('createToken') && (
        <CreateTokenDialog onMade={setMade} onClose={() => setQuery({ create: undefined })} />
      )}
      {made !== undefined && (
        <SecretDialog
          title={tokens.made.title}
          label={tokens.made.label}
          secret={made}
          onClose={() => setMade(undefined)}
        >
          {tokens.made.text}
        </SecretDialog>
      )}
    </>
  );
}

function TokenList() {
  const { tokens, common } = texts.value;
  const [deleted, setDeleted] = useState<Token | undefined>(undefined);
  const paging = usePaging('-createdAt');
  const q = queryOf('q');
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
          <EmptyState icon={ShieldCheck} title={q === '' ? tokens.empty.title : common.noMatch}>
            {q === '' ? tokens.empty.text : common.noMatchText}
          </EmptyState>
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
