// At the cycle boundary, by the store's clock, counters reset under full load: each request is charged to exactly one cycle.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { decodeJournal } from '../../src/ledger/codec.js';
import type { Change, Ledger } from '../../src/ledger/port.js';
import { openRedis } from '../../src/ledger/redis/index.js';
import { boundsAt, type CycleRule } from '../../src/quota/cycle.js';
import { admin, as, ask, type ConfigParts, spawnGateway, startGateway } from '../support/gateway.js';
import { skipWithoutRedis, startRedis } from '../support/redis.js';
import { TestUpstream, type UpstreamEntry } from '../support/upstream.js';
import { consumedIn, cyclesOf, fieldsOf, figuresOf, journalOf } from './figures.js';
import { comesTo, startLoad, until } from './load.js';

/** This rule has no boundary soon. The tests set the boundaries they need in the store. */
const RULE: CycleRule = {
  every: 'hour',
  anchor: (new Date().getUTCMinutes() + 30) % 60,
  timeZone: 'UTC',
};
const LIMIT = 40;
const MANY = 60;
const AHEAD_MS = 300;
const HELD = 12;
const HOUR_MS = 3_600_000;
/** Well within the time before an entry is folded. */
const COLLECT_MS = 300;

const org = (more: string): string => `
    cycle: { every: ${RULE.every}, anchor: ${RULE.anchor}, timeZone: ${RULE.timeZone} }
    users: { ana: {}, ben: {} }
    ${more}`;
const PLENTY = 'plans: { usage: { allowance: 1000000 } }';
const ORGS = `
  sums: ${org(PLENTY)}
  limit: ${org(`${PLENTY}\n    limits: [{ user: ana, quota: usage, units: ${LIMIT} }]`)}
  pool: ${org(`plans: { usage: { allowance: ${LIMIT} } }`)}
  idle: ${org(PLENTY)}
  late: ${org(PLENTY)}
  skipped: ${org(`plans: { usage: { allowance: 100, extra: 50 } }
    limits: [{ user: ana, quota: usage, units: 10 }]`)}
`;

interface Fleet {
  readonly ledger: Ledger;
  readonly upstream: TestUpstream;
  /** Addresses of the gateways and of one admin listener. */
  readonly gateways: readonly string[];
  readonly admin: string;
}

async function change(ledger: Ledger, id: string, changes: readonly Change[]): Promise<void> {
  const { version } = await ledger.read(id, []);
  if ((await ledger.commit(id, { version, changes, audit: '' })) === undefined)
    throw new Error(`${id} was changed concurrently`);
}

const orgField = (field: string, value: number): Change => ({ set: 'org', field, value: String(value) });

const TURNING = ['sums', 'limit', 'pool'];

/** Responses of one org that are certainly before or certainly after the boundary. */
class Answers {
  end = Number.POSITIVE_INFINITY;
  readonly before = { allowed: 0, refused: 0 };
  readonly after = { allowed: 0, refused: 0 };

  note(status: number, sentAt: number): void {
    const what = status === 200 ? 'allowed' : 'refused';
    if (Date.now() < this.end) this.before[what] += 1;
    else if (sentAt > this.end) this.after[what] += 1;
  }
}

function loadOf(id: string, gateways: readonly string[], answers: Answers) {
  return startLoad({
    gateways,
    connections: 6,
    path: `/v3/unit?${id}`,
    org: id,
    users: id === 'pool' ? ['ana', 'ben'] : ['ana'],
    onAnswer: (status, sentAt) => answers.note(status, sentAt),
  });
}

