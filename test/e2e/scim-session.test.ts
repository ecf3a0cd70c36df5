// A directory's session through the admin API: after each of its steps, the next request through the gateway meets the
// right limits.
import t, { type Test } from 'tap';
import { admin, as, ask, type RunningGateway, startGateway } from '../support/gateway.js';
import { skipWithoutRedis, startRedis } from '../support/redis.js';
import { TestUpstream } from '../support/upstream.js';

const USERS = Array.from({ length: 50 }, (_, index) => `user${String(index).padStart(2, '0')}@example.com`);
const GROUPS = ['Maps', 'Tiles', 'Routing', 'Search', 'Data & Insights'];
const GROUP_IDS = ['maps', 'tiles', 'routing', 'search', 'data-insights'];
const PATCH_OP = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';

const ORGS = `
  acme:
    seats: 50
    plans: { usage: { allowance: 100000 } }
`;

function reasonIn(body: string): string {
  const { scope, code } = JSON.parse(body) as { readonly scope?: string; readonly code: string };
  return scope ?? code;
}

async function playSession(t: Test, gateways: readonly [RunningGateway, RunningGateway]): Promise<void> {
  const [gateway, other] = gateways;
  const call = async (method: string, path: string, body?: object) => {
    const answer = await admin(gateway.admin, method, path, body);
    return { status: answer.status, body: answer.body as Record<string, unknown> };
  };
  const scim = async (method: string, path: string, body?: object) => {
    const { status, body: answer } = await call(method, `/orgs/acme/scim/v2${path}`, body);
    if (status >= 400) throw new Error(`${method} ${path}: ${status} ${JSON.stringify(answer)}`);
    return answer;
  };
  const patch = (path: string, ...operations: object[]) =>
    scim('PATCH', path, { schemas: [PATCH_OP], Operations: operations });
  /** Whether the user's next requests, one on each replica, are admitted. */
  const spend = async (user: string): Promise<string> => {
    const answers = [];
    for (const one of [gateway, other])
      answers.push(await ask(one.gateway, '/v3/unit', { headers: as(user) }));
    return answers.map(({ status, body }) => (status === 200 ? 'ok' : reasonIn(body))).join();
  };

  for (const userName of USERS) {
    t.equal(
      (await scim('GET', `/Users?filter=${encodeURIComponent(`userName eq "${userName}"`)}`)).totalResults,
      0,
    );
    await scim('POST', '/Users', { userName, externalId: `x-${userName}`, active: true });
  }
  const full = await call('POST', '/orgs/acme/scim/v2/Users', { userName: 'one-more' });
  t.equal(full.status, 409, 'no seat is left');
  for (const [index, displayName] of GROUPS.entries()) {
    const members = USERS.slice(index * 10, index * 10 + 10).map((value) => ({ value }));
    t.equal((await scim('POST', '/Groups', { displayName, members })).id, GROUP_IDS[index]);
    // Each group may consume as many units as its number, with 2 more.
    const limit = { group: GROUP_IDS[index], quota: 'usage', units: index + 3 };
    t.equal((await call('POST', '/orgs/acme/limits', limit)).status, 201);
  }
  const [first = '', second = '', third = ''] = USERS;
  const inTiles = USERS[10] ?? '';
  t.equal(await spend(first), 'ok,ok', 'maps: 2 of 3');
  t.equal(await spend(second), 'ok,group', 'maps: 3 of 3');
  t.equal(await spend(third), 'group,group', 'every member is blocked');
  t.equal(await spend(inTiles), 'ok,ok', 'tiles: 2 of 4');

  // From maps to tiles, as Okta moves; and back to none, as Entra ID does.
  await patch('/Groups/maps', { op: 'remove', path: `members[value eq "${third}"]` });
  t.equal(await spend(third), 'ok,ok', 'in no group');
  await patch('/Groups/tiles', { op: 'add', path: 'members', value: [{ value: third }] });
  t.equal(await spend(third), 'ok,ok', 'tiles: 4 of 4');
  t.equal(await spend(inTiles), 'group,group');
  await patch('/Groups/tiles', { op: 'Remove', path: 'members', value: [{ $ref: null, value: third }] });
  t.equal(await spend(third), 'ok,ok');
  t.equal(await spend(inTiles), 'group,group', 'what the leaver consumed stays the group’s');

  await patch(`/Users/${third}`, { op: 'Replace', path: 'active', value: 'False' });
  t.equal(await spend(third), 'inactive-user,inactive-user');
  await patch(`/Users/${third}`, { op: 'replace', value: { active: true } });
  t.equal(await spend(third), 'ok,ok');
  await scim('DELETE', `/Users/${third}`);
  t.equal(await spend(third), 'inactive-user,inactive-user');
  await scim('POST', '/Users', { userName: third });
  t.equal(await spend(third), 'ok,ok');
  await patch('/Groups/maps', { op: 'replace', value: { displayName: 'Cartography' } });
  t.equal(await spend(first), 'group,group', 'a renamed group keeps its limit');
  await scim('DELETE', '/Groups/maps');
  t.equal(await spend(first), 'ok,ok', 'a deleted group has none');
  const overview = await call('GET', '/orgs/acme');
  t.equal(overview.body.seatsUsed, 50);
}

t.test('limits follow the directory on the next request (embedded)', async (t) => {
  const upstream = await TestUpstream.start();
  const gateway = await startGateway({ upstream: upstream.url, orgs: ORGS });
  t.teardown(async () => {
    await gateway.close();
    await upstream.close();
  });
  await playSession(t, [gateway, gateway]);
});

t.test(
  'limits follow the directory on the next request (redis, two replicas)',
  { skip: skipWithoutRedis },
  async (t) => {
    const upstream = await TestUpstream.start();
    const redis = await startRedis();
    const parts = { upstream: upstream.url, redis: redis.url, orgs: ORGS };
    const [one, two] = [await startGateway(parts), await startGateway(parts)];
    t.teardown(async () => {
      await Promise.all([one.close(), two.close()]);
      await redis.stop();
      await upstream.close();
    });
    await playSession(t, [one, two]);
  },
);
