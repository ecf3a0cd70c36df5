// An admin change applies to the next request on every replica, as soon as the admin API has answered.
import { Agent } from 'node:http';
import t, { type Test } from 'tap';
import { admin, as, ask, type RunningGateway, startGateway } from '../support/gateway.js';
import { skipWithoutRedis, startRedis } from '../support/redis.js';
import { TestUpstream } from '../support/upstream.js';
import { startLoad } from './load.js';

const ORGS = `
  acme:
    plans: { usage: { allowance: 1000000 } }
    groups: { crowd: {} }
    users: { ana: {}, ben: {}, eva: {}, guest: { groups: [crowd] }, other: {} }
    limits: [{ group: crowd, quota: usage, units: 5 }]
`;
const LIMIT = '/orgs/acme/limits/usage%3Au%3Aana';
const ALLOWED = { status: 200, code: undefined };
const SPENT = { status: 429, code: 'quota-exceeded' };
const INACTIVE = { status: 403, code: 'inactive-user' };

/** An admin change, and the response that the user gets from then on. */
interface Change {
  readonly user: string;
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  readonly expected: { readonly status: number; readonly code: string | undefined };
}

const lowered = { user: 'ana', method: 'PATCH', path: LIMIT, body: { units: 0.1 }, expected: SPENT };
const raised = { user: 'ana', method: 'PATCH', path: LIMIT, body: { units: 100_000 }, expected: ALLOWED };
const deleted = { user: 'ana', method: 'DELETE', path: LIMIT, expected: ALLOWED };
const created = {
  user: 'ana',
  method: 'POST',
  path: '/orgs/acme/limits',
  body: { user: 'ana', quota: 'usage', units: 1 },
  expected: SPENT,
};
const MEMBER = '/orgs/acme/groups/crowd/members/ben';
const joins = { user: 'ben', method: 'PUT', path: MEMBER, expected: SPENT };
const leaves = { user: 'ben', method: 'DELETE', path: MEMBER, expected: ALLOWED };
const EVA = '/orgs/acme/users/eva';
const deactivated = {
  user: 'eva',
  method: 'PATCH',
  path: EVA,
  body: { status: 'inactive' },
  expected: INACTIVE,
};
const activated = { user: 'eva', method: 'PATCH', path: EVA, body: { status: 'active' }, expected: ALLOWED };

const ROUND: readonly Change[] = [
  created,
  joins,
  raised,
  deactivated,
  lowered,
  leaves,
  raised,
  activated,
  lowered,
  deleted,
];

/** Keeps one connection and counts how often it was opened. */
class CountingAgent extends Agent {
  made = 0;

  constructor() {
    super({ keepAlive: true, maxSockets: 1 });
  }

  override createConnection(...args: Parameters<Agent['createConnection']>) {
    this.made += 1;
    return super.createConnection(...args);
  }
}

interface Replica {
  readonly gateway: RunningGateway;
  readonly asked: CountingAgent;
  readonly administered: CountingAgent;
}

function replicaOf(gateway: RunningGateway): Replica {
  return { gateway, asked: new CountingAgent(), administered: new CountingAgent() };
}

async function askAs(user: string, { gateway, asked }: Replica) {
  const reply = await ask(gateway.gateway, '/v3/unit', { headers: as(user), agent: asked });
  return { status: reply.status, code: reply.headers['quotagate-error'] };
}

async function makeChange(
  t: Test,
  change: Change,
  from: Replica,
  replicas: readonly Replica[],
): Promise<void> {
  const { method, path, body, user, expected } = change;
  const done = await admin(from.gateway.admin, method, path, body, from.administered);
  const answers = await Promise.all(replicas.map((replica) => askAs(user, replica)));
  if (done.status >= 300) t.fail(`${method} ${path}`, { done });
  for (const answer of answers)
    t.strictSame(answer, expected, `${method} ${path} ${JSON.stringify(body ?? '')}`);
}

async function makeChanges(t: Test, gateways: readonly RunningGateway[], changes: number): Promise<void> {
  const replicas = gateways.map(replicaOf);
  const [first] = replicas;
  if (first === undefined) throw new Error('no replica');
  // The guest uses up the group's limit, and ana consumes more than the low limits allow.
  for (let count = 0; count < 5; count += 1) {
    t.strictSame(await askAs('guest', first), ALLOWED);
    for (const replica of replicas) t.strictSame(await askAs('ana', replica), ALLOWED);
  }
  t.strictSame(await askAs('guest', first), SPENT);
  const busy = startLoad({
    gateways: gateways.map(({ gateway }) => gateway),
    connections: 4,
    path: '/v3/unit',
    users: ['other'],
  });
  for (let count = 0; count < changes; count += 1) {
    const change = ROUND[count % ROUND.length];
    const from = replicas[count % replicas.length];
    // The order of the replicas alternates with every round.
    const order = Math.floor(count / ROUND.length) % 2 === 0 ? replicas : replicas.toReversed();
    if (change !== undefined && from !== undefined) await makeChange(t, change, from, order);
  }
  await busy.stop();
  t.strictSame([...busy.counts.keys()], [200], 'no other user was refused');
  for (const { asked, administered } of replicas) {
    t.equal(asked.made, 1, 'one connection for all requests');
    t.equal(administered.made, 1);
    asked.destroy();
    administered.destroy();
  }
}

t.test('admin changes with two replicas on Redis', { skip: skipWithoutRedis }, async (t) => {
  const redis = await startRedis();
  const upstream = await TestUpstream.start();
  const parts = { redis: redis.url, upstream: upstream.url, orgs: ORGS };
  const replicas = [await startGateway(parts), await startGateway(parts)];
  t.teardown(async () => {
    for (const replica of replicas) await replica.close();
    await upstream.close();
    await redis.stop();
  });
  await makeChanges(t, replicas, 200);
});

t.test('admin changes, embedded', async (t) => {
  const upstream = await TestUpstream.start();
  const gateway = await startGateway({ upstream: upstream.url, orgs: ORGS });
  t.teardown(async () => {
    await gateway.close();
    await upstream.close();
  });
  await makeChanges(t, [gateway], 60);
});
