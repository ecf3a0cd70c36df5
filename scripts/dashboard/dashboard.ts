/** The dashboard of Grafana, built with the types of Grafana’s own SDK. */
import {
  type DataSourceRef,
  LegendDisplayMode,
  LegendPlacement,
  SortOrder,
  StackingConfigBuilder,
  StackingMode,
  TooltipDisplayMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import {
  DashboardBuilder,
  DashboardCursorSync,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  RowBuilder,
  VariableRefresh,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder } from '@grafana/grafana-foundation-sdk/timeseries';
import { type Chart, ROWS } from './rows.js';

export const DASHBOARD = 'helm/quotagate/files/dashboard.json';

/** Grafana’s grid has 24 columns: three charts stand side by side. */
const COLUMNS = 8;
const HEIGHT = 8;
const SOURCE: DataSourceRef = { type: 'prometheus', uid: '$datasource' };

export function dashboardJson(): string {
  const dashboard = new DashboardBuilder('quotagate')
    .uid('quotagate')
    .tags(['quotagate'])
    .tooltip(DashboardCursorSync.Crosshair)
    .time({ from: 'now-1h', to: 'now' })
    .refresh('30s')
    .withVariable(new DatasourceVariableBuilder('datasource').label('Data source').type('prometheus'))
    .withVariable(variable('job', 'Job', 'label_values(quotagate_build_info, job)'))
    .withVariable(
      variable('instance', 'Gateway', 'label_values(quotagate_build_info{job="$job"}, instance)')
        .multi(true)
        .includeAll(true)
        .allValue('.*')
        .current({ selected: true, text: ['All'], value: ['$__all'] }),
    );
  for (const { title, charts } of ROWS) {
    dashboard.withRow(new RowBuilder(title));
    for (const chart of charts) dashboard.withPanel(panelOf(chart));
  }
  const built = dashboard.build();
  // Links to a panel name its id.
  for (const [at, panel] of (built.panels ?? []).entries()) panel.id = at + 1;
  return `${JSON.stringify(built, null, 2)}\n`;
}

function variable(name: string, label: string, query: string): QueryVariableBuilder {
  return new QueryVariableBuilder(name)
    .label(label)
    .query(query)
    .definition(query)
    .datasource(SOURCE)
    .refresh(VariableRefresh.OnTimeRangeChanged);
}

function panelOf({ title, about, unit, stacked, queries }: Chart): PanelBuilder {
  const panel = new PanelBuilder()
    .title(title)
    .description(about)
    .datasource(SOURCE)
    .unit(unit)
    .min(0)
    .span(COLUMNS)
    .height(HEIGHT)
    .legend(
      new VizLegendOptionsBuilder()
        .displayMode(LegendDisplayMode.List)
        .placement(LegendPlacement.Bottom)
        .showLegend(true),
    )
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending))
    .targets(
      queries.map(({ expr, legend }, at) =>
        new DataqueryBuilder()
          .refId('ABC'.charAt(at))
          .datasource(SOURCE)
          .expr(expr)
          .legendFormat(legend)
          .range(),
      ),
    );
  if (stacked) panel.stacking(new StackingConfigBuilder().mode(StackingMode.Normal)).fillOpacity(20);
  return panel;
}
