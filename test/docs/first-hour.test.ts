// The first hour works as its page says: the commands run against a real Redis with the arguments of redis.yaml, and a real gateway with
// the chart's config. There is no cluster: `docker`, `helm` and `kubectl` are played here, as far as the page uses them.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import t from 'tap';
import { parse, parseAllDocuments } from 'yaml';
import { check } from '../../src/cli/check.js';
import { type Served, serve } from '../../src/cli/serve.js';
import { loadConfig } from '../../src/config/load.js';
import { configOf, hookOf, type Manifest, objectsOf, rendered } from '../deploy/support.js';
import { metricsOf } from '../observe/support.js';
import { skipWithoutDeployTools, type Values, violationsOf } from '../support/deploy-tools.js';
import { ask } from '../support/gateway.js';
import { skipWithoutRedis } from '../support/redis.js';
import { freePort, RedisNode, waitFor } from '../support/redis-node.js';
import { TestUpstream } from '../support/upstream.js';
import { blocksOf, isValues, ROOT } from './pages.js';
import { run, skipWithoutCurl, writeProgram, writePrograms } from './shell.js';

const PAGE = 'docs/first-hour.md';
const REDIS = 'deploy/kubernetes/redis.yaml';
const skip = skipWithoutDeployTools || skipWithoutRedis || skipWithoutCurl;

const [block] = blocksOf(PAGE, 'yaml').filter(isValues);
const values: Values = parse(block?.text ?? '');
const redisText = readFileSync(join(ROOT, REDIS), 'utf8');

/** Commands that nothing depends on here. */
const IDLE =
  /^(docker (build|push)|kubectl (create namespace|-n quota (create deployment|expose|logs|port-forward|wait|delete secret gate-admin)))/;
const CREATE_SECRET = /^kubectl -n quota create secret generic (\S+) --from-literal=(\w+)=(\S+)$/;

/** A cluster as far as the page uses it. Its addresses are free ports of this machine. */
class PlayedCluster {
  served: Served | undefined;
  private readonly secrets = new Map<string, string>();
  private redis: RedisNode | undefined;
  private objects: readonly Manifest[] = [];
  private readonly file: string;
  private readonly commands: Readonly<Record<string, () => unknown>> = {
    [`kubectl -n quota apply -f ${REDIS}`]: () => this.startRedis(),
    'helm -n quota install gate helm/quotagate -f values.yaml --wait': () => this.install(values),
    'helm -n quota upgrade gate helm/quotagate -f values.yaml --wait': () =>
      this.install({ ...values, bootstrapToken: { required: false } }),
    'helm -n quota test gate': () => this.check(),
    'kubectl -n quota get secret gate-admin -o go-template={{.data.token | base64decode}}': () =>
      this.secrets.get('gate-admin/token'),
    'kubectl -n quota scale statefulset redis --replicas=0': () => this.redis?.kill(),
    'kubectl -n quota scale statefulset redis --replicas=1': () => this.redis?.start(),
    'kubectl -n quota rollout status statefulset redis': () => this.untilUp(),
  };

  constructor(
    private readonly folder: string,
    private readonly upstream: string,
  ) {
    this.file = join(folder, 'quotagate.yaml');
  }

  /** What the command prints. */
  async answer(command: string): Promise<string> {
    const [, secret, key, value = ''] = CREATE_SECRET.exec(command) ?? [];
    if (secret !== undefined) this.keep(`${secret}/${key}`, value);
    else if (!IDLE.test(command)) {
      const act = this.commands[command];
      if (act === undefined) throw new Error(`not played here: ${command}`);
      return String((await act()) ?? '');
    }
    return '';
  }

  async close(): Promise<void> {
    await this.served?.app.close();
    await this.redis?.close();
  }

  private keep(name: string, value: string): void {
    this.secrets.set(name, value);
    writeFileSync(join(this.folder, name.replace('/', '-')), value);
  }

  private async startRedis(): Promise<void> {
    const [set] = parseAllDocuments(redisText).map((document) => document.toJS() as Manifest);
    const password = this.secrets.get('redis-password/password') ?? '';
    const args = (set?.spec.template?.spec.containers[0].args ?? []).map((arg) =>
      arg.replace('$(REDIS_PASSWORD)', password),
    );
    this.redis = new RedisNode({ port: await freePort(), args, client: { password } });
    await this.redis.start();
  }

