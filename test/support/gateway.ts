/** The whole program on free ports: in this process, or as processes of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type Agent, request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { buildApp } from '../../src/app/app.js';
import type { Addresses, App } from '../../src/app/running.js';
import type { Environment } from '../../src/config/environment.js';
import { loadConfig } from '../../src/config/load.js';
import type { NetworkHost } from './network.js';

export const ADMIN_TOKEN = 'test-admin-token';

export interface ConfigParts {
  /** Redis URL or socket; left out: embedded, in `data`. */
  readonly redis?: string | undefined;
  readonly data?: string;
  readonly upstream: string;
  readonly deadlineMs?: number;
  /** More of the section `store`, with a comma before it. */
  readonly store?: string;
  /** In place of `redis`: how the section `store` says where the store is. */
  readonly settings?: string;
  readonly orgs: string;
  readonly routes?: string;
  readonly unknownUsers?: 'register' | 'deny';
  readonly tokenFile?: string;
  /** More of the section `identity`, as a line of its own. */
  readonly identity?: string;
  /** Peers whose identity headers are believed; left out: this machine. */
  readonly peers?: string;
  /** More of the section `server`, with a comma before it; left out: a stop is at once. */
  readonly server?: string;
  /** Where the admin listener is; left out: on a free port. */
  readonly adminAddress?: string;
  /** Further upstreams by name, beside `up`. */
  readonly upstreams?: Readonly<Record<string, unknown>>;
  /** Where what cannot be delivered is kept. */
  readonly spool?: string;
  /** Where a process of its own runs, if not beside the test. */
  readonly on?: NetworkHost | undefined;
  /** Further quotas and other sections, as lines: those under `quotas` first. */
  readonly quotas?: string;
  /** For a process of its own: `main.js` of another build. */
  readonly program?: string;
}

const ROUTES = `
  - { match: 'GET /v3/maps/*', action: maps, upstream: up, charges: [{ quota: usage, units: 0.1 }] }
  - { match: 'GET /v3/sql', action: sql, upstream: up, charges: [{ quota: usage, units: 10 }] }
  - { match: 'GET /v3/unit', action: unit, upstream: up, charges: [{ quota: usage, units: 1 }] }
  - match: POST /v3/lds/geocoding
    action: geocoding
    upstream: up
    charges: [{ quota: lds, units: { jsonLength: /addresses } }, { quota: usage, units: 0.1 }]
  - { match: 'GET /v3/gate', action: gate, upstream: up, charges: [{ quota: usage, gate: true }] }
  - { match: 'POST /v3/stated', action: stated, upstream: up, charges: [{ quota: usage, units: { header: x-cost } }] }
  - { match: 'POST /v3/number', action: number, upstream: up, charges: [{ quota: usage, units: { json: /cost } }] }
  - { match: 'OPTIONS /*', identity: none, upstream: up, charges: [] }
`;

/** A config file's text; gateways of one test differ in nothing but their ports. */
export function configText(parts: ConfigParts): string {
  const embedded = `embedded: { path: ${JSON.stringify(parts.data ?? './data')} }`;
  const redis = parts.redis === undefined ? embedded : `redis: ${JSON.stringify(parts.redis)}`;
  const store = `{ ${parts.settings ?? redis}, deadlineMs: ${parts.deadlineMs ?? 5_000}${parts.store ?? ''} }`;
  const address = `${parts.on?.address ?? '127.0.0.1'}:0`;
  return `
server: { gateway: ${address}, admin: ${parts.adminAddress ?? address}, ops: ${address}${parts.server ?? ', drainMs: 0'} }
store: ${store}
log: { level: ${process.env.LOG ?? 'silent'} }
identity:
  unknownUsers: ${parts.unknownUsers ?? 'register'}
  ${parts.identity ?? ''}
  trusted: { peers: [${parts.peers ?? '127.0.0.1/32'}], org: x-quota-org, user: x-quota-user, groups: x-quota-groups }
quotas:
  usage: { unit: units, decimals: 1 }
  lds: { unit: calls }
${parts.quotas ?? ''}
upstreams: ${JSON.stringify({ up: { url: parts.upstream, connections: 512 }, ...parts.upstreams })}
${parts.tokenFile === undefined ? '' : `admin: { bootstrapTokenFile: ${JSON.stringify(parts.tokenFile)} }`}
${parts.spool === undefined ? '' : `spool: { path: ${JSON.stringify(parts.spool)} }`}
routes:${parts.routes ?? ROUTES}
orgs:
${parts.orgs}
`;
}

