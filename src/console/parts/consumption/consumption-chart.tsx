/** What a user or a group consumed over time, per day and action. */
import { api } from '../../api/client.js';
import { useQuery } from '../../api/query.js';
import type { Subject } from '../../api/subjects.js';
import { quotaName } from '../../format/amounts.js';
import { day } from '../../format/dates.js';
import { daysBetween } from '../../format/zones.js';
import { texts } from '../../i18n/index.js';
import { queryOf, setQuery } from '../../router.js';
import { type QuotaOverview, useOrg } from '../../state/org.js';
import { Card } from '../../ui/card.js';
import { Chart } from '../../ui/chart.js';
import { Chips } from '../../ui/chips.js';
import { Loaded } from '../../ui/states.js';
import { seriesByAction } from './series.js';

const PERIODS = ['cycle', '7d', '30d', '90d'] as const;
type Period = (typeof PERIODS)[number];

interface ConsumptionProps {
  readonly subject: Subject;
  readonly quota: QuotaOverview;
}

export function Consumption({ subject, quota }: ConsumptionProps) {
  const { user, overview } = texts.value;
  const period = PERIODS.find((one) => one === queryOf('period')) ?? 'cycle';
  const isCumulative = queryOf('figures') === 'cumulative';
  return (
    <Card
      title={user.consumption.title}
      action={
        <div class="row">
          <Chips
            label={user.consumption.period}
            value={period}
            onChange={(value) => setQuery({ period: value })}
            choices={PERIODS.map((value) => ({ value, label: user.consumption.periods[value] }))}
          />
          <Chips
            label={overview.chart.mode}
            value={isCumulative ? 'cumulative' : ''}
            onChange={(value) => setQuery({ figures: value })}
            choices={[
              { value: '', label: overview.chart.perDay },
              { value: 'cumulative', label: overview.chart.cumulative },
            ]}
          />
        </div>
      }
    >
      <SubjectChart
        key={quota.quota}
        subject={subject}
        quota={quota}
        period={period}
        cumulative={isCumulative}
      />
    </Card>
  );
}

interface SubjectChartProps extends ConsumptionProps {
  readonly period: Period;
  readonly cumulative: boolean;
}

function SubjectChart({ subject, quota: { quota, unit }, period, cumulative }: SubjectChartProps) {
  const { id: org } = useOrg();
  const { user, overview } = texts.value;
  const { scope, id } = subject;
  const query = { period, by: 'day' as const, groupBy: 'action', quota, users: 0, [scope]: id };
  const history = useQuery({
    key: `history ${org} ${JSON.stringify(query)}`,
    kinds: ['consumption'],
    read: (options) =>
      api.GET('/v1/orgs/{org}/usage/history', { params: { path: { org }, query }, ...options }),
  });
  return (
    <Loaded query={history} lines={6}>
      {({ rows, period: { from, to } }) => {
        if (rows.length === 0) return <p class="muted">{user.consumption.none}</p>;
        const days = daysBetween(from, to);
        return (
          <Chart
            label={user.consumption.caption(subject.name, quotaName(quota))}
            points={days.map(day)}
            pointsName={overview.chart.day}
            series={seriesByAction(rows, days)}
            unit={unit}
            cumulative={cumulative}
          />
        );
      }}
    </Loaded>
  );
}
