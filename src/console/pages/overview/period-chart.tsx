/** What was consumed of a quota in this period, per day and action. */
import { api } from '../../api/client.js';
import { useQuery } from '../../api/query.js';
import { quotaName } from '../../format/amounts.js';
import { day } from '../../format/dates.js';
import { daysBetween } from '../../format/zones.js';
import { texts } from '../../i18n/index.js';
import { seriesByAction } from '../../parts/consumption/series.js';
import { queryOf, setQuery } from '../../router.js';
import type { Overview } from '../../state/org.js';
import { Card } from '../../ui/card.js';
import { Chart } from '../../ui/chart.js';
import { Chips } from '../../ui/chips.js';
import { Loaded } from '../../ui/states.js';

export function PeriodChart({ org }: { readonly org: Overview }) {
  const { chart } = texts.value.overview;
  const quotas = org.quotas.map(({ quota }) => quota);
  const quota = org.quotas.find((one) => one.quota === queryOf('chart')) ?? org.quotas[0];
  const isCumulative = queryOf('figures') === 'cumulative';
  if (quota === undefined) return null;
  return (
    <Card
      title={chart.title}
      action={
        <div class="row chart-controls">
          {quotas.length > 1 && (
            <Chips
              label={chart.quota}
              choices={quotas.map((value) => ({ value, label: quotaName(value) }))}
              value={quota.quota}
              onChange={(value) => setQuery({ chart: value })}
            />
          )}
          <Chips
            label={chart.mode}
            choices={[
              { value: '', label: chart.perDay },
              { value: 'cumulative', label: chart.cumulative },
            ]}
            value={isCumulative ? 'cumulative' : ''}
            onChange={(value) => setQuery({ figures: value })}
          />
        </div>
      }
    >
      <QuotaChart key={quota.quota} org={org} quota={quota} cumulative={isCumulative} />
    </Card>
  );
}

interface QuotaChartProps {
  readonly org: Overview;
  readonly quota: Overview['quotas'][number];
  readonly cumulative: boolean;
}

function QuotaChart({ org: { id: org, window }, quota: { quota, unit }, cumulative }: QuotaChartProps) {
  const { chart } = texts.value.overview;
  const query = useQuery({
    key: `history-cycle ${org} ${quota}`,
    kinds: ['consumption'],
    read: (options) =>
      api.GET('/v1/orgs/{org}/usage/history', {
        params: { path: { org }, query: { period: 'cycle', by: 'day', groupBy: 'action', quota, users: 0 } },
        ...options,
      }),
  });
  const days = daysBetween(window.from, window.to);
  return (
    <Loaded query={query} lines={6}>
      {({ rows }) =>
        rows.length === 0 ? (
          <p class="muted">{chart.none}</p>
        ) : (
          <Chart
            label={chart.caption(quotaName(quota))}
            points={days.map(day)}
            pointsName={chart.day}
            series={seriesByAction(rows, days)}
            unit={unit}
            cumulative={cumulative}
          />
        )
      }
    </Loaded>
  );
}
