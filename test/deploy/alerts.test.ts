// The alerts: Prometheus takes them, each fires and stays quiet where it should, names metrics that exist, and has a runbook. The chart
// installs the same rules.
import { readFileSync } from 'node:fs';
import t from 'tap';
import { parse, stringify } from 'yaml';
import { metricsPage } from '../../scripts/docs/metrics.js';
import { blocksOf } from '../docs/pages.js';
import { skipWithoutDeployTools } from '../support/deploy-tools.js';
import { promtool, skipWithoutPromtool } from '../support/promtool.js';
import { objectsOf, renderedSet } from './support.js';

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: Readonly<Record<string, string>>;
}

interface Case {
  readonly name: string;
  readonly alert_rule_test: readonly { readonly alertname: string; readonly exp_alerts: readonly object[] }[];
}

const RULES = 'helm/quotagate/files/alerts.yaml';
const CASES = 'test/deploy/alerts/rules.yaml';
const rulesIn = (text: string): readonly Rule[] =>
  parse(text).groups.flatMap(({ rules }: { rules: Rule[] }) => rules);
const rules = rulesIn(readFileSync(RULES, 'utf8'));
const names = rules.map(({ alert }) => alert);

t.test('Prometheus takes the rules, and the cases hold', { skip: skipWithoutPromtool }, async (t) => {
  t.match(promtool(['check', 'rules', RULES]).text, `${rules.length} rules found`);
  t.match(promtool(['test', 'rules', CASES]).text, 'SUCCESS');
});

t.test('Prometheus takes the config of the guide', { skip: skipWithoutPromtool }, async (t) => {
  const [config] = blocksOf('docs/deployment.md', 'text').filter(({ text }) =>
    text.includes('scrape_configs'),
  );
  const folder = t.testdir({
    'prometheus.yml': config?.text ?? '',
    'alerts.yaml': readFileSync(RULES, 'utf8'),
  });
  const { status, text } = promtool(['check', 'config', `${folder}/prometheus.yml`]);
  t.equal(status, 0, text);
  t.match(text, `${rules.length} rules found`);
});

t.test('each alert has a case in which it fires and one in which it does not', async (t) => {
  const cases: readonly Case[] = parse(readFileSync(CASES, 'utf8')).tests;
  const checks = cases.flatMap((one) => one.alert_rule_test);
  for (const alert of names) {
    const counts = checks
      .filter(({ alertname }) => alertname === alert)
      .map(({ exp_alerts: { length } }) => length);
    t.ok(counts.includes(0) && counts.some((count) => count > 0), alert);
  }
});

t.test('the metrics exist', async (t) => {
  const known = metricsPage();
  const used = new Set(rules.flatMap(({ expr }) => expr.match(/quotagate_[a-z_]+/g) ?? []));
  for (const metric of used) t.ok(known.includes(`\`${metric.replace(/_bucket$/, '')}\``), metric);
});

t.test('each alert has a runbook, and each runbook an alert', async (t) => {
  const text = readFileSync('docs/runbooks.md', 'utf8');
  const [, ...sections] = text.split(/^## /m);
  t.strictSame(
    sections.map((section) => section.split('\n')[0]),
    names,
  );
  for (const section of sections)
    for (const part of ['**Meaning:**', '**Confirm:**', '**Do:**', '**Over:**'])
      t.ok(section.includes(part), `${section.split('\n')[0]}: ${part}`);
  for (const { alert, labels } of rules) {
    const said = labels.severity === 'page' ? 'Page.' : 'Ticket.';
    t.match(text, `## ${alert}\n\n${said}`, `${alert}: ${said}`);
  }
});

t.test(
  'the chart installs them, but for those that are not wanted',
  { skip: skipWithoutDeployTools },
  async (t) => {
    const rule = objectsOf(renderedSet('monitored')).find(({ kind }) => kind === 'PrometheusRule');
    t.match(rule?.metadata, { namespace: 'monitoring', labels: { release: 'kube-prometheus-stack' } });
    const installed = rulesIn(stringify(rule?.spec));
    t.strictSame(
      installed.map(({ alert }) => alert),
      names.filter((name) => name !== 'QuotagateRefusalSurge'),
    );
    for (const { alert, expr, annotations } of installed) {
      const source = rules.find((one) => one.alert === alert);
      t.equal(expr, source?.expr, alert);
      t.equal(annotations.summary, source?.annotations.summary, alert);
      t.match(annotations.runbook_url, new RegExp(`/runbooks#${alert.toLowerCase()}$`));
    }
  },
);