/** Load on three orgs across the boundary, with requests in flight when it comes. */
async function crossing(t: Test, { ledger, upstream, gateways }: Fleet): Promise<void> {
  const answers = TURNING.map(() => new Answers());
  const [surely = new Answers(), ...limited] = answers;
  const loads = TURNING.map((id, index) => loadOf(id, gateways, answers[index] ?? surely));
  const held = Array.from({ length: HELD }, (_, count) => {
    const fields = { 'x-test-hold': 'head', 'x-test-status': count % 2 === 0 ? '200' : '500' };
    const headers = { ...as('ana', 'sums'), ...fields };
    return ask(gateways[count % gateways.length] ?? '', '/v3/unit?held', { headers });
  });
  const underWay = ({ target }: UpstreamEntry): boolean => target.endsWith('?held');
  await until('requests are in flight', () => upstream.log.filter(underWay).length === HELD);
  const isBusy = (when: 'before' | 'after') => (): boolean =>
    surely[when].allowed >= MANY && limited.every((one) => one[when].refused >= MANY);
  await until('the limits are reached', isBusy('before'));
  const end = (await ledger.clock()) + AHEAD_MS;
  for (const one of answers) one.end = end;
  for (const id of [...TURNING, 'idle']) await change(ledger, id, [orgField('end', end)]);
  await until('the limits are reached again', isBusy('after'));
  upstream.release();
  await Promise.all([...loads.map((load) => load.stop()), ...held]);
  t.equal(surely.before.refused + surely.after.refused, 0);

  const [old = 0, present = 0] = await cyclesOf(ledger, 'sums');
  t.equal(present, end);
  const served = (id: string): number =>
    upstream.log.filter(({ target, status }) => target.endsWith(`?${id}`) && status === 200).length;
  const total = served('sums') + served('held');
  const sum = async (): Promise<number> => {
    const before = await consumedIn(ledger, 'sums', old);
    const after = await consumedIn(ledger, 'sums', present);
    return (before['usage:o'] ?? 0) + (after['usage:o'] ?? 0);
  };
  await comesTo(t, sum, total * 10, 'the two cycles hold exactly what was served');
  const before = (await consumedIn(ledger, 'sums', old))['usage:u:ana'] ?? 0;
  const after = (await consumedIn(ledger, 'sums', present))['usage:u:ana'] ?? 0;
  t.ok(
    before >= (surely.before.allowed + HELD / 2) * 10,
    'requests answered before are charged to the old cycle',
  );
  t.ok(after >= surely.after.allowed * 10, 'requests sent after are charged to the new cycle');
  for (const id of ['limit', 'pool']) {
    const line = id === 'pool' ? 'usage:o' : 'usage:u:ana';
    for (const start of [old, present])
      t.equal(
        (await consumedIn(ledger, id, start))[line],
        LIMIT * 10,
        `${id}: the whole limit in each cycle`,
      );
    t.equal(served(id), 2 * LIMIT);
  }
  for (const id of TURNING) {
    const { consumed, recorded, held } = await figuresOf(ledger, id);
    t.strictSame(recorded, consumed, `${id}: history and journal equal the counters`);
    t.strictSame(held, {});
  }
}

/** The first request to an org after two idle cycles closes both as one. */
async function skipping(t: Test, fleet: Fleet): Promise<void> {
  const { ledger, gateways } = fleet;
  const { start } = boundsAt(RULE, await ledger.clock());
  const old = { start: start - 3 * HOUR_MS, end: start - 2 * HOUR_MS };
  const consumed = (field: string, value: string): Change => ({
    set: `consumed:${old.start}`,
    field,
    value,
  });
  await change(ledger, 'skipped', [
    orgField('start', old.start),
    orgField('end', old.end),
    consumed('usage:o', '1300'),
    consumed('usage:u:ana', '100'),
  ]);
  for (const gateway of gateways) {
    const { status, headers } = await ask(gateway, '/v3/unit', { headers: as('ana', 'skipped') });
    t.equal(status, 200, 'the limit starts again');
    t.match(headers.ratelimit, /^"usage-user";r=[89];t=\d+$/);
  }
  const { values } = await ledger.read('skipped', [
    { table: 'org', fields: ['prev', 'start', 'end', 'extra:usage'] },
  ]);
  const wanted = [old.start, start, start + HOUR_MS, 200];
  t.strictSame(values[0], wanted.map(String), 'the extra balance that was used is deducted once');
  t.strictSame(await fieldsOf(ledger, 'skipped', 'cycles'), [[String(old.start), String(old.end)]]);
  t.strictSame(await consumedIn(ledger, 'skipped', old.start), { 'usage:o': 1300, 'usage:u:ana': 100 });
  const units = gateways.length * 10;
  t.strictSame(await consumedIn(ledger, 'skipped', start), { 'usage:o': units, 'usage:u:ana': units });
  const usage = await admin(fleet.admin, 'GET', '/orgs/skipped/usage');
  t.match(usage.body, { cycle: { start: new Date(start).toISOString() } });
}

/** A request that fails two boundaries later is refunded in the cycle that admitted it. */
async function late(t: Test, { ledger, upstream, gateways }: Fleet): Promise<void> {
  const headers = as('ana', 'late');
  const failing = { ...headers, 'x-test-hold': 'head', 'x-test-status': '500' };
  const underWay = gateways.map((gateway) => ask(gateway, '/v3/unit?late', { headers: failing }));
  const atUpstream = ({ target }: UpstreamEntry): boolean => target.endsWith('?late');
  await until('they are in flight', () => upstream.log.filter(atUpstream).length === underWay.length);
  for (const turns of [2, 3]) {
    await change(ledger, 'late', [orgField('end', await ledger.clock())]);
    for (const gateway of gateways) t.equal((await ask(gateway, '/v3/unit', { headers })).status, 200);
    t.equal((await cyclesOf(ledger, 'late')).length, turns);
  }
  const [first = 0, ...others] = await cyclesOf(ledger, 'late');
  t.match(await consumedIn(ledger, 'late', first), { 'usage:o': gateways.length * 10 });
  upstream.release();
  for (const { status } of await Promise.all(underWay)) t.equal(status, 500);
  await comesTo(t, () => consumedIn(ledger, 'late', first), {}, 'refunded in the cycle that was charged');
  for (const start of others)
    t.match(await consumedIn(ledger, 'late', start), { 'usage:o': gateways.length * 10 });
}

