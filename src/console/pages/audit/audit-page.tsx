/** The audit log of an org: who changed what, when, from what to what, and why. */
import './audit.css';
import { ScrollText } from 'lucide-preact';
import { api } from '../../api/client.js';
import { useQuery } from '../../api/query.js';
import { texts } from '../../i18n/index.js';
import { SinceChips, useSince } from '../../parts/since.js';
import { queriesOf, queryOf } from '../../router.js';
import { useOrg } from '../../state/org.js';
import { ActiveFilter } from '../../ui/active-filter.js';
import { CsvButton } from '../../ui/csv-button.js';
import { NoMatch } from '../../ui/no-match.js';
import { PageHead } from '../../ui/page-head.js';
import { pageQuery, setFilters, usePaging } from '../../ui/paging.js';
import { SearchBox } from '../../ui/search-box.js';
import { Select } from '../../ui/select.js';
import { EmptyState } from '../../ui/states.js';
import { Table } from '../../ui/table.js';
import { auditColumns } from './audit-columns.js';

/** What changes are about: the part of an action before the dot. */
const AREAS = [
  'limit',
  'plan',
  'extra',
  'adjustment',
  'raise-request',
  'user',
  'group',
  'key',
  'notifications',
  'webhook',
  'notice',
  'hold',
  'org',
] as const;

export default function AuditPage() {
  const { audit } = texts.value;
  const filters = useFilters();
  return (
    <>
      <PageHead title={audit.title} about={audit.about} action={<AuditCsv filters={filters} />} />
      <FilterBar />
      <AuditList filters={filters} />
    </>
  );
}

/** As the address has them. */
const FILTERS = ['who', 'action', 'subject', 'since'];

type Filters = ReturnType<typeof useFilters>;

function useFilters() {
  const from = useSince();
  return { ...(from === undefined ? {} : { from }), ...queriesOf('who', 'action', 'subject') };
}

function AuditCsv({ filters }: { readonly filters: Filters }) {
  const { id: org } = useOrg();
  return (
    <CsvButton
      name={`${org}-audit`}
      read={() =>
        api.GET('/v1/orgs/{org}/audit.csv', { params: { path: { org }, query: filters }, parseAs: 'blob' })
      }
    />
  );
}

function FilterBar() {
  const { audit } = texts.value;
  return (
    <div class="toolbar">
      <SearchBox label={audit.who} value={queryOf('who')} onChange={(who) => setFilters({ who })} />
      <Select
        label={audit.area}
        value={queryOf('action')}
        onChange={(action) => setFilters({ action })}
        choices={[
          { value: '', label: audit.areas.all },
          ...AREAS.map((value) => ({ value, label: audit.areas[value] })),
        ]}
      />
      <SinceChips />
      <ActiveFilter
        label={audit.columns.subject}
        value={queryOf('subject')}
        onRemove={() => setFilters({ subject: undefined })}
      />
    </div>
  );
}

function AuditList({ filters }: { readonly filters: Filters }) {
  const { id: org } = useOrg();
  const paging = usePaging('');
  const query = { ...filters, ...pageQuery(paging) };
  const list = useQuery({
    key: `audit ${org} ${JSON.stringify(query)}`,
    kinds: ['audit'],
    read: (options) => api.GET('/v1/orgs/{org}/audit', { params: { path: { org }, query }, ...options }),
  });
  return (
    <Table
      caption={texts.value.audit.title}
      query={list}
      columns={auditColumns()}
      keyOf={({ id }) => id}
      paging={paging}
      empty={Object.keys(filters).length > 0 ? <NoMatch icon={ScrollText} filters={FILTERS} /> : <Empty />}
    />
  );
}

function Empty() {
  const { empty } = texts.value.audit;
  return (
    <EmptyState icon={ScrollText} title={empty.title}>
      {empty.text}
    </EmptyState>
  );
}
