// Random histories: both ledgers give the same answers and end as the same orgs, and the invariants of an org hold throughout.
import t from 'tap';
import { type Reply, STAGING_IDLE_MS } from '../../src/ledger/port.js';
import { FULL_PATH_ONLY, openClockedMemory, openClockedStore } from '../support/ledgers.js';
import { skipWithoutRedis } from '../support/redis.js';
import { Admin } from './histories/admin.js';
import { EXPECTED } from './histories/expected.js';
import { Gateway } from './histories/gateway.js';
import { checkConsumed, checkHeld, checkSeats, stateOf } from './histories/invariants.js';
import { Broken, Pair } from './histories/pair.js';
import { Random, Tally } from './histories/random.js';
import { Stager } from './histories/stager.js';
import { BEGIN_MS, CYCLE_MS, cycleAt, firstChanges, SCALES } from './histories/world.js';

const HISTORIES = Number(process.env.HISTORIES ?? 300);
const OPERATIONS = 200;
const TIMEOUT_MS = 240_000;
const ORGS = 2;
/** Histories under way at once: each waits for Redis most of the time. */
const WORKERS = 8;
const HITS_LEAST = 50;
/** A call that is reported and needs nothing of the full path; a journal with folded entries that a target lacks. */
const RARE = ['common path: admitted, reported', 'journal entries lost'];
const RARE_LEAST = 10;

/** SEED=<seed> repeats a run, SEED=<seed>:<history> one history of it. */
const [seedText = String(Date.now() % 1_000_000_000), only] =
  (process.env.SEED ?? undefined)?.split(':') ?? [];
const SEED = Number(seedText);

/** Where the store's clock goes next: mostly a little on, at times to a boundary, past two cycles, or back. */
function nextClock(random: Random, clock: number): number {
  const { end } = cycleAt(clock);
  switch (random.weighted({ on: 70, far: 9, boundary: 5, before: 3, skip: 2, back: 6 })) {
    case 'far':
      return clock + random.between(1000, 9000);
    case 'boundary':
      return end;
    case 'before':
      return end - 1;
    case 'skip':
      return end + 2 * CYCLE_MS + random.between(0, 5000);
    case 'back':
      return clock - random.between(1, 4000);
    default:
      return clock + random.between(0, 400);
  }
}

async function runHistory(pair: Pair, index: number, tally: Tally): Promise<void> {
  const random = new Random(SEED + index * 7919);
  const scale = random.pick(SCALES);
  let clock = BEGIN_MS;
  let latest = clock;
  await pair.setClock(clock);
  const orgs = Array.from({ length: ORGS }, (_, place) => `h${index}-${place}`);
  const actors: { gateway: Gateway; admin: Admin; stager: Stager }[] = [];
  for (const org of orgs) {
    await pair.commit(org, { version: 0, changes: firstChanges(random, scale), audit: '' });
    const gateway = new Gateway(random, pair, tally, org, scale, clock);
    const admin = new Admin(random, pair, tally, org, scale);
    actors.push({ gateway, admin, stager: new Stager(random, pair, tally, org) });
  }
  const sent = (): number => actors.reduce((sum, { gateway }) => sum + gateway.sent, 0);
  while (sent() < OPERATIONS) {
    const { gateway, admin, stager } = random.pick(actors);
    if (random.chance(0.5)) {
      clock = nextClock(random, clock);
      latest = Math.max(latest, clock);
      await pair.setClock(clock);
    }
    if (random.chance(0.25)) {
      await admin.step();
      gateway.state = undefined;
    }
    if (random.chance(0.4)) {
      await stager.step();
      gateway.state = undefined;
    }
    gateway.lastNow = random.chance(0.9) ? clock : clock - random.between(1, CYCLE_MS);
    await gateway.step();
  }
  for (const { stager } of actors) await stager.end();
  // The time of an org does not go back with the clock.
  await pair.setClock(latest + 2 * STAGING_IDLE_MS);
  for (const org of orgs) await checkEnd(pair, org);
  tally.hit('operations', sent());
}

/** What the store decided on its common path. */
function tallyCommon(tally: Tally, { common, results }: Reply): void {
  if (common !== true) return;
  for (const result of results) {
    const { status } = result;
    tally.hit(
      `common path: ${status}${status === 'admitted' && result.violated.length > 0 ? ', reported' : ''}`,
    );
  }
}

async function checkEnd(pair: Pair, org: string): Promise<void> {
  if (!(await pair.endStaging(org))) throw new Broken('an abandoned staging goes on');
  await pair.compareOrgs(org);
  const state = await stateOf(pair.model.ledger, org);
  checkSeats(state);
  checkHeld(state);
  await checkConsumed(pair.model.ledger, org, state, CYCLE_MS);
}

t.setTimeout(TIMEOUT_MS);

t.test('both ledgers agree', { skip: skipWithoutRedis, timeout: TIMEOUT_MS }, async (t) => {
  t.comment(`SEED=${SEED}${only === undefined ? '' : `:${only}`} repeats this run`);
  const tally = new Tally();
  const left = only === undefined ? Array.from({ length: HISTORIES }, (_, index) => index) : [Number(only)];
  const work = async (worker: number): Promise<void> => {
    const model = await openClockedMemory();
    const redis = await openClockedStore(`w${worker}`);
    t.teardown(() => redis.close());
    const pair = new Pair(model, redis, CYCLE_MS, (reply) => tallyCommon(tally, reply));
    for (let index = left.shift(); index !== undefined; index = left.shift()) {
      try {
        await runHistory(pair, index, tally);
      } catch (error) {
        left.length = 0;
        throw new Error(`SEED=${SEED}:${index} repeats it`, { cause: error });
      }
    }
  };
  await Promise.all(Array.from({ length: WORKERS }, (_, worker) => work(worker)));
  for (const [what, count] of [...tally.counts].sort(([a], [b]) => (a < b ? -1 : 1)))
    t.comment(`${count} × ${what}`);
  if (only !== undefined || HISTORIES < 300) return;
  const expected = EXPECTED.filter((what) => !(FULL_PATH_ONLY && what.startsWith('common path')));
  for (const what of expected) {
    const least = RARE.includes(what) ? RARE_LEAST : HITS_LEAST;
    t.ok(tally.of(what) >= least, `${what}: ${tally.of(what)}`);
  }
});
