/** The events of an org: who was blocked from which actions, who reached a threshold, who asks for a raise. */
import './events.css';
import { ShieldCheck } from 'lucide-preact';
import { api } from '../../api/client.js';
import { useQuery } from '../../api/query.js';
import { quotaName } from '../../format/amounts.js';
import { SubjectField } from '../../forms/subject-field.js';
import { texts } from '../../i18n/index.js';
import { useRaiseRequests } from '../../parts/limits/answer-dialog.js';
import { OpenLimitDialog } from '../../parts/limits/limit-dialogs.js';
import { SinceChips, useSince } from '../../parts/since.js';
import { queriesOf, queryOf } from '../../router.js';
import { useOrg } from '../../state/org.js';
import { ActiveFilter } from '../../ui/active-filter.js';
import { Chips } from '../../ui/chips.js';
import { CsvButton } from '../../ui/csv-button.js';
import { NoMatch } from '../../ui/no-match.js';
import { PageHead } from '../../ui/page-head.js';
import { pageQuery, setFilters, usePaging } from '../../ui/paging.js';
import { Select } from '../../ui/select.js';
import { EmptyState } from '../../ui/states.js';
import { Table } from '../../ui/table.js';
import { KINDS, SCOPES } from './event.js';
import { eventColumns } from './event-columns.js';

export default function EventsPage() {
  const { events } = texts.value;
  const filters = useFilters();
  return (
    <>
      <PageHead title={events.title} about={events.about} action={<EventsCsv filters={filters} />} />
      <FilterBar />
      <EventList filters={filters} />
      <OpenLimitDialog />
    </>
  );
}

/** As the address has them. */
const FILTERS = ['kind', 'scope', 'since', 'quota', 'who', 'action'];

type Filters = ReturnType<typeof useFilters>;

function useFilters() {
  const kind = KINDS.find((one) => one === queryOf('kind'));
  const scope = SCOPES.find((one) => one === queryOf('scope'));
  const from = useSince();
  return {
    ...(kind === undefined ? {} : { kind }),
    ...(scope === undefined ? {} : { scope }),
    ...(from === undefined ? {} : { from }),
    ...queriesOf('quota', 'who', 'action'),
  };
}

function EventsCsv({ filters }: { readonly filters: Filters }) {
  const { id: org } = useOrg();
  return (
    <CsvButton
      name={`${org}-events`}
      read={() =>
        api.GET('/v1/orgs/{org}/events.csv', { params: { path: { org }, query: filters }, parseAs: 'blob' })
      }
    />
  );
}

function FilterBar() {
  const { events, common } = texts.value;
  const { quotas } = useOrg();
  return (
    <div class="toolbar">
      <WhoFilter />
      <Chips
        label={events.kind}
        value={queryOf('kind')}
        onChange={(kind) => setFilters({ kind })}
        choices={[
          { value: '', label: common.all },
          ...KINDS.map((value) => ({ value, label: events.kindChips[value] })),
        ]}
      />
      <SinceChips />
      {quotas.length > 1 && (
        <Select
          label={events.quota}
          value={queryOf('quota')}
          onChange={(quota) => setFilters({ quota })}
          choices={[
            { value: '', label: events.allQuotas },
            ...quotas.map(({ quota }) => ({ value: quota, label: quotaName(quota) })),
          ]}
        />
      )}
      <Select
        label={events.scope}
        value={queryOf('scope')}
        onChange={(scope) => setFilters({ scope })}
        choices={[
          { value: '', label: events.scopes.all },
          ...SCOPES.map((value) => ({ value, label: events.scopes[value] })),
        ]}
      />
      <ActiveFilter
        label={events.action}
        value={queryOf('action')}
        onRemove={() => setFilters({ action: undefined })}
      />
    </div>
  );
}

/** A user, as whose limit it is or as who made the request, or a group. */
function WhoFilter() {
  const who = queryOf('who');
  const label = texts.value.events.who;
  if (who !== '')
    return <ActiveFilter label={label} value={who} onRemove={() => setFilters({ who: undefined })} />;
  return (
    <div class="event-who">
      <SubjectField
        label={label}
        subject={undefined}
        onChange={(chosen) => chosen !== undefined && setFilters({ who: chosen.id })}
        refused={() => undefined}
      />
    </div>
  );
}

function EventList({ filters }: { readonly filters: Filters }) {
  const { id: org } = useOrg();
  const { events } = texts.value;
  const paging = usePaging('');
  const asked = useRaiseRequests().data?.items ?? [];
  const query = { ...filters, ...pageQuery(paging) };
  const list = useQuery({
    key: `events ${org} ${JSON.stringify(query)}`,
    kinds: ['events', 'consumption'],
    read: (options) => api.GET('/v1/orgs/{org}/events', { params: { path: { org }, query }, ...options }),
  });
  return (
    <Table
      caption={events.title}
      query={list}
      columns={eventColumns(new Set(asked.map(({ limit }) => limit)))}
      keyOf={({ id }) => id}
      paging={paging}
      empty={
        Object.keys(filters).length > 0 ? <NoMatch icon={ShieldCheck} filters={FILTERS} /> : <NoEvents />
      }
    />
  );
}

function NoEvents() {
  const { empty } = texts.value.events;
  return (
    <EmptyState icon={ShieldCheck} title={empty.title}>
      {empty.text}
    </EmptyState>
  );
}
