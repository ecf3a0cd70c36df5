// The table of metrics in the README is what the code makes.
import { readFileSync } from 'node:fs';
import t from 'tap';
import { metricsTable, withMetrics } from '../../scripts/docs/metrics.js';
import { Metrics } from '../../src/observe/metrics.js';

const README = new URL('../../../src/observe/README.md', import.meta.url);

t.test('the README holds the generated table', async (t) => {
  const text = readFileSync(README, 'utf8');
  t.equal(text, withMetrics(text), 'after a change of the metrics, update it as the README says');
});

t.test('every metric is in the table, and is named as Prometheus wants it', async (t) => {
  const metrics = new Metrics({ quotas: { usage: { decimals: 1 } }, state: () => undefined });
  const shown = [...(await metrics.text()).matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => ({
    name,
    type,
  }));
  t.strictSame(
    shown,
    metrics.rows.map(({ name, type }) => ({ name, type })),
  );
  const table = metricsTable();
  for (const { name, type, labels = [] } of metrics.rows) {
    t.match(table, `| \`${name}\``);
    t.match(name, /^quotagate_[a-z_]+$/);
    t.equal(name.endsWith('_total'), type === 'counter', `${name} is a ${type}`);
    t.notOk(labels.some((label) => ['user', 'org', 'group', 'key', 'request_id'].includes(label)));
  }
});
