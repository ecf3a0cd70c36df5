/**
 * Three replicas, users who cross 80 and 100 % under load and users who are only refused, while the SMTP server is down for a time and a
 * gateway is killed: what arrives.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { openRedis } from '../../src/ledger/redis/index.js';
import { admin, as, ask, type GatewayProcess, spawnGateway } from '../support/gateway.js';
import { startRedis } from '../support/redis.js';
import { LOGIN, type ReceivedMail, TestSmtp } from '../support/smtp.js';
import { TestUpstream } from '../support/upstream.js';

export interface DeliverySize {
  readonly users: number;
  /** Users who make costly requests only. */
  readonly refusedOnly: number;
  readonly downMs: number;
  /** How long the requests take, without faults. */
  readonly loadMs: number;
}

export interface DeliveryTrial {
  /** What is wrong; empty if nothing is. */
  readonly wrong: readonly string[];
  readonly messages: number;
  readonly repeated: number;
  readonly notices: number;
  /** From the last request, or the end of the outage, to the last message. */
  readonly deliveredMs: number;
}

const REPLICAS = 3;
const CONNECTIONS = 12;
/** Each request costs 1 unit: users cross 80 % at the 8th, 100 % at the 10th, and are refused from then on. */
const LIMIT = 10;
const REQUESTS = 12;
const ADMIN = 'boss@example.com';
const DELIVERED_MAX_MS = 90_000;

