// The config in the chart's ConfigMap equals the values plus what the chart mounts, and passes `quotagate check`, also as the
// command of the init container and of `helm test`.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import t from 'tap';
import { parse } from 'yaml';
import { check } from '../../src/cli/check.js';
import { REPOSITORY, skipWithoutDeployTools, type Values } from '../support/deploy-tools.js';
import { configOf, hookOf, objectsOf, rendered, renderedSet, templateOf, VALUE_SETS } from './support.js';

const SERVER = {
  gateway: '0.0.0.0:8080',
  admin: '0.0.0.0:9080',
  ops: '0.0.0.0:9091',
  drainMs: 5_000,
  finishMs: 15_000,
};

/** What the chart derives from the mode and from how long a response may take. */
function derivedFrom({ mode, longestStreamSeconds, config = {} }: Values): object {
  const { upstreams = {} } = config as { upstreams?: Record<string, { timeouts?: { totalMs?: number } }> };
  const [bound] = Object.values(upstreams).flatMap(({ timeouts }) => timeouts?.totalMs ?? []);
  const finishMs = longestStreamSeconds === undefined ? bound : Number(longestStreamSeconds) * 1_000;
  return {
    ...(mode === 'sidecar' && { admin: 'off', drainMs: 0 }),
    ...(finishMs !== undefined && { finishMs }),
  };
}

const folder = mkdtempSync(join(tmpdir(), 'quotagate-config-'));
t.teardown(() => rm(folder, { recursive: true }));

interface Store {
  readonly [form: string]: unknown;
}

t.test('the config of every value set', { skip: skipWithoutDeployTools }, async (t) => {
  for (const [name, values] of VALUE_SETS) {
    t.test(name, async (t) => {
      const objects = objectsOf(renderedSet(name));
      const text = configOf(objects);
      const said: string[] = [];
      t.equal(
        check({ file: fileOf(name, text), environment: {} }, { write: (line: string) => said.push(line) }),
        0,
        said.join(''),
      );
      const { server, store, ...own } = withoutMounted(parse(text));
      const { server: givenServer, store: asked, ...given } = (values.config ?? {}) as Record<string, Store>;
      t.strictSame(own, given, 'nothing is lost, added or rounded');
      t.strictSame(server, { ...SERVER, ...derivedFrom(values), ...givenServer });
      t.strictSame(store, asked ?? { embedded: { path: '/data' } });
      const container = (templateOf(objects) ?? hookOf(objects))?.spec.containers[0];
      const mounts = container?.volumeMounts.map(({ mountPath }) => mountPath) ?? [];
      for (const [path] of text.matchAll(/(?<=: )\/(?:run\/secrets|data|var)[^\s,}]*/g))
        t.ok(
          mounts.some((mount) => path === mount || path.startsWith(`${mount}/`)),
          `${path} is mounted`,
        );
    });
  }
});

/** Without the paths of the secrets that the chart mounts itself, and the sections that have nothing else. */
function withoutMounted(config: Record<string, Store>): Record<string, unknown> {
  const text = JSON.stringify(config, (_key, value) =>
    /^\/run\/secrets\/(redis|bootstrap)\//.test(String(value)) ? undefined : value,
  );
  const { admin, ...rest } = JSON.parse(text);
  const { sentinel } = rest.store;
  if (JSON.stringify(sentinel?.sentinelAuth) === '{}') delete sentinel.sentinelAuth;
  return JSON.stringify(admin) === '{}' ? rest : { ...rest, ...(admin && { admin }) };
}

t.test('`quotagate check` finds an error in the values', { skip: skipWithoutDeployTools }, async (t) => {
  const answer = rendered({ config: { routes: [{ match: 'GET /x', action: 'x', upstream: 'none' }] } });
  const file = fileOf('mistake', configOf(objectsOf(answer)));
  const args = [join(REPOSITORY, 'dist/src/main.js'), 'check', '-c', file];
  const { status, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  t.equal(status, 1);
  t.match(stdout, /\/routes\/0\/upstream/);
});

/** Files of the Secrets of the value sets, below /run/secrets. */
const SECRETS: Readonly<Record<string, string>> = {
  'bootstrap/token': 'a-token-for-tests',
  'llm/key': 'Bearer x',
  'redis/password': 'x',
  'redis/redis.password': 'x',
};

t.test(
  'the command of `helm test` and of the init container',
  { skip: skipWithoutDeployTools },
  async (t) => {
    for (const name of ['embedded', 'sidecar', 'redis']) {
      const objects = objectsOf(renderedSet(name));
      const args = hookOf(objects)?.spec.containers[0].args ?? [];
      const [init] = templateOf(objects)?.spec.initContainers ?? [];
      if (init !== undefined) t.same(init.args, args, 'both run the same');
      const passed = runAsMounted(configOf(objects), args, SECRETS);
      t.equal(passed.status, 0, passed.stdout);
      t.match(passed.stdout, /quotagate\.yaml: ok/);
      if (name === 'embedded') continue;
      const { 'redis/password': _, 'redis/redis.password': __, ...others } = SECRETS;
      const failed = runAsMounted(configOf(objects), args, others);
      t.equal(failed.status, 1);
      t.match(failed.stdout, /\/store\/passwordFile/, 'a Secret that lacks the key is found');
    }
  },
);

/** Runs the command of a container with a folder in place of the root. */
function runAsMounted(config: string, args: readonly string[], secrets: typeof SECRETS) {
  const root = mkdtempSync(join(folder, 'root-'));
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  for (const [name, text] of Object.entries(secrets)) write(`/run/secrets/${name}`, text);
  mkdirSync(join(root, 'data'));
  write('/etc/quotagate/quotagate.yaml', config.replace(/(?<=: )\/(?:run\/secrets|data)/g, `${root}$&`));
  const inRoot = args.map((arg) => (arg.startsWith('/') ? join(root, arg) : arg));
  const main = join(REPOSITORY, 'dist/src/main.js');
  return spawnSync(process.execPath, [main, ...inRoot], { encoding: 'utf8' });
}

function fileOf(name: string, text: string): string {
  const file = join(folder, `${name.replaceAll('/', '-')}.yaml`);
  writeFileSync(file, text);
  return file;
}
