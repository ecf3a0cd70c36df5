// An invitation by mail reaches its user once, from gateways that run with `smtp`; without it, it is refused.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { admin, startGateway } from '../support/gateway.js';
import { skipWithoutRedis, startRedis } from '../support/redis.js';
import { LOGIN, startSmtp } from '../support/smtp.js';
import { TestUpstream } from '../support/upstream.js';

const ORGS = `
  acme:
    name: Acme
    cycle: { every: month, anchor: 1, timeZone: UTC }
    plans: { usage: { allowance: 100 } }
`;
const EVE = { id: 'eve', email: 'eve@example.com', mail: true };

t.test('invitations by mail from two replicas', { skip: skipWithoutRedis }, async (t) => {
  const redis = await startRedis();
  const upstream = await TestUpstream.start();
  const smtp = await startSmtp(t);
  const ca = join(t.testdir(), 'ca.pem');
  writeFileSync(ca, smtp.ca);
  const server = { host: 'localhost', port: smtp.port, from: 'quota@example.com', caFile: ca, ...LOGIN };
  const parts = { redis: redis.url, upstream: upstream.url, orgs: ORGS };
  const withMail = { ...parts, quotas: `smtp: ${JSON.stringify(server)}` };
  const replicas = [await startGateway(withMail), await startGateway(withMail)];
  const without = await startGateway(parts);
  t.teardown(async () => {
    for (const gateway of [...replicas, without]) await gateway.close();
    await upstream.close();
    await redis.stop();
  });
  const refused = await admin(without.admin, 'POST', '/orgs/acme/users', EVE);
  t.match(refused, { status: 422, body: { errors: [{ field: 'mail' }] } });
  await without.close();

  const [first] = replicas;
  const added = await admin(first?.admin ?? '', 'POST', '/orgs/acme/users', EVE);
  t.match(added, { status: 201, body: { status: 'invited' } });
  for (let waited = 0; smtp.mails.length === 0 && waited < 20_000; waited += 100) await delay(100);
  await delay(3_000);
  t.equal(smtp.mails.length, 1);
  t.match(smtp.mails[0], { to: EVE.email, subject: '[Acme] You are invited to Acme', secured: true });
});
