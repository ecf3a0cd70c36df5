// The generated references are what the code makes, with a complete row for each setting, metric, error and endpoint.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { GENERATED } from '../../scripts/docs/pages.js';
import { ROLE_TABLE } from '../../src/admin/endpoints.js';
import { CATALOGUE } from '../../src/errors/catalogue.js';
import { Metrics } from '../../src/observe/metrics.js';
import { ROOT, tablesUnder } from './pages.js';

t.test('every reference is up to date', async (t) => {
  const names = readdirSync(join(ROOT, 'docs/reference')).map((name) => `docs/reference/${name}`);
  const references = Object.keys(GENERATED).filter((path) => path.startsWith('docs/reference/'));
  t.same(names.sort(), references.sort());
  for (const [path, page] of Object.entries(GENERATED)) {
    const text = existsSync(join(ROOT, path)) ? readFileSync(join(ROOT, path), 'utf8') : '';
    t.ok(text === page(), `${path}: run npm run docs`);
  }
});

/** First cells, without the head, once every row is seen to be complete. */
function namesIn(t: Test, path: string, heading: string): string[] {
  const [head = [], ...rows] = tablesUnder(path, heading);
  for (const row of rows) t.equal(row.length, head.length, `${row[0]}`);
  return rows.map(([name = '']) => name.replaceAll('`', ''));
}

t.test('every setting has its default and bounds', async (t) => {
  const rows = new Map(tablesUnder('docs/reference/settings.md', '# Settings').map((row) => [row[0], row]));
  t.match(rows.get('`store.deadlineMs`'), [/./, 'whole number', '`50`', 'a whole number from 1 to 10000']);
  t.match(rows.get('`routes[].identity`'), [/./, 'word', '`required`', '`required`, `none`']);
  t.match(rows.get('`orgs.<org>.limits[].percent`'), [/./, 'amount', 'by choice']);
  for (const row of rows.values()) {
    t.equal(row.length, 5, `${row[0]}`);
    t.notOk(row.includes(''), `${row[0]}`);
  }
});

t.test('every value of the chart has its type, default and meaning', async (t) => {
  const rows = tablesUnder('helm/quotagate/README.md', '## Values');
  t.match(
    rows.find(([name]) => name === '`adminService.ingress.hosts`'),
    [/./, 'list', '`[]`', /./],
  );
  for (const row of rows) {
    t.equal(row.length, 4, `${row[0]}`);
    t.notOk(row.includes(''), `${row[0]}`);
  }
});

t.test('every error and every endpoint has a row', async (t) => {
  t.same(namesIn(t, 'docs/reference/errors.md', '# Errors'), Object.keys(CATALOGUE));
  t.same(
    namesIn(t, 'docs/reference/roles.md', '# Roles'),
    Object.keys(ROLE_TABLE).map((endpoint) => endpoint.replace(/:(\w+)/g, '{$1}')),
  );
});

t.test('every metric has a row, and is named as Prometheus wants it', async (t) => {
  const metrics = new Metrics({ quotas: { usage: { decimals: 1 } }, state: () => undefined });
  const shown = [...(await metrics.text()).matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => ({
    name,
    type,
  }));
  t.strictSame(
    shown,
    metrics.rows.map(({ name, type }) => ({ name, type })),
  );
  t.same(
    namesIn(t, 'docs/reference/metrics.md', '# Metrics'),
    metrics.rows.map(({ name }) => name),
  );
  for (const { name, type, labels = [] } of metrics.rows) {
    t.match(name, /^quotagate_[a-z_]+$/);
    t.equal(name.endsWith('_total'), type === 'counter', `${name} is a ${type}`);
    t.notOk(labels.some((label) => ['user', 'org', 'group', 'key', 'request_id'].includes(label)));
  }
});
