/**
 * `npm run try:upgrade -- <folder>`: three gateways of the build in the folder serve on one Redis, under load. They are replaced by gateways
 * of this build one by one, and then back. Callers keep to the gateways that are ready, as behind a load balancer. Every request is answered,
 * and responses, requests at the upstream and units in the ledger are the same number at every step, up to the last unit of the pool.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { admin, as, ask, type GatewayProcess, spawnGateway } from '../support/gateway.js';
import { startRedis } from '../support/redis.js';

const REPLICAS = 3;
const CONNECTIONS = 24;
const USERS = 50;
/** Between two replacements. */
const SERVES_MS = 1_500;
/** What is left of the pool at the end, and more requests than that. */
const LEFT = 200;
const LAST_REQUESTS = 400;
/** Units of a request whose cost the upstream states. */
const STATED = 2;
const ROUTES = `
  - { match: GET /unit, action: unit, upstream: up, charges: [{ quota: usage, units: 1 }] }
  - match: GET /stated
    action: stated
    upstream: up
    charges: [{ quota: usage, units: { responseHeader: x-cost }, hold: 5 }]
`;
const ORGS = `
  acme:
    cycle: { every: year, anchor: 101, timeZone: UTC }
    plans: { usage: { allowance: 1000000 } }
    users:
${Array.from({ length: USERS }, (_, user) => `      u${user}: {}`).join('\n')}
`;

interface Counts {
  answered: number;
  refused: number;
  other: number;
  units: number;
}

interface Fleet {
  readonly gateways: GatewayProcess[];
  /** Starts a gateway: of this build, or of the one in the folder. */
  start(build: Build): Promise<GatewayProcess>;
}

type Build = 'this build' | 'the other build';

async function startUpstream(): Promise<{ readonly server: Server; readonly url: string; served(): number }> {
  let units = 0;
  const server = createServer((request, response) => {
    request.resume();
    const isStated = request.url === '/stated';
    units += isStated ? STATED : 1;
    response.writeHead(200, isStated ? { 'x-cost': String(STATED) } : {}).end('{}');
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, served: () => units };
}

/** One request on a gateway of the fleet: every fifth with a cost that is known later. */
async function request(fleet: Fleet, number: number, agent: Agent, counts: Counts): Promise<void> {
  const gateway = fleet.gateways[number % fleet.gateways.length]?.gateway ?? '';
  const isStated = number % 5 === 0;
  const { status } = await ask(gateway, isStated ? '/stated' : '/unit', {
    headers: as(`u${number % USERS}`),
    agent,
  }).catch(() => ({ status: 0 }));
  if (status === 200) {
    counts.answered += 1;
    counts.units += isStated ? STATED : 1;
  } else if (status === 429) counts.refused += 1;
  else counts.other += 1;
}

/** Keeps sending until it is stopped. */
function load(fleet: Fleet): { stop(): Promise<Counts> } {
  const counts: Counts = { answered: 0, refused: 0, other: 0, units: 0 };
  let goesOn = true;
  let sent = 0;
  const connection = async (): Promise<void> => {
    const agent = new Agent({ keepAlive: true });
    while (goesOn) {
      sent += 1;
      await request(fleet, sent, agent, counts);
    }
    agent.destroy();
  };
  const connections = Promise.all(Array.from({ length: CONNECTIONS }, connection));
  return {
    async stop() {
      goesOn = false;
      await connections;
      return counts;
    },
  };
}

async function replaceAll(fleet: Fleet, build: Build): Promise<void> {
  for (let index = 0; index < REPLICAS; index += 1) {
    const leaving = fleet.gateways.shift();
    fleet.gateways.push(await fleet.start(build));
    const code = await leaving?.stop();
    if (code !== 0) throw new Error(`a gateway ended with ${code}`);
    await after(SERVES_MS);
  }
}

async function consumed(fleet: Fleet): Promise<{ consumed: number; held: number }> {
  for (let tries = 0; ; tries += 1) {
    const { body } = await admin(fleet.gateways[0]?.admin ?? '', 'GET', '/orgs/acme/usage');
    const [usage] = (body as { org: [{ consumed: number; held: number }] }).org;
    // Costs are settled after the response.
    if (usage.held === 0 || tries === 50) return usage;
    await after(100);
  }
}

/** Whether the counters agree with journal and history, by `quotagate verify`. */
function isVerified(configFile: string): boolean {
  const program = fileURLToPath(new URL('../../src/main.js', import.meta.url));
  return (
    spawnSync(process.execPath, [program, 'verify', '-c', configFile], { stdio: 'inherit' }).status === 0
  );
}

async function main(folder: string): Promise<boolean> {
  const work = mkdtempSync(join(tmpdir(), 'quotagate-upgrade-'));
  const redis = await startRedis();
  const upstream = await startUpstream();
  const parts = {
    upstream: upstream.url,
    redis: redis.url,
    orgs: ORGS,
    routes: ROUTES,
    server: ', drainMs: 300',
  };
  const other = join(resolve(folder), 'dist/src/main.js');
  const fleet: Fleet = {
    gateways: [],
    start: (build) => spawnGateway(build === 'this build' ? parts : { ...parts, program: other }, work),
  };
  let isRight = true;
  const check = async (what: string, { answered, refused, other, units }: Counts): Promise<void> => {
    const ledger = await consumed(fleet);
    const same = ledger.consumed === units && upstream.served() === units && ledger.held === 0;
    isRight &&= same && other === 0;
    process.stdout.write(
      `${what}: ${answered} answered, ${refused} refused, ${other} without an answer of the upstream or a refusal; units: ` +
        `${units} answered, ${upstream.served()} served, ${ledger.consumed} consumed, ${ledger.held} held\n`,
    );
  };
  try {
    for (let index = 0; index < REPLICAS; index += 1)
      fleet.gateways.push(await fleet.start('the other build'));
    const running = load(fleet);
    await after(SERVES_MS);
    await replaceAll(fleet, 'this build');
    await replaceAll(fleet, 'the other build');
    const counts = await running.stop();
    await check('replaced, and back', counts);
    await replaceAll(fleet, 'this build');
    const { units } = counts;
    await admin(fleet.gateways[0]?.admin ?? '', 'PUT', '/orgs/acme/plans/usage', { allowance: units + LEFT });
    const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
    // Odd numbers of each five cost one unit, so that the last unit is taken.
    const numbers = Array.from({ length: LAST_REQUESTS }, (_, number) => number * 5 + 1);
    await Promise.all(numbers.map((number) => request(fleet, number, agent, counts)));
    agent.destroy();
    await check('the last units of the pool', counts);
    isRight &&= counts.units === units + LEFT && isVerified(fleet.gateways[0]?.file ?? '');
  } finally {
    await Promise.all(fleet.gateways.map((gateway) => gateway.stop()));
    upstream.server.closeAllConnections();
    upstream.server.close();
    await redis.stop();
    rmSync(work, { recursive: true, force: true });
  }
  return isRight;
}

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error('which build? npm run try:upgrade -- <folder of the other build>');
process.exitCode = (await main(folder)) ? 0 : 1;
