/** `quotagate demo`: gateway, admin API and a sample upstream on loopback, with two orgs, and commands to paste. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Addresses } from '../app/running.js';
import type { Environment } from '../config/environment.js';
import { loadConfig } from '../config/load.js';
import { startDemoUpstream } from '../demo/location-upstream.js';
import { writeMonth } from '../demo/month.js';
import { plainLog } from '../demo/plain-log.js';
import { startSampleAi } from '../demo/sample-ai/index.js';
import { type PortOptions, portVariables, refuseTakenPorts } from './demo-ports.js';
import { ownCommand } from './own-command.js';
import { serve } from './serve.js';
import type { Outputs } from './token.js';

/** The sample AI provider keeps only its last requests. */
const MODELS_LOG = 100;

/**
 * An example of a first config; the README explains it line by line. `data` is a folder that is deleted when the demo
 * ends.
 */
export function demoConfig(data: string, ports: { upstream: number; models: number }): string {
  return `
server: { gateway: 127.0.0.1:8080, admin: 127.0.0.1:9080, ops: 127.0.0.1:9091, drainMs: 0 }
store: { embedded: { path: ${JSON.stringify(data)} } }
log: { level: warn }
raiseRequests: true
identity:
  trusted: { peers: [127.0.0.1/32, '::1/128'], org: x-quota-org, user: x-quota-user, groups: x-quota-groups }
quotas:
  usage: { unit: units, decimals: 1 }
  lds: { unit: calls }
  ai: { unit: tokens }
upstreams:
  location: { url: http://127.0.0.1:${ports.upstream} }
  models: { url: http://127.0.0.1:${ports.models} }
routes:
  - match: GET /v3/maps/*
    action: maps
    upstream: location
    charges: [{ quota: usage, units: 0.1 }]
  - match: GET /v3/sql
    action: sql
    upstream: location
    charges: [{ quota: usage, units: 10 }]
  - match: POST /v3/lds/geocoding
    action: geocoding
    upstream: location
    charges: [{ quota: lds, units: { jsonLength: /addresses } }, { quota: usage, units: 0.1 }]
  - match: GET /v3/slow
    action: slow
    upstream: location
    charges: [{ quota: usage, units: 0.1 }]
  - match: POST /v1/chat/completions
    action: chat
    upstream: models
    charges: [{ quota: ai, llm: { api: openai-chat, whenShort: clamp } }, { quota: usage, gate: true }]
orgs:
  acme:
    name: Acme Cartography
    seats: 10
    cycle: { every: month, anchor: 20, timeZone: Europe/Madrid }
    plans: { usage: { allowance: 5000 }, lds: { allowance: 1000 }, ai: { allowance: 2000000 } }
    groups: { engineering: { name: Engineering } }
    users:
      ana: { name: Ana, email: ana@acme.example, groups: [engineering] }
      ben: { name: Ben, email: ben@acme.example, groups: [engineering] }
      eva: { name: Eva, email: eva@acme.example }
    limits:
      - { user: ben, quota: lds, units: 5 }
      - { user: eva, quota: ai, units: 200 }
      - { group: engineering, quota: usage, percent: 20 }
  globex:
    name: Globex
    cycle: { every: week, anchor: 1, timeZone: America/New_York }
    plans: { usage: { allowance: 20, mode: soft }, lds: { allowance: 10 } }
    users: { kim: { name: Kim, email: kim@globex.example } }
`;
}

export interface Demo {
  close(): Promise<boolean>;
}

export interface DemoOptions extends Outputs {
  readonly environment: Environment;
  readonly ports?: PortOptions;
}

/** Rejects if one of its ports is taken. Its log goes to `notes`, in plain words. */
export async function demo({ environment: outer, ports = {}, out, notes }: DemoOptions): Promise<Demo> {
  const environment = { ...outer, ...portVariables(ports) };
  const data = await mkdtemp(join(tmpdir(), 'quotagate-demo-'));
  const opened: { close(): Promise<void> }[] = [];
  const clear = async (): Promise<void> => {
    await Promise.all(opened.map((one) => one.close()));
    await rm(data, { recursive: true, force: true });
  };
  try {
    const upstream = await startDemoUpstream();
    opened.push(upstream);
    const models = await startSampleAi({ log: MODELS_LOG });
    opened.push(models);
    const text = demoConfig(data, { upstream: upstream.port, models: models.port });
    const config = loadConfig(text, environment);
    await refuseTakenPorts(config.server, (options) => ownCommand(outer, 'demo', options));
    if ('embedded' in config.store) {
      const path = join(config.store.embedded.path, 'ledger');
      await writeMonth({ path, config, until: Date.now() });
    }
    const source = { file: 'demo', read: () => loadConfig(text, environment) };
    const served = await serve(source, environment, { log: plainLog(notes), warmsUp: false });
    const { addresses, adminToken = '' } = served;
    const code = served.app.loginCode(adminToken);
    out.write(introduction(addresses, { ports: [upstream.port, models.port], adminToken, code }));
    return { close: () => served.app.close().finally(clear) };
  } catch (error) {
    await clear();
    throw error;
  }
}

interface Introduced {
  readonly ports: readonly number[];
  readonly adminToken: string;
  readonly code: string;
}

function introduction(
  { gateway, admin, ops }: Addresses,
  { ports, adminToken: token, code }: Introduced,
): string {
  const caller = `-H 'x-quota-org: acme' -H 'x-quota-user: ana'`;
  return `
quotagate demo
  gateway   http://${gateway}
  admin API http://${admin}/v1
  metrics   http://${ops}/metrics
  upstreams http://127.0.0.1:${ports[0]} (a sample location API), http://127.0.0.1:${ports[1]} (a sample of AI APIs)
  admin token ${token}
  console   http://${admin}/console/#code=${code} (logs in once, within five minutes; then with the admin token)

1. A metered request, allowed. Look at the RateLimit header:
curl -i ${caller} 'http://${gateway}/v3/maps/4/8/5'

2. Limit Ana to 5 units of usage:
curl -i -X POST -H 'authorization: Bearer ${token}' -H 'content-type: application/json' -d '{"user":"ana","quota":"usage","units":5}' 'http://${admin}/v1/orgs/acme/limits'

3. A query costs 10 units, so this one is refused, and says why:
curl -i ${caller} 'http://${gateway}/v3/sql?q=select%20count(*)%20from%20cities'

`;
}
