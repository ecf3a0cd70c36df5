/** The stacked chart of the history; quotas of different units have a chart each. */
import { quotaName } from '../../format/amounts.js';
import { texts } from '../../i18n/index.js';
import { type HistoryRow, seriesOf } from '../../parts/consumption/series.js';
import { useOrg, useZone } from '../../state/org.js';
import { Chart } from '../../ui/chart.js';
import { bucketName, bucketsOf, type Period } from './buckets.js';
import { type Asked, measured, memberOf } from './history-query.js';

interface HistoryChartsProps {
  readonly asked: Asked;
  readonly rows: readonly HistoryRow[];
  readonly period: Period;
  readonly nameOf: (member: string) => string;
}

export function HistoryCharts({ asked, rows, period, nameOf }: HistoryChartsProps) {
  const zone = useZone();
  const { history } = texts.value;
  const { dimension, measure, cumulative } = asked;
  const buckets = bucketsOf(period, rows);
  const drawn = rows.filter((row) => measured(row, measure) !== 0);
  return (
    <>
      {[...useByUnit(asked, drawn)].map(([unit, ofUnit]) => (
        <Chart
          key={unit}
          label={history.caption(history.measures[measure], quotasIn(ofUnit), history.dimensions[dimension])}
          points={buckets.map((bucket) => bucketName(bucket, period.by, zone) || texts.value.common.total)}
          pointsName={history.intervals[period.by]}
          series={seriesOf(ofUnit, buckets, {
            nameOf: (row) => nameOf(memberOf(row, dimension)),
            amountOf: (row) => measured(row, measure),
          })}
          unit={unit}
          cumulative={cumulative}
        />
      ))}
    </>
  );
}

function quotasIn(rows: readonly HistoryRow[]): string {
  return [...new Set(rows.map(({ quota }) => quotaName(quota)))].join(', ');
}

/** Requests are requests, whatever the quota. */
function useByUnit({ measure }: Asked, rows: readonly HistoryRow[]): Map<string, HistoryRow[]> {
  const { quotas } = useOrg();
  const { requests } = texts.value.history;
  if (measure === 'refused') return new Map([[requests, [...rows]]]);
  return Map.groupBy(rows, ({ quota }) => quotas.find((one) => one.quota === quota)?.unit ?? '');
}
