// A group in a header or claim that the org does not have is counted and logged once, or refused.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { comesToBe } from '../observe/support.js';
import { as, ask, type ConfigParts, spawnGateway } from '../support/gateway.js';
import { TestUpstream } from '../support/upstream.js';

const ORGS = `
  acme:
    plans: { usage: { allowance: 100 } }
    groups: { eng: {} }
    limits: [{ group: eng, quota: usage, units: 5 }]
`;
const IGNORED = 'quotagate_unknown_groups_total{outcome="ignored"}';
const DENIED = 'quotagate_unknown_groups_total{outcome="denied"}';

async function running(t: Test, parts: Partial<ConfigParts> = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'quotagate-groups-'));
  const upstream = await TestUpstream.start();
  const gateway = await spawnGateway({ upstream: upstream.url, orgs: ORGS, ...parts }, folder);
  t.teardown(async () => {
    await gateway.stop();
    await upstream.close();
    rmSync(folder, { recursive: true });
  });
  const send = (groups: string) =>
    ask(gateway.gateway, '/v3/unit', { headers: { ...as('ana'), 'x-quota-groups': groups } });
  const named = () => gateway.log.filter(({ event }) => event === 'unknown_group').map(({ group }) => group);
  return { gateway, send, named };
}

t.test('ignored groups are counted, and each is logged once', async (t) => {
  const { gateway, send, named } = await running(t);
  for (const groups of ['eng', 'Eng', 'Eng, eng', 'eng,enng,Eng', ''])
    t.equal((await send(groups)).status, 200);
  await comesToBe(t, gateway.ops, { [IGNORED]: 3, [DENIED]: 0 });
  t.same(named(), ['Eng', 'enng']);
});

t.test('the number of logged groups is bounded', async (t) => {
  const { gateway, send, named } = await running(t);
  for (let at = 0; at < 6; at += 1)
    await send(Array.from({ length: 60 }, (_, index) => `made-up-${at}-${index}`).join(','));
  await comesToBe(t, gateway.ops, { [IGNORED]: 6 });
  t.equal(named().length, 256);
});

t.test('with `unknownGroups: deny` the request is refused by name and not charged', async (t) => {
  const { gateway, send, named } = await running(t, { identity: 'unknownGroups: deny' });
  const refused = await send('eng,Eng');
  t.equal(refused.status, 403);
  t.match(JSON.parse(refused.body), { code: 'unknown-group', detail: /no group Eng$/ });
  for (let times = 0; times < 5; times += 1)
    t.equal((await send('eng')).status, 200, 'the refused request was not charged');
  t.equal((await send('eng')).status, 429);
  await comesToBe(t, gateway.ops, { [IGNORED]: 0, [DENIED]: 1 });
  t.same(named(), ['Eng']);
});
