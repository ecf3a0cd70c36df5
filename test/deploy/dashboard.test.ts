// The dashboard in the chart is what the code makes, and names metrics that exist. That its queries return data: test/observe/prometheus.test.ts.
import { readFileSync } from 'node:fs';
import t from 'tap';
import { DASHBOARD, dashboardJson } from '../../scripts/dashboard/dashboard.js';
import { ROWS } from '../../scripts/dashboard/rows.js';
import { metricsPage } from '../../scripts/docs/metrics.js';
import { skipWithoutDeployTools } from '../support/deploy-tools.js';
import { objectsOf, renderedSet } from './support.js';

const text = readFileSync(DASHBOARD, 'utf8');
const queries = ROWS.flatMap(({ charts }) => charts.flatMap((chart) => chart.queries));

t.test('it is up to date', async (t) => {
  t.ok(text === dashboardJson(), `${DASHBOARD}: run npm run dashboard`);
});

t.test('its metrics exist', async (t) => {
  const known = metricsPage();
  const used = new Set(queries.flatMap(({ expr }) => expr.match(/quotagate_[a-z_]+/g) ?? []));
  for (const metric of used)
    t.ok(known.includes(`\`${metric.replace(/_(bucket|count|sum)$/, '')}\``), metric);
});

t.test('a chart without data stays empty: nothing fills in a 0', async (t) => {
  for (const { expr } of queries) t.notMatch(expr, /\bvector\(/);
});

t.test('the chart installs it for the sidecar of Grafana', { skip: skipWithoutDeployTools }, async (t) => {
  const map = objectsOf(renderedSet('monitored')).find(({ data }) => data?.['quotagate.json'] !== undefined);
  t.match(map?.metadata, { namespace: 'monitoring', labels: { team_dashboards: 'yes' } });
  t.same(JSON.parse(map?.data?.['quotagate.json'] ?? ''), JSON.parse(text));
});
