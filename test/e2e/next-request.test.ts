// What an admin changes holds for the request that leaves when the admin's answer arrives, on every replica: 200 times.
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

/** An admin's act, and how the user is answered from then on. */
interface Turn {
  readonly user: string;
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  readonly told: { readonly status: number; readonly code: string | undefined };
}

const lowered = { user: 'ana', method: 'PATCH', path: LIMIT, body: { units: 0.1 }, told: SPENT };
const raised = { user: 'ana', method: 'PATCH', path: LIMIT, body: { units: 100_000 }, told: ALLOWED };
const deleted = { user: 'ana', method: 'DELETE', path: LIMIT, told: ALLOWED };
const created = {
  user: 'ana',
  method: 'POST',
  path: '/orgs/acme/limits',
  body: { user: 'ana', quota: 'usage', units: 1 },
  told: SPENT,
};
const MEMBER = '/orgs/acme/groups/crowd/members/ben';
const joins = { user: 'ben', method: 'PUT', path: MEMBER, told: SPENT };
const leaves = { user: 'ben', method: 'DELETE', path: MEMBER, told: ALLOWED };
const EVA = '/orgs/acme/users/eva';
const deactivated = {
  user: 'eva',
  method: 'PATCH',
  path: EVA,
  body: { status: 'inactive' },
  told: INACTIVE,
};
const activated = { user: 'eva', method: 'PATCH', path: EVA, body: { status: 'active' }, told: ALLOWED };

const ROUND: readonly Turn[] = [
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

/** One connection that stays, and counts how often it had to be made. */
class Warm extends Agent {
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
  readonly asked: Warm;
  readonly administered: Warm;
}

function replicaOf(gateway: RunningGateway): Replica {
  return { gateway, asked: new Warm(), administered: new Warm() };
}

async function askAs(user: string, { gateway, asked }: Replica) {
  const reply = await ask(gateway.gateway, '/v3/unit', { headers: as(user), agent: asked });
  return { status: reply.status, code: reply.headers['quotagate-error'] };
}

async function take(t: Test, turn: Turn, from: Replica, replicas: readonly Replica[]): Promise<void> {
  const { method, path, body, user, told } = turn;
  const done = await admin(from.gateway.admin, method, path, body, from.administered);
  const answers = await Promise.all(replicas.map((replica) => askAs(user, replica)));
  if (done.status >= 300) t.fail(`${method} ${path}`, { done });
  for (const answer of answers) t.strictSame(answer, told, `${method} ${path} ${JSON.stringify(body ?? '')}`);
}

async function takeTurns(t: Test, gateways: readonly RunningGateway[], turns: number): Promise<void> {
  const replicas = gateways.map(replicaOf);
  const [first] = replicas;
  if (first === undefined) throw new Error('no replica');
  // The group's limit is used up by its guest, and ana has more behind her than the low limits leave.
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
  for (let count = 0; count < turns; count += 1) {
    const turn = ROUND[count % ROUND.length];
    const from = replicas[count % replicas.length];
    // Beside each other, the order in which the replicas are asked changes with every round.
    const order = Math.floor(count / ROUND.length) % 2 === 0 ? replicas : replicas.toReversed();
    if (turn !== undefined && from !== undefined) await take(t, turn, from, order);
  }
  await busy.stop();
  t.strictSame([...busy.counts.keys()], [200], 'nobody else was refused');
  for (const { asked, administered } of replicas) {
    t.equal(asked.made, 1, 'the connection stayed');
    t.equal(administered.made, 1);
    asked.destroy();
    administered.destroy();
  }
}

t.test('two replicas on Redis', { skip: skipWithoutRedis }, async (t) => {
  const redis = await startRedis();
  const upstream = await TestUpstream.start();
  const parts = { redis: redis.url, upstream: upstream.url, orgs: ORGS };
  const replicas = [await startGateway(parts), await startGateway(parts)];
  t.teardown(async () => {
    for (const replica of replicas) await replica.close();
    await upstream.close();
    await redis.stop();
  });
  await takeTurns(t, replicas, 200);
});

t.test('embedded', async (t) => {
  const upstream = await TestUpstream.start();
  const gateway = await startGateway({ upstream: upstream.url, orgs: ORGS });
  t.teardown(async () => {
    await gateway.close();
    await upstream.close();
  });
  await takeTurns(t, [gateway], 60);
});