export async function tryDelivery(size: DeliverySize): Promise<DeliveryTrial> {
  const folder = mkdtempSync(join(tmpdir(), 'quotagate-notices-'));
  const smtp = new TestSmtp();
  const [redis, upstream] = await Promise.all([startRedis(), TestUpstream.start(), smtp.start()]);
  const parts = { redis: redis.url, upstream: upstream.url, ...(await configOf(smtp, size, folder)) };
  const first = await spawnGateway(parts, folder);
  const others = await Promise.all([spawnGateway(parts, folder), spawnGateway(parts, folder)]);
  const gateways = [first, ...others].slice(0, REPLICAS);
  const ledger = await openRedis({ url: redis.url });
  try {
    await tellAt80(first);
    await loadAndFail(gateways, smtp, size);
    const idleFrom = performance.now();
    await untilDelivered(ledger, idleFrom);
    return judge(smtp.mails, size, performance.now() - idleFrom);
  } finally {
    await ledger.close();
    await Promise.all(gateways.map((gateway) => gateway.stop()));
    await Promise.all([upstream.close(), smtp.stop()]);
    await redis.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

const crossing = ({ users }: DeliverySize): string[] => Array.from({ length: users }, (_, at) => `u${at}`);
const refused = ({ refusedOnly }: DeliverySize): string[] =>
  Array.from({ length: refusedOnly }, (_, at) => `c${at}`);

async function configOf(smtp: TestSmtp, size: DeliverySize, folder: string) {
  const ca = join(folder, 'ca.pem');
  await writeFile(ca, smtp.ca);
  const users = [...crossing(size), ...refused(size)];
  const limits = users.map((user) => ({
    quota: 'usage',
    user,
    units: LIMIT - (user.startsWith('c') ? 5 : 0),
  }));
  const server = {
    host: 'localhost',
    port: smtp.port,
    caFile: ca,
    from: 'quota@example.com',
    ...LOGIN,
    timeoutMs: 3_000,
  };
  const org = {
    plans: { usage: { allowance: 1_000_000, mode: 'hard' } },
    users: { boss: { email: ADMIN, role: 'admin' }, ...Object.fromEntries(users.map((user) => [user, {}])) },
    limits,
  };
  return { quotas: `smtp: ${JSON.stringify(server)}`, orgs: `  acme: ${JSON.stringify(org)}` };
}

async function tellAt80(gateway: GatewayProcess): Promise<void> {
  const settings = {
    thresholds: { users: [80, 100], groups: [], org: [] },
    refusals: { users: true, groups: true, org: true },
    email: { enabled: true, admins: true, recipients: [] },
  };
  const { status } = await admin(gateway.admin, 'PUT', '/orgs/acme/notifications', settings);
  if (status !== 200) throw new Error(`the settings were answered ${status}`);
}

/** The server is slow when a gateway is killed, so that messages are in flight; then it is down. */
async function loadAndFail(gateways: readonly GatewayProcess[], smtp: TestSmtp, size: DeliverySize) {
  const alive = new Set(gateways);
  // One user after the other, so that notices come all the time.
  const requests = [
    ...crossing(size).flatMap((user) => Array.from({ length: REQUESTS }, () => [user, '/v3/unit'] as const)),
    ...refused(size).map((user) => [user, '/v3/sql'] as const),
  ];
  const total = requests.length;
  const pending = requests.reverse();
  const client = async (): Promise<void> => {
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      const [user, path] = next;
      const [gateway] = [...alive].sort(() => Math.random() - 0.5);
      const answered = await ask(gateway?.gateway ?? '', path, { headers: as(user) }).then(
        ({ status }) => status < 500,
        () => false,
      );
      // It may have been charged or not: the user crosses the same thresholds.
      if (!answered) pending.push(next);
      await delay((size.loadMs * CONNECTIONS) / total);
    }
  };
  const clients = Array.from({ length: CONNECTIONS }, client);
  smtp.mode = 'slow';
  smtp.slowMs = 300;
  while (smtp.mails.length === 0) await delay(20);
  const [victim] = gateways;
  if (victim !== undefined) {
    alive.delete(victim);
    await victim.stop('SIGKILL');
  }
  smtp.mode = 'ok';
  while (pending.length > total / 3) await delay(20);
  await smtp.stop();
  await Promise.all([delay(size.downMs), ...clients]);
  await smtp.start();
}

async function untilDelivered(ledger: Awaited<ReturnType<typeof openRedis>>, from: number): Promise<void> {
  while (performance.now() - from < DELIVERED_MAX_MS) {
    const work = await ledger.pendingWork('acme');
    if (work?.firstNotice === '' && work.noticesDue === 0) return;
    await delay(200);
  }
  throw new Error('notices are still waiting');
}

function judge(mails: readonly ReceivedMail[], size: DeliverySize, deliveredMs: number): DeliveryTrial {
  const byId = new Map<string, ReceivedMail>();
  const wrong: string[] = [];
  let repeated = 0;
  for (const mail of mails) {
    const before = byId.get(mail.messageId);
    if (before !== undefined) {
      repeated += 1;
      if (before.text !== mail.text) wrong.push(`${mail.messageId} came again with another text`);
    }
    byId.set(mail.messageId, mail);
    if (mail.to !== ADMIN) wrong.push(`a message to ${mail.to}`);
  }
  // What was in flight at the kill: one message at a time goes to one address.
  if (repeated > 1) wrong.push(`${repeated} messages came again`);
  const counts = new Map<string, number>();
  for (const { text } of byId.values())
    for (const [, user, what] of text.matchAll(/^User (\w+) (reached \d+ %|was refused)/gm))
      counts.set(`${user} ${what}`, (counts.get(`${user} ${what}`) ?? 0) + 1);
  const expected = [
    ...crossing(size).flatMap((user) =>
      ['reached 80 %', 'reached 100 %', 'was refused'].map((what) => `${user} ${what}`),
    ),
    ...refused(size).map((user) => `${user} was refused`),
  ];
  for (const one of expected) {
    const count = counts.get(one) ?? 0;
    if (count !== 1) wrong.push(`${one}: in ${count} messages`);
    counts.delete(one);
  }
  for (const one of counts.keys()) wrong.push(`unexpected: ${one}`);
  return { wrong, messages: byId.size, repeated, notices: expected.length, deliveredMs };
}
