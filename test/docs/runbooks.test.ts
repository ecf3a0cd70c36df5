// What a runbook names exists: an engineer who follows it at night finds each metric, event, setting, endpoint and command.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { stringify } from 'yaml';
import { CATALOGUE } from '../../src/errors/catalogue.js';
import { promtool, skipWithoutPromtool } from '../support/promtool.js';
import { proseOf, tablesUnder } from './pages.js';

const quoted = [...proseOf('docs/runbooks.md').matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);
const isQuery = (code: string): boolean =>
  /^(quotagate_|nodejs_|process_|container_)\w+$|\(.*\{?.*\[\d+m\]/.test(code);

/** First cells of a reference. */
const namesIn = (page: string, heading: string): string[] =>
  tablesUnder(page, heading).map(([name = '']) => name.replaceAll('`', ''));

t.test(
  'queries are those of Prometheus, and their metrics exist',
  { skip: skipWithoutPromtool },
  async (t) => {
    const queries = quoted.filter(isQuery);
    t.ok(queries.length > 10);
    const folder = mkdtempSync(join(tmpdir(), 'quotagate-runbooks-'));
    t.teardown(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'queries.yaml');
    const rules = queries.map((expr, index) => ({ record: `query_${index}`, expr }));
    writeFileSync(file, stringify({ groups: [{ name: 'queries', rules }] }));
    const { status, text } = promtool(['check', 'rules', file]);
    t.equal(status, 0, text);
    const known = new Set(namesIn('docs/reference/metrics.md', '# Metrics'));
    for (const metric of queries.flatMap((query) => query.match(/quotagate_[a-z_]+/g) ?? []))
      t.ok(known.has(metric.replace(/_bucket$/, '')), metric);
  },
);

t.test('log events and error codes exist', async (t) => {
  const events = quoted.filter((code) => /^[a-z]+(_[a-z]+)+$/.test(code) && !isQuery(code));
  const known = new Set([...namesIn('docs/troubleshooting.md', '## Log events'), 'rule_files']);
  t.ok(events.length > 10);
  for (const event of events) t.ok(known.has(event), event);
  for (const code of ['store-unavailable', 'store-lost', 'backlog-full']) t.ok(code in CATALOGUE, code);
});

t.test('settings exist', async (t) => {
  const settings = quoted.filter((code) => /^(server|store|spool|journal|upstreams)\.[\w.*]+$/.test(code));
  const known = namesIn('docs/reference/settings.md', '# Settings');
  t.ok(settings.length > 8);
  for (const setting of settings) {
    const path = setting.replace('*', '<upstream>');
    t.ok(
      known.some((name) => name === path || name.startsWith(`${path}.`)),
      setting,
    );
  }
});

t.test('endpoints exist', async (t) => {
  const endpoints = quoted.filter((code) => /^(GET|POST) \/v1/.test(code));
  const known = namesIn('docs/reference/roles.md', '# Roles');
  t.ok(endpoints.length > 4);
  for (const endpoint of endpoints) t.ok(known.includes(endpoint.replace(/\?.*/, '')), endpoint);
});

t.test('commands exist', async (t) => {
  const commands = quoted.filter((code) => code.startsWith('quotagate '));
  const known = /^quotagate (check|verify|stats|store accept-(loss|clock))( --?[a-z]+( [\w.<>]+)?)*$/;
  t.ok(commands.length > 3);
  for (const command of commands) t.match(command, known);
});
