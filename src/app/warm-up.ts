/**
 * Runs the path of a request before the process is ready, on parts of its own: a gateway on loopback, a ledger in memory, an upstream
 * that always answers the same. Node compiles code while it first runs. A fresh process that gets a hundred requests at once would
 * need longer for them than a decision may take. The metrics, the log, the orgs and the upstreams of the config see nothing of it.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { pino } from 'pino';
import { createOrg } from '../admin/index.js';
import { loadConfig } from '../config/load.js';
import type { Config } from '../config/schema.js';
import { buildGateway } from '../gateway/gateway.js';
import { ChargedCalls } from '../gateway/replays.js';
import { StoreBatcher } from '../ledger/batching/index.js';
import { openEmbedded } from '../ledger/embedded/index.js';
import type { Ledger } from '../ledger/port.js';
import { Metrics } from '../observe/metrics.js';
import { RequestTelemetry } from '../observe/pipeline-observer.js';
import { RequestLog } from '../observe/request-log.js';
import { buildStages, retireStages } from './build-stages.js';

/** CPU time: on a busy machine, what it takes by the clock would not be enough. */
const BUDGET_MS = 250;
/** What a start may take longer for it, at most. */
const LONGEST_MS = 1_000;
const CONNECTIONS = 16;
const ORG = 'warm-up';
/** No org can have this name, so the store answers that it does not know it. */
const UNKNOWN_ORG = '*warm-up*';
const ANSWER = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}';
const REQUEST = [
  'GET /warm-up HTTP/1.1',
  'host: localhost',
  `x-org: ${ORG}`,
  'x-user: user',
  'accept: application/json',
  '',
  '',
].join('\r\n');

/** Resolves when the time is over, or if it fails: a start does not depend on it. */
export async function warmUp(ledger: Ledger, onFailure: (error: unknown) => void): Promise<void> {
  const budget = startBudget();
  await Promise.all([askStore(ledger, budget), askGateway(budget)]).catch(onFailure);
}

/** Whether there is time left. */
type Budget = () => boolean;

function startBudget(): Budget {
  const until = performance.now() + LONGEST_MS;
  const began = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(began);
    return (user + system) / 1_000 < BUDGET_MS && performance.now() < until;
  };
}

/** Calls that change nothing. The embedded ledger is run by the gateway below. */
async function askStore(ledger: Ledger, hasTime: Budget): Promise<void> {
  if (ledger.name === 'embedded') return;
  const charges = { action: ORG, items: [{ quota: ORG, units: 1, kind: 'fixed' }] } as const;
  const op = { kind: 'reserve', user: ORG, claims: '', charges, hold: '', ttlMs: 0 } as const;
  const call = { org: UNKNOWN_ORG, epoch: '', producer: '', seq: 0, ruleVersion: 0, cycles: [] };
  while (hasTime()) await ledger.apply({ ...call, unknownUsers: 'deny', expireMost: 0, ops: [op] });
}

async function askGateway(hasTime: Budget): Promise<void> {
  const upstream = createServer((socket) => {
    socket.on('data', () => socket.write(ANSWER));
    socket.on('error', () => undefined);
  });
  const ledger = await openEmbedded();
  try {
    const config = scratchConfig(await portOf(upstream));
    const { gateway, close } = await scratchGateway(config, ledger);
    try {
      await gateway.app.listen({ host: '127.0.0.1', port: 0 });
      const { port } = gateway.app.server.address() as AddressInfo;
      await Promise.all(Array.from({ length: CONNECTIONS }, () => keepAsking(port, hasTime)));
    } finally {
      await close();
    }
  } finally {
    upstream.close();
    await ledger.close();
  }
}

async function portOf(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

function scratchConfig(upstreamPort: number): Config {
  const config = {
    store: { embedded: {} },
    identity: { trusted: { peers: ['127.0.0.1/32'], org: 'x-org', user: 'x-user' } },
    quotas: { usage: { unit: 'units', decimals: 1 } },
    upstreams: { scratch: { url: `http://127.0.0.1:${upstreamPort}` } },
    routes: [
      {
        match: 'GET /warm-up',
        action: ORG,
        upstream: 'scratch',
        charges: [{ quota: 'usage', units: 1 }],
      },
    ],
    orgs: { [ORG]: { plans: { usage: { allowance: 1_000_000 } } } },
  };
  return loadConfig(JSON.stringify(config), {});
}

async function scratchGateway(config: Config, ledger: Ledger) {
  for (const [id, seed] of Object.entries(config.orgs))
    await createOrg(ledger, { id, seed, quotas: config.quotas });
  const ignore = (): undefined => undefined;
  const logger = pino({ level: 'silent' });
  const metrics = new Metrics({ quotas: config.quotas, state: ignore });
  const { deadlineMs } = config.store;
  const batcher = new StoreBatcher({
    ledger,
    deadlineMs,
    unknownUsers: 'register',
    observer: metrics.store,
  });
  const observer = new RequestTelemetry(metrics, new RequestLog(logger, ignore));
  const own = { config, environment: {}, ledger, batcher, metrics, observer, logger, onError: ignore };
  const stages = buildStages({ ...own, chargedCalls: new ChargedCalls() });
  const gateway = buildGateway({
    enter: (request, response) => stages.pipeline.enter(request, response),
    me: stages.me,
    history: stages.history,
    quotaPath: config.quotaPath,
    clients: config.server.clients,
    onError: ignore,
  });
  const close = async (): Promise<void> => {
    await gateway.app.close();
    await retireStages(stages);
    await batcher.drain(BUDGET_MS);
  };
  return { gateway, close };
}

/** Sends a request after each answer. */
async function keepAsking(port: number, hasTime: Budget): Promise<void> {
  const socket = connect(port, '127.0.0.1').setTimeout(LONGEST_MS, () => socket.destroy());
  const ended = once(socket, 'close');
  const ask = (): void => {
    if (hasTime()) socket.write(REQUEST);
    else socket.destroy();
  };
  socket.on('connect', ask).on('data', ask);
  await ended;
}