/** Maintenance closes the cycle of an org without requests. */
async function idling(t: Test, { ledger }: Fleet): Promise<void> {
  await until('the idle org has a new cycle', async () => (await cyclesOf(ledger, 'idle')).length === 2);
  const { values } = await ledger.read('idle', [{ table: 'org', fields: ['end'] }]);
  t.equal(Number(values[0]?.[0]), boundsAt(RULE, await ledger.clock()).end);
}

/** Writes a module that shifts a process's clock. */
function wrongClock(folder: string, byMs: number): string {
  const file = join(folder, `clock${byMs}.mjs`);
  writeFileSync(
    file,
    `const Right = Date;
globalThis.Date = class extends Right {
  constructor(...given) {
    if (given.length === 0) super(Right.now() + ${byMs});
    else super(...given);
  }
  static now() {
    return Right.now() + ${byMs};
  }
};
`,
  );
  return file;
}

const WRONG_MS = [600_000, -600_000];

t.test(
  'cycle boundaries, two gateways on Redis with clocks ten minutes fast and slow',
  { skip: skipWithoutRedis },
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'quotagate-cycles-'));
    const redis = await startRedis();
    const upstream = await TestUpstream.start();
    const ledger = await openRedis({ url: redis.url });
    const journal = collectJournal(ledger, 'sums');
    const parts: ConfigParts = { redis: redis.url, upstream: upstream.url, orgs: ORGS };
    const gateways = await Promise.all(
      WRONG_MS.map((byMs) => spawnGateway(parts, folder, wrongClock(folder, byMs))),
    );
    t.teardown(async () => {
      upstream.release();
      await Promise.all(gateways.map((gateway) => gateway.stop()));
      await ledger.close();
      await upstream.close();
      await redis.stop();
      rmSync(folder, { recursive: true, force: true });
    });
    for (const [index, gateway] of gateways.entries()) {
      const { time } = gateway as unknown as { time: number };
      t.ok(Math.abs(time - Date.now() - (WRONG_MS[index] ?? 0)) < 60_000, 'its clock is wrong');
    }
    const fleet: Fleet = {
      ledger,
      upstream,
      gateways: gateways.map(({ gateway }) => gateway),
      admin: gateways[0]?.admin ?? '',
    };
    await crossing(t, fleet);
    await accounted(t, ledger, await journal.end());
    await skipping(t, fleet);
    await late(t, fleet);
    await idling(t, fleet);
  },
);

/** Collects the journal's entries from now on: maintenance folds them seconds after they came. */
function collectJournal(ledger: Ledger, id: string) {
  const entries = new Map<string, string>();
  const collect = async (): Promise<void> => {
    for (const entry of await journalOf(ledger, id)) entries.set(entry.id, entry.text);
  };
  let underWay = collect();
  const timer = setInterval(() => {
    underWay = underWay.then(collect);
  }, COLLECT_MS);
  return {
    async end(): Promise<string[]> {
      clearInterval(timer);
      await underWay;
      await collect();
      return [...entries.values()];
    },
  };
}

/** By the admission times in the journal, each charge and refund is in the cycle that admitted it. */
async function accounted(t: Test, ledger: Ledger, journal: readonly string[]): Promise<void> {
  const [old = 0, present = 0] = await cyclesOf(ledger, 'sums');
  const sums = { before: 0, after: 0 };
  let refunds = 0;
  for (const text of journal) {
    for (const { at, charges } of decodeJournal(text)) {
      const units = charges[0]?.units ?? 0;
      sums[at < present ? 'before' : 'after'] += units;
      if (units < 0) refunds += 1;
    }
  }
  t.equal(refunds, HELD / 2);
  t.equal((await consumedIn(ledger, 'sums', old))['usage:o'], sums.before);
  t.equal((await consumedIn(ledger, 'sums', present))['usage:o'], sums.after);
}

t.test('cycle boundaries, embedded', async (t) => {
  const upstream = await TestUpstream.start();
  const running = await startGateway({ upstream: upstream.url, orgs: ORGS });
  t.teardown(async () => {
    upstream.release();
    await running.close();
    await upstream.close();
  });
  const { ledger } = running.app;
  const fleet: Fleet = { ledger, upstream, gateways: [running.gateway], admin: running.admin };
  await crossing(t, fleet);
  await skipping(t, fleet);
  await late(t, fleet);
  await idling(t, fleet);
});
