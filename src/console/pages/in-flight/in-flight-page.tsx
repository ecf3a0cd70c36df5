/** Requests in flight: what each has reserved, since when, and the release of a reservation by hand. */
import { Hourglass } from 'lucide-preact';
import { useState } from 'preact/hooks';
import { api, type Schemas } from '../../api/client.js';
import { useQuery } from '../../api/query.js';
import { texts } from '../../i18n/index.js';
import { queryOf } from '../../router.js';
import { useOrg } from '../../state/org.js';
import { may } from '../../state/session.js';
import { NoMatch } from '../../ui/no-match.js';
import { PageHead } from '../../ui/page-head.js';
import { searchedPageQuery, setFilters, usePaging } from '../../ui/paging.js';
import { SearchBox } from '../../ui/search-box.js';
import { EmptyState } from '../../ui/states.js';
import { Table } from '../../ui/table.js';
import { holdColumns } from './hold-columns.js';
import { ReleaseDialog } from './release-dialog.js';

type Hold = Schemas['Hold'];

/** Holds come and go with each request: the API tells no changes of them. */
const EVERY_MS = 2_000;

export default function InFlightPage() {
  const { inFlight } = texts.value;
  return (
    <>
      <PageHead title={inFlight.title} about={inFlight.about} />
      <div class="toolbar">
        <SearchBox label={inFlight.search} value={queryOf('q')} onChange={(q) => setFilters({ q })} />
      </div>
      <HoldList />
    </>
  );
}

function HoldList() {
  const { id: org } = useOrg();
  const { inFlight } = texts.value;
  // It is kept here: the request can end, and its row with it, while the question is open.
  const [released, setReleased] = useState<Hold | undefined>(undefined);
  const paging = usePaging('admittedAt');
  const query = searchedPageQuery(paging);
  const list = useQuery({
    key: `holds ${org} ${JSON.stringify(query)}`,
    kinds: ['consumption'],
    everyMs: EVERY_MS,
    read: (options) => api.GET('/v1/orgs/{org}/holds', { params: { path: { org }, query }, ...options }),
  });
  return (
    <>
      <Table<Hold>
        caption={inFlight.caption}
        query={list}
        columns={holdColumns(may('releaseHold') ? setReleased : undefined)}
        keyOf={({ id }) => id}
        paging={paging}
        empty={
          queryOf('q') === '' ? (
            <EmptyState icon={Hourglass} title={inFlight.empty.title}>
              {inFlight.empty.text}
            </EmptyState>
          ) : (
            <NoMatch icon={Hourglass} filters={['q']} />
          )
        }
      />
      {released && (
        <ReleaseDialog hold={released} onDone={list.refresh} onClose={() => setReleased(undefined)} />
      )}
    </>
  );
}