export interface RunningGateway extends Addresses {
  readonly app: App;
  close(): Promise<void>;
}

export async function startGateway(
  parts: ConfigParts,
  environment: Environment = {},
): Promise<RunningGateway> {
  const folder = mkdtempSync(join(tmpdir(), 'quotagate-test-'));
  const config = loadConfig(configText({ data: join(folder, 'data'), ...parts }), {});
  const logger = pino({ level: config.log.level });
  const app = await buildApp({ config, logger, bootstrapToken: ADMIN_TOKEN, environment });
  const addresses = await app.listen();
  let closed: Promise<unknown> | undefined;
  const close = async (): Promise<void> => {
    closed ??= app.close().finally(() => rmSync(folder, { recursive: true, force: true }));
    await closed;
  };
  return { ...addresses, app, close };
}

export interface GatewayProcess extends Addresses {
  readonly child: ChildProcess;
  /** Its config file. */
  readonly file: string;
  /** What it has logged so far, line by line. */
  readonly log: readonly LogLine[];
  /** Ends with its exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

export type LogLine = Readonly<Record<string, unknown>>;

const MAIN = join(fileURLToPath(import.meta.url), '../../../src/main.js');

/**
 * A process of its own; resolves when it listens. `folder` keeps its config, and its data if it is embedded; `preload` is a
 * module that it runs first.
 */
export async function spawnGateway(
  parts: ConfigParts,
  folder: string,
  preload?: string,
): Promise<GatewayProcess> {
  const tokenFile = join(folder, 'token');
  const file = join(folder, `config-${process.hrtime.bigint()}.yaml`);
  writeFileSync(tokenFile, ADMIN_TOKEN);
  writeFileSync(
    file,
    configText({ data: join(folder, 'data'), ...parts, tokenFile }).replace(/level: \w+/, 'level: info'),
  );
  const before = preload === undefined ? [] : ['--import', preload];
  const args = [...before, parts.program ?? MAIN, 'serve', '-c', file];
  const [program, programArgs] = parts.on?.command(process.execPath, args) ?? [process.execPath, args];
  const child = spawn(program, programArgs, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  const log: LogLine[] = [];
  const addresses = await addressesIn(child, log);
  return {
    ...addresses,
    child,
    file,
    log,
    async stop(signal = 'SIGTERM') {
      child.kill(signal);
      return ended;
    },
  };
}

function addressesIn(child: ChildProcess, log: LogLine[]): Promise<Addresses> {
  return new Promise((resolve, reject) => {
    child.once('exit', (code) =>
      reject(new Error(`the gateway ended with ${code}: ${log.map((line) => line.msg).join(', ')}`)),
    );
    if (child.stdout === null) return;
    createInterface({ input: child.stdout }).on('line', (text) => {
      const line = JSON.parse(text) as LogLine;
      log.push(line);
      if (line.event === 'listening') resolve(line as unknown as Addresses);
    });
  });
}

export interface Reply {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly body: string;
}

export interface Ask {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  readonly agent?: Agent;
}

/** One request, its answer read whole. */
export function ask(
  address: string,
  path: string,
  { method = 'GET', headers = {}, body, agent }: Ask = {},
): Promise<Reply> {
  const [host, port] = address.split(':');
  return new Promise((resolve, reject) => {
    const options = { host, port, path, method, headers, ...(agent === undefined ? {} : { agent }) };
    const outgoing = httpRequest(options, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('error', reject);
      answer.on('end', () => {
        resolve({
          status: answer.statusCode ?? 0,
          headers: answer.headers,
          body: Buffer.concat(chunks).toString(),
        });
      });
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

export function as(user: string, org = 'acme', groups?: string): Record<string, string> {
  const who = { 'x-quota-org': org, 'x-quota-user': user };
  return groups === undefined ? who : { ...who, 'x-quota-groups': groups };
}

/** A call of the admin API; the body is parsed. */
export async function admin(
  address: string,
  method: string,
  path: string,
  body?: unknown,
  agent?: Agent,
): Promise<{ status: number; body: unknown; headers: Reply['headers'] }> {
  const headers = { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json' };
  const sent = body === undefined ? {} : { body: JSON.stringify(body) };
  const reply = await ask(address, `/v1${path}`, {
    method,
    headers,
    ...sent,
    ...(agent === undefined ? {} : { agent }),
  });
  return {
    status: reply.status,
    headers: reply.headers,
    body: reply.body === '' ? undefined : JSON.parse(reply.body),
  };
}
