/** The audit logs: who changed what, when, from what to what, and why; and who has logged in, or tried to. */
import './audit.css';
import { ScrollText } from 'lucide-preact';
import type { ComponentChildren } from 'preact';
import { texts } from '../../i18n/index.js';
import { SinceChips } from '../../parts/since.js';
import { queryOf } from '../../router.js';
import { useOrg } from '../../state/org.js';
import { ActiveFilter } from '../../ui/active-filter.js';
import { CsvButton } from '../../ui/csv-button.js';
import { NoMatch } from '../../ui/no-match.js';
import { PageHead } from '../../ui/page-head.js';
import { setFilters, usePaging } from '../../ui/paging.js';
import { SearchBox } from '../../ui/search-box.js';
import { Select } from '../../ui/select.js';
import { EmptyState } from '../../ui/states.js';
import { Table } from '../../ui/table.js';
import { Tabs } from '../../ui/tabs.js';
import { auditColumns } from './audit-columns.js';
import {
  AREAS,
  type AuditFilters,
  type AuditLog,
  FILTERS,
  LOGS,
  mayReadAccess,
  readAuditCsv,
  shownLog,
  useAuditPage,
  useFilters,
} from './audit-log.js';

export default function AuditPage() {
  const { audit } = texts.value;
  const log = shownLog();
  const filters = useFilters();
  return (
    <>
      <PageHead
        title={audit.title}
        about={audit.logs[log].about}
        action={<AuditCsv log={log} filters={filters} />}
      />
      {mayReadAccess() ? (
        <LogTabs selected={log}>
          <AuditList key={log} log={log} filters={filters} />
        </LogTabs>
      ) : (
        <AuditList log={log} filters={filters} />
      )}
    </>
  );
}

interface LogTabsProps {
  readonly selected: AuditLog;
  readonly children: ComponentChildren;
}

function LogTabs({ selected, children }: LogTabsProps) {
  const { audit } = texts.value;
  // What is sought in one log is not in the other, but the time holds for both.
  const select = (log: string): void =>
    setFilters({
      log: log === 'org' ? undefined : log,
      who: undefined,
      action: undefined,
      subject: undefined,
    });
  return (
    <Tabs
      label={audit.tabs}
      tabs={LOGS.map((id) => ({ id, label: audit.logs[id].tab }))}
      selected={selected}
      onSelect={select}
    >
      {children}
    </Tabs>
  );
}

interface LogProps {
  readonly log: AuditLog;
  readonly filters: AuditFilters;
}

function AuditCsv({ log, filters }: LogProps) {
  const { id: org } = useOrg();
  return (
    <CsvButton name={log === 'org' ? `${org}-audit` : 'audit'} read={() => readAuditCsv(log, org, filters)} />
  );
}

function FilterBar({ log }: Pick<LogProps, 'log'>) {
  const { audit } = texts.value;
  return (
    <div class="toolbar">
      <SearchBox label={audit.who} value={queryOf('who')} onChange={(who) => setFilters({ who })} />
      <Select
        label={audit.logs[log].area}
        value={queryOf('action')}
        onChange={(action) => setFilters({ action })}
        choices={[
          { value: '', label: audit.areas.all },
          ...AREAS[log].map((value) => ({ value, label: audit.areas[value] })),
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

function AuditList({ log, filters }: LogProps) {
  const { audit } = texts.value;
  const paging = usePaging('');
  const list = useAuditPage({ log, filters, paging });
  return (
    <>
      <FilterBar log={log} />
      <Table
        caption={mayReadAccess() ? audit.logs[log].tab : audit.title}
        query={list}
        columns={auditColumns()}
        keyOf={({ id }) => id}
        paging={paging}
        empty={Object.keys(filters).length > 0 ? <NoMatch icon={ScrollText} filters={FILTERS} /> : <Empty />}
      />
    </>
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