  private async install(wanted: Values): Promise<void> {
    await this.served?.app.close();
    this.objects = objectsOf(rendered(wanted));
    const text = configOf(this.objects)
      .replace('redis://redis:6379', `redis://${this.redis?.address}`)
      .replace('http://maps:3000', this.upstream)
      .replace('/run/secrets/redis/password', join(this.folder, 'redis-password-password'))
      .replace('/run/secrets/bootstrap/token', join(this.folder, 'gate-admin-token'))
      .replace(/0\.0\.0\.0:\d+/g, '127.0.0.1:0');
    writeFileSync(this.file, text);
    const source = { file: this.file, read: () => loadConfig(text, {}) };
    this.served = await serve(source, {}, { log: { write: () => undefined }, warmsUp: false });
  }

  /** What the pod of `helm test` does. */
  private check(): void {
    const [command, ...args] = hookOf(this.objects)?.spec.containers[0].args ?? [];
    const said: string[] = [];
    const options = { file: this.file, environment: {}, secrets: args.includes('--secrets') };
    const code = command === 'check' ? check(options, { write: (line) => said.push(line) }) : undefined;
    if (code !== 0) throw new Error(`${command} ends with ${code}: ${said.join('')}`);
  }

  private async untilUp(): Promise<void> {
    const { ops = '' } = this.served?.addresses ?? {};
    await waitFor(
      'the store is back',
      async () => (await metricsOf(ops)).values.get('quotagate_store_up') === 1,
    );
  }
}

t.test('the commands do what the page says', { skip }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'quotagate-hour-'));
  const upstream = await TestUpstream.start();
  const cluster = new PlayedCluster(folder, upstream.url);
  const server = createServer((request, response) => {
    text(request)
      .then((command) => cluster.answer(command))
      .then((answer) => response.end(answer))
      .catch((error: Error) => response.writeHead(500).end(error.message));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(async () => {
    server.close();
    await cluster.close();
    await upstream.close();
    rmSync(folder, { recursive: true });
  });
  const { port } = server.address() as AddressInfo;
  const played = `exec /usr/bin/env curl --silent --fail-with-body --data-binary "$(basename "$0") $*" http://127.0.0.1:${port}/`;
  for (const name of ['docker', 'helm', 'kubectl']) writeProgram(folder, name, played);
  const blocks = blocksOf(PAGE, 'sh').map((block) => block.text);
  const from = blocks.findIndex((block) => block.includes('port-forward'));
  const installed = await run(blocks.slice(0, from).join('\n'), folder);
  t.equal(installed.code, 0, installed.output);
  const addresses = cluster.served?.addresses ?? { gateway: '', admin: '', ops: '' };
  writePrograms(folder);
  const used = await run(
    blocks
      .slice(from)
      .join('\n')
      .replaceAll('localhost:8080', addresses.gateway)
      .replaceAll('localhost:9080', addresses.admin)
      .replaceAll('localhost:9091', addresses.ops)
      .concat('\necho; echo "now $TOKEN"'),
    folder,
  );
  t.equal(used.code, 0, used.output);
  t.match(used.output, /"code":"quota-exceeded".*"limit":2,"consumed":2/);
  const metrics = used.output.match(/quotagate_\w+ \d$/gm);
  t.same(metrics, ['quotagate_store_up 0', 'quotagate_store_up 1', 'quotagate_settlements_backlog 0']);
  t.match(used.output, /"consumed":4/, 'four answers were charged');
  const { admin = '' } = cluster.served?.addresses ?? {};
  const token = /^now (qga_\S+)$/m.exec(used.output)?.[1];
  const orgs = await ask(admin, '/v1/orgs', { headers: { authorization: `Bearer ${token}` } });
  t.match(orgs.body, '"id":"acme"', 'the gateway serves without the first token, and with the new one');
});

t.test('Kubernetes takes the Redis to try', { skip: skipWithoutDeployTools }, async (t) => {
  t.same(violationsOf(redisText), []);
});
