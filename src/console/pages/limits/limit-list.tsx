/** The limits of one quota: filters and table. */

import { Gauge, Plus } from 'lucide-preact';
import { api } from '../../api/client.js';
import { useQuery } from '../../api/query.js';
import { quotaName } from '../../format/amounts.js';
import { texts } from '../../i18n/index.js';
import { queryOf, setQuery } from '../../router.js';
import { type QuotaOverview, useOrg } from '../../state/org.js';
import { may } from '../../state/session.js';
import { Button } from '../../ui/button.js';
import { Chips } from '../../ui/chips.js';
import { NoMatch } from '../../ui/no-match.js';
import { setFilters, sortedPageQuery, usePaging } from '../../ui/paging.js';
import { SearchBox } from '../../ui/search-box.js';
import { EmptyState } from '../../ui/states.js';
import { Table } from '../../ui/table.js';
import { limitColumns } from './limit-columns.js';

const STATUSES = ['ok', 'warning', 'blocked'] as const;
const SCOPES = ['user', 'group'] as const;

const oneOf = <Choice extends string>(choices: readonly Choice[], text: string): Choice | undefined =>
  choices.find((choice) => choice === text);

interface LimitListProps {
  readonly quota: QuotaOverview;
}

export function LimitList({ quota }: LimitListProps) {
  const { id: org } = useOrg();
  const paging = usePaging('-percentUsed');
  const filters = {
    q: queryOf('q') || undefined,
    status: oneOf(STATUSES, queryOf('status')),
    scope: oneOf(SCOPES, queryOf('scope')),
  };
  const given = Object.fromEntries(Object.entries(filters).filter(([, value]) => value !== undefined));
  const query = { quota: quota.quota, ...given, ...sortedPageQuery(paging) };
  const list = useQuery({
    key: `limits ${org} ${JSON.stringify(query)}`,
    kinds: ['directory', 'consumption'],
    read: (options) => api.GET('/v1/orgs/{org}/limits', { params: { path: { org }, query }, ...options }),
  });
  const isFiltered = Object.keys(given).length > 0;
  return (
    <>
      <Filters />
      <Table
        caption={texts.value.limits.caption(quotaName(quota.quota))}
        query={list}
        columns={limitColumns(quota.unit)}
        keyOf={({ id }) => id}
        paging={paging}
        empty={
          isFiltered ? (
            <NoMatch icon={Gauge} filters={['q', 'status', 'scope']} />
          ) : (
            <NoLimits quota={quota} />
          )
        }
      />
    </>
  );
}

function Filters() {
  const { limits, common } = texts.value;
  return (
    <div class="toolbar">
      <SearchBox label={limits.search} value={queryOf('q')} onChange={(q) => setFilters({ q })} />
      <Chips
        label={limits.filterStatus}
        value={queryOf('status')}
        onChange={(status) => setFilters({ status })}
        choices={[
          { value: '', label: common.all },
          ...STATUSES.map((value) => ({ value, label: common.status[value] })),
        ]}
      />
      <Chips
        label={limits.filterScope}
        value={queryOf('scope')}
        onChange={(scope) => setFilters({ scope })}
        choices={[
          { value: '', label: limits.scopes.all },
          ...SCOPES.map((value) => ({ value, label: limits.scopes[value] })),
        ]}
      />
    </div>
  );
}

function NoLimits({ quota }: LimitListProps) {
  const { limits } = texts.value;
  return (
    <EmptyState
      icon={Gauge}
      title={limits.empty.title(quotaName(quota.quota))}
      action={
        may('createLimit') && (
          <Button icon={Plus} onClick={() => setQuery({ set: 'new' })}>
            {limits.set}
          </Button>
        )
      }
    >
      {limits.empty.text}
    </EmptyState>
  );
}
