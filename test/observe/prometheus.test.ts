// A real Prometheus scrapes a gateway under load: it takes every metric, each query of the dashboard shows what happened, and each alert is
// evaluated.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import t from 'tap';
import { DASHBOARD } from '../../scripts/dashboard/dashboard.js';
import { Prometheus } from '../support/prometheus.js';
import { promtool, skipWithoutPromtool } from '../support/promtool.js';
import { skipWithoutRedis } from '../support/redis.js';
import { metricsOf } from './support.js';
import { startVariedRun } from './varied-run.js';

interface Dashboard {
  readonly panels: readonly {
    readonly title: string;
    readonly targets?: readonly { readonly expr: string }[];
  }[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly query: string }[] };
}

/** Did not happen in the run: a fail-over, a kill, a lost connection, three days without a mail server, a full journal. */
const ZERO =
  /lost_calls_total|orgs_lost|holds_expired_total|calls_unanswered_total|in_doubt|given_up_total|entries_lost_total/;
/** As Grafana fills in the variables. */
const VARIABLES: Readonly<Record<string, string>> = {
  $job: 'quotagate',
  $instance: '.*',
  $__rate_interval: '4s',
};
const filled = (text: string): string =>
  Object.entries(VARIABLES).reduce((filling, [name, value]) => filling.replaceAll(name, value), text);

/** Metrics without a series are shown by their HELP and TYPE only, which promtool passes over: they get one. */
function withASeriesEach(scrape: string): string {
  return scrape.replace(/^# TYPE (\S+) (\S+)\n(?=\n|# |$)/gm, (line, name, type) =>
    type === 'histogram' ? line : `${line}${name} 0\n`,
  );
}

t.setTimeout(120_000);

t.test('on a real run', { skip: skipWithoutPromtool || skipWithoutRedis }, async (t) => {
  const { gateway, load } = await startVariedRun(t);
  const rules = resolve('helm/quotagate/files/alerts.yaml');
  const prometheus = await Prometheus.start(t, { target: gateway.ops, rules });
  await load();

  t.test('`promtool check metrics` has nothing to say', async (t) => {
    const { text } = await metricsOf(gateway.ops);
    t.same(promtool(['check', 'metrics'], withASeriesEach(text)), { status: 0, text: '' });
  });

  const dashboard: Dashboard = JSON.parse(readFileSync(DASHBOARD, 'utf8'));
  for (const { title, targets = [] } of dashboard.panels)
    for (const { expr } of targets)
      t.test(`${title}: ${expr}`, async (t) => {
        const lines = await prometheus.lines(filled(expr));
        const values = lines.flatMap((line) => line.values).filter((value) => !Number.isNaN(value));
        t.ok(values.length > 0, 'has data');
        t.equal(
          values.some((value) => value > 0),
          !ZERO.test(expr),
          'shows what happened',
        );
      });

  t.test('the variables have values', async (t) => {
    for (const { name, query } of dashboard.templating.list) {
      const [, selector = '', label = ''] = /^label_values\((.+), (\w+)\)$/.exec(filled(query)) ?? [];
      if (selector === '') t.match({ name, query }, { name: 'datasource', query: 'prometheus' });
      else t.equal((await prometheus.labelValues(label, selector)).length, 1, name);
    }
  });

  t.test('each alert is evaluated, and fires where it should', async (t) => {
    const states = await prometheus.rules();
    for (const { name, health, lastError } of states) t.equal(health, 'ok', `${name}: ${lastError ?? ''}`);
    const firing = await prometheus.lines('count by (alertname) (ALERTS{alertstate="firing"})');
    t.same(firing.map(({ metric }) => metric.alertname).sort(), [
      'QuotagateNoticesWithoutRecipient',
      'QuotagateOvershoot',
    ]);
  });
});
