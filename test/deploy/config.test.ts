// The config in the chart's ConfigMap equals the values plus the mounted paths, and passes `quotagate check`.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { parse } from 'yaml';
import { check } from '../../src/cli/check.js';
import { REPOSITORY, skipWithoutDeployTools } from '../support/deploy-tools.js';
import { configOf, objectsOf, podOf, rendered, renderedSet, VALUE_SETS } from './support.js';

const SERVER = { gateway: '0.0.0.0:8080', admin: '0.0.0.0:9080', ops: '0.0.0.0:9091' };
const folder = mkdtempSync(join(tmpdir(), 'quotagate-config-'));
t.teardown(() => rm(folder, { recursive: true }));

t.test('the config of every value set', { skip: skipWithoutDeployTools }, async (t) => {
  for (const [name, { config }] of VALUE_SETS) {
    t.test(name, async (t) => {
      const objects = objectsOf(renderedSet(name));
      const text = configOf(objects);
      const said: string[] = [];
      t.equal(
        check({ file: fileOf(name, text), environment: {} }, { write: (line: string) => said.push(line) }),
        0,
        said.join(''),
      );
      const { admin, store, ...own } = parse(text);
      const { store: asked, ...given } = { server: SERVER, ...(config as { store?: object }) };
      t.strictSame(own, given, 'nothing is lost, added or rounded');
      const paths = [store.embedded?.path, store.passwordFile, admin?.bootstrapTokenFile].filter(
        (path) => path !== undefined,
      );
      t.strictSame(
        store,
        asked === undefined
          ? { embedded: { path: '/data' } }
          : { ...asked, passwordFile: store.passwordFile },
      );
      t.equal(paths.length, asked === undefined ? 1 : 2);
      const mounts = podOf(objects).spec.containers[0].volumeMounts.map(({ mountPath }) => mountPath);
      for (const path of paths)
        t.ok(
          mounts.some((mount) => path === mount || path.startsWith(`${mount}/`)),
          `${path} is mounted`,
        );
    });
  }
});

t.test('`quotagate check` finds an error in the values', { skip: skipWithoutDeployTools }, async (t) => {
  const answer = rendered({ config: { routes: [{ match: 'GET /x', action: 'x', upstream: 'none' }] } });
  const file = fileOf('mistake', configOf(objectsOf(answer)));
  const args = [join(REPOSITORY, 'dist/src/main.js'), 'check', '-c', file];
  const { status, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  t.equal(status, 1);
  t.match(stdout, /\/routes\/0\/upstream/);
});

function fileOf(name: string, text: string): string {
  const file = join(folder, `${name}.yaml`);
  writeFileSync(file, text);
  return file;
}
