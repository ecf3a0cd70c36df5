// A process is killed in the middle of a large change: nothing of it takes effect, the next one succeeds, and nothing is left over.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import t, { type Test } from 'tap';
import { commitAll } from '../../src/ledger/large-commit.js';
import { type Change, STAGING_IDLE_MS } from '../../src/ledger/port.js';
import { scanAll } from '../../src/ledger/scan-all.js';
import { visitOrg } from '../../src/maintenance/visit.js';
import {
  BEGIN_MS,
  type ClockedLedger,
  fixed,
  incr,
  openClockedMemory,
  openClockedRedis,
  reserve,
  serverOfFile,
  set,
  TestOrg,
} from '../support/ledgers.js';
import { skipWithoutRedis } from '../support/redis.js';

const USERS = 1_000;
const SETUP = {
  plans: { usage: 1_000_000 },
  users: { ana: 'a:' },
  limits: { 'usage:u:ana': 5 },
  seats: 5_000,
};
/** An embedded ledger writes its disk behind the answers, within a second. */
const BEHIND_MS = 1_500;
const [, , role, store = '', point = ''] = process.argv;

const names = Array.from({ length: USERS }, (_, index) => `u${index}`);
const CHANGES: readonly Change[] = [
  ...names.map((name) => set('members', name, 'a:')),
  ...names.map((name) => set('limits', `usage:u:${name}`, 3)),
  set('limits', 'usage:u:ana', 1),
  incr('org', 'seatsUsed', USERS),
];

const isRedis = (where: string): boolean => where.startsWith('unix:');

/** `where`: the URL of a Redis, where `prefix` keeps the data of tests apart, or the folder of an embedded ledger. */
function open(where: string, prefix: string): Promise<ClockedLedger> {
  return isRedis(where) ? openClockedRedis(where, prefix) : openClockedMemory(where);
}

/** In a process of its own: begins a large change, and waits for its end at `point`. */
async function writeUntilKilled(): Promise<void> {
  const { ledger, setClock } = await open(store, point);
  await setClock(BEGIN_MS);
  let pieces = 0;
  const reached = async (): Promise<never> => {
    await new Promise((resolve) => setTimeout(resolve, isRedis(store) ? 0 : BEHIND_MS));
    process.stdout.write('reached\n');
    return new Promise(() => undefined);
  };
  const stage: typeof ledger.stage = async (...args) => {
    pieces += 1;
    return point === 'pieces' && pieces === 8 ? reached() : ledger.stage(...args);
  };
  const endStaging: typeof ledger.endStaging = (...args) =>
    point === 'switched' ? reached() : ledger.endStaging(...args);
  const stopping = Object.assign(Object.create(ledger), { stage, endStaging });
  await commitAll(stopping, 'acme', { changes: CHANGES, audit: 'large' });
}

async function killAt(where: string, at: 'pieces' | 'switched'): Promise<void> {
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), 'write', where, at], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise((resolve) => child.once('close', resolve));
  await new Promise((resolve) => child.stdout.once('data', resolve));
  child.kill('SIGKILL');
  await ended;
}

/** Fields of stagings in a Redis. */
async function leftIn(where: string, prefix: string): Promise<string[]> {
  const client = new Redis(where.replace(/^unix:\/\//, ''), { protocol: 2 });
  const tables = await client.keys(`${prefix}:*acme*`);
  const left: string[] = [];
  for (const key of tables)
    if ((await client.type(key)) === 'hash')
      left.push(...(await client.hkeys(key)).filter((field) => /^!\d+:/.test(field)));
  client.disconnect();
  return left;
}

async function seed(where: string, prefix: string): Promise<void> {
  const clocked = await open(where, prefix);
  const testOrg = new TestOrg(clocked.ledger, 'acme', clocked.setClock);
  await testOrg.seed(SETUP);
  await testOrg.commit(set('org', 'rule', '{"every":"hour","anchor":0,"timeZone":"UTC"}'));
  await clocked.close();
}

const admitted = async (testOrg: TestOrg, user: string, units: number): Promise<string> =>
  (await testOrg.call([reserve(user, fixed('usage', units))]))[0]?.status ?? '';

async function killedInPieces(t: Test, where: string): Promise<void> {
  await seed(where, 'pieces');
  await killAt(where, 'pieces');
  const { ledger, setClock, close } = await open(where, 'pieces');
  t.teardown(close);
  const testOrg = new TestOrg(ledger, 'acme', setClock);
  await testOrg.at(BEGIN_MS);
  t.equal((await scanAll(ledger, 'acme', 'members')).size, 1, 'no user is there');
  t.same(await testOrg.fields('limits'), { 'usage:u:ana': '5' });
  t.same(await testOrg.texts('audit'), []);
  t.equal(await admitted(testOrg, 'ana', 4), 'admitted', 'the old limit holds');
  t.not((await ledger.pendingWork('acme'))?.stagingAt, 0, 'its pieces are there');
  await testOrg.at(BEGIN_MS + STAGING_IDLE_MS);
  await visitOrg('acme', { ledger, againMs: 1_000 });
  t.equal((await ledger.pendingWork('acme'))?.stagingAt, 0, 'maintenance has deleted them');
  if (isRedis(where)) t.same(await leftIn(where, 'pieces'), []);
  t.ok(await commitAll(ledger, 'acme', { changes: CHANGES, audit: 'again' }), 'a later run succeeds');
  t.equal((await scanAll(ledger, 'acme', 'members')).size, USERS + 1);
  t.equal(await testOrg.orgField('seatsUsed'), String(USERS + 1));
  t.same(await testOrg.texts('audit'), ['again']);
}

async function killedAfterSwitch(t: Test, where: string): Promise<void> {
  await seed(where, 'switched');
  await killAt(where, 'switched');
  const { ledger, setClock, close } = await open(where, 'switched');
  t.teardown(close);
  const testOrg = new TestOrg(ledger, 'acme', setClock);
  await testOrg.at(BEGIN_MS);
  t.equal(await admitted(testOrg, 'ana', 2), 'refused', 'the whole change has its effect');
  t.equal(await admitted(testOrg, 'u999', 3), 'admitted');
  t.equal(await testOrg.orgField('seatsUsed'), String(USERS + 1));
  await visitOrg('acme', { ledger, againMs: 1_000 });
  t.equal(await testOrg.orgField('state'), 'open', 'maintenance has moved it into place');
  t.equal(Object.keys(await testOrg.fields('limits')).length, USERS + 1);
  if (isRedis(where)) t.same(await leftIn(where, 'switched'), []);
  t.same(await testOrg.texts('audit'), ['large']);
}

if (role === 'write') await writeUntilKilled();
else
  for (const [title, check] of [
    ['killed while its pieces are written', killedInPieces],
    ['killed before it is moved into place', killedAfterSwitch],
  ] as const) {
    t.test(`${title} (embedded)`, (t) => check(t, join(t.testdir({}), 'data')));
    t.test(`${title} (redis)`, { skip: skipWithoutRedis }, async (t) => check(t, (await serverOfFile()).url));
  }
