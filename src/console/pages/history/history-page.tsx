/** The usage history: what was consumed and refused over time, by what one asks for, as a chart, a table and CSV. */
import './history.css';
import { ChartColumn } from 'lucide-preact';
import { api } from '../../api/client.js';
import { quotaName } from '../../format/amounts.js';
import { dayRange } from '../../format/dates.js';
import { texts } from '../../i18n/index.js';
import { setQuery } from '../../router.js';
import { useOrg } from '../../state/org.js';
import { Card } from '../../ui/card.js';
import { Chips } from '../../ui/chips.js';
import { CsvButton } from '../../ui/csv-button.js';
import { PageHead } from '../../ui/page-head.js';
import { Select } from '../../ui/select.js';
import { EmptyState, Loaded } from '../../ui/states.js';
import { HistoryCharts } from './history-charts.js';
import {
  type Asked,
  DIMENSIONS,
  intervalOf,
  MEASURES,
  measured,
  PERIODS,
  rangeOf,
  useAsked,
  useHistory,
} from './history-query.js';
import { useMemberNames } from './member-names.js';
import { Shares } from './shares.js';

export default function HistoryPage() {
  const { history } = texts.value;
  const { cycle } = useOrg();
  const asked = useAsked();
  return (
    <>
      <PageHead
        title={history.title}
        about={history.about(cycle.timeZone)}
        action={<HistoryCsv asked={asked} />}
      />
      <Controls asked={asked} />
      <History key={JSON.stringify(rangeOf(asked))} asked={asked} />
    </>
  );
}

function HistoryCsv({ asked }: { readonly asked: Asked }) {
  const { id: org } = useOrg();
  const query = {
    ...rangeOf(asked),
    by: intervalOf(asked),
    ...(asked.cumulative ? { cumulative: true } : {}),
  };
  return (
    <CsvButton
      name={`${org}-history-${asked.period}-by-${asked.dimension}`}
      read={() =>
        api.GET('/v1/orgs/{org}/usage/history.csv', { params: { path: { org }, query }, parseAs: 'blob' })
      }
    />
  );
}

function Controls({ asked }: { readonly asked: Asked }) {
  const { history, overview } = texts.value;
  const { quotas } = useOrg();
  return (
    <div class="toolbar">
      <Chips
        label={history.period}
        value={asked.period}
        onChange={(period) => setQuery({ period })}
        choices={PERIODS.map((value) => ({ value, label: history.periods[value] }))}
      />
      <Chips
        label={history.by}
        value={asked.dimension}
        onChange={(by) => setQuery({ by })}
        choices={DIMENSIONS.map((value) => ({ value, label: history.dimensions[value] }))}
      />
      {asked.quota !== undefined && quotas.length > 1 && (
        <Select
          label={history.dimensions.quota}
          value={asked.quota}
          onChange={(quota) => setQuery({ quota })}
          choices={quotas.map(({ quota }) => ({ value: quota, label: quotaName(quota) }))}
        />
      )}
      <Select
        label={history.measure}
        value={asked.measure}
        onChange={(measure) => setQuery({ measure })}
        choices={MEASURES.map((value) => ({ value, label: history.measures[value] }))}
      />
      <Chips
        label={overview.chart.mode}
        value={asked.cumulative ? 'cumulative' : ''}
        onChange={(figures) => setQuery({ figures })}
        choices={[
          { value: '', label: history.single[intervalOf(asked)] },
          { value: 'cumulative', label: overview.chart.cumulative },
        ]}
      />
    </div>
  );
}

function History({ asked }: { readonly asked: Asked }) {
  const { history } = texts.value;
  const query = useHistory(asked);
  const nameOf = useMemberNames(asked);
  return (
    <Loaded query={query} lines={10}>
      {({ rows, period }) => {
        if (rows.every((row) => measured(row, asked.measure) === 0)) return <Nothing asked={asked} />;
        return (
          <div class="history-grid">
            <Card title={dayRange(period.from, period.to)}>
              <HistoryCharts asked={asked} rows={rows} period={period} nameOf={nameOf} />
              {asked.dimension === 'group' && <p class="small muted">{history.groupNote}</p>}
              {period.by !== intervalOf(asked) && <p class="small muted">{history.longer}</p>}
            </Card>
            <Shares asked={asked} rows={rows} nameOf={nameOf} />
          </div>
        );
      }}
    </Loaded>
  );
}

function Nothing({ asked: { measure } }: { readonly asked: Asked }) {
  const { history } = texts.value;
  const nothing = history.nothing[measure === 'refused' ? 'refused' : 'consumed'];
  return (
    <Card title={<span class="visually-hidden">{history.title}</span>}>
      <EmptyState icon={ChartColumn} title={nothing.title}>
        {nothing.text}
      </EmptyState>
    </Card>
  );
}
