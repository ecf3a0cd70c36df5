// The manifests without Helm are what the chart makes; Kubernetes takes them, and quotagate their config.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { MANIFESTS, manifestsOf, renderExample } from '../../scripts/kubernetes/manifests.js';
import { check } from '../../src/cli/check.js';
import { skipWithoutDeployTools } from '../support/deploy-tools.js';
import { configOf, objectsOf } from './support.js';

const text = readFileSync(MANIFESTS, 'utf8');

t.test('they are up to date and valid', { skip: skipWithoutDeployTools }, async (t) => {
  const rendered = renderExample();
  t.ok(text === manifestsOf(rendered), `${MANIFESTS}: run npm run kubernetes`);
  t.same(rendered.violations, []);
});

t.test('nothing in them is of Helm', async (t) => {
  const [, ...objects] = text.split('\n');
  t.notMatch(objects.join('\n'), /helm/i);
});

t.test('their config passes `quotagate check`', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'quotagate-kubernetes-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'quotagate.yaml');
  writeFileSync(file, configOf(objectsOf({ manifests: [text] })));
  const said: string[] = [];
  t.equal(check({ file, environment: {} }, { write: (line: string) => said.push(line) }), 0, said.join(''));
});
