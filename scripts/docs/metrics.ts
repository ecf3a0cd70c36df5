/** `docs/reference/metrics.md`, generated from what `Metrics` builds. */
import { Metrics } from '../../src/observe/metrics.js';
import { markdownTable } from './table.js';

const COLUMNS = ['metric', 'type', 'labels', 'meaning'];

const HEAD = `# Metrics

Generated from \`src/observe\` by \`npm run docs\`. They are on \`/metrics\` of \`server.ops\`, in the format of Prometheus.

No label names a user, a group or an org. The runtime adds its own \`process_…\` and \`nodejs_…\` metrics, such as
\`nodejs_eventloop_lag_p99_seconds\`. Alerts: [operations](../operations.md#alerts).

`;

export function metricsPage(): string {
  const { rows } = new Metrics({ quotas: {}, state: () => undefined });
  const cells = rows.map(({ name, type, labels = [], help }) => [
    `\`${name}\``,
    type,
    labels.map((label) => `\`${label}\``).join(', ') || 'none',
    help,
  ]);
  return HEAD + markdownTable([COLUMNS, ...cells]);
}
