// The history of a random load is what was served: per user, group, action and hour; all sums agree, and with the counters. Sums of users that
// are kept current equal those that are read each time.
import t from 'tap';
import { LiveHistory } from '../../src/history/live-history.js';
import {
  type Dimension,
  type HistoryRow,
  type Interval,
  queryHistory,
  type Selection,
} from '../../src/history/query.js';
import type { Op } from '../../src/ledger/port.js';
import { foldJournal } from '../../src/maintenance/fold.js';
import { charges } from '../../src/quota/charge.js';
import { hourBucket } from '../../src/quota/cycle.js';
import { onBothMaintained } from '../maintenance/support.js';
import { fixed, held, set, type TestOrg } from '../support/ledgers.js';

const SEED = Number(process.env.SEED ?? Date.now() % 1_000_000);
const ZONE = 'Europe/Madrid';
const RULE = { every: 'month', anchor: 1, timeZone: ZONE } as const;
const HOUR_MS = 3_600_000;
/** Clocks are set back in the night of the 25th. */
const BEGIN = Date.parse('2026-10-23T20:17:00Z');
const CYCLE = { start: BEGIN - HOUR_MS, end: BEGIN + 1_000 * HOUR_MS };
const HOURS = 60;
const HASH = 'a'.repeat(64);
const USERS = ['ana', 'bob', 'eve', 'kim'];
const GROUPS = ['g1', 'g2'];
const ACTIONS = ['maps', 'chat'];
const MODELS = ['small', 'large'];

/** Mulberry32. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** What was served, by `<what>|<name>`. */
class Served {
  readonly sums = new Map<string, number>();

  add(what: string, name: string, units: number): void {
    this.sums.set(`${what}|${name}`, (this.sums.get(`${what}|${name}`) ?? 0) + units);
  }

  of(what: string): Record<string, number> {
    const own = [...this.sums].filter(([key, units]) => key.startsWith(`${what}|`) && units !== 0);
    return Object.fromEntries(own.map(([key, units]) => [key.slice(what.length + 1), units]).sort());
  }
}

class Load {
  readonly served = new Served();
  readonly groups = new Map(USERS.map((user, index) => [user, index % 2 === 0 ? ['g1'] : ['g1', 'g2']]));
  private holds = 0;

  constructor(
    private readonly org: TestOrg,
    private readonly pick: (below: number) => number,
  ) {}

  async call(now: number): Promise<void> {
    const ops: Op[] = [];
    for (let count = 1 + this.pick(4); count > 0; count -= 1) ops.push(...this.request(now));
    await this.org.call(ops, { cycles: [CYCLE] });
  }

  /** A fixed charge, or tokens of a model, held and settled; some with an API key. */
  private request(now: number): Op[] {
    const { pick } = this;
    const user = USERS[pick(USERS.length)] as string;
    const action = ACTIONS[pick(2)] as string;
    const units = 1 + pick(50);
    const plain = { kind: 'reserve', user, claims: '', hold: '', ttlMs: 60_000 } as const;
    const key = pick(3) === 0 ? 'k1' : '';
    const owner = key === '' ? user : 'ana';
    const as = key === '' ? plain : { ...plain, user: '', key: `k1:${HASH}` };
    if (pick(2) === 0) {
      this.note({ user: owner, action, now, units, raw: units, quota: 'usage', key, model: '' });
      return [{ ...as, charges: charges(action, [fixed('usage', units)]) }];
    }
    const model = MODELS[pick(2)] as string;
    this.holds += 1;
    const hold = `h${this.holds}`;
    this.note({ user: owner, action, now, units, raw: 3 * units, quota: 'ai', key, model });
    return [
      { ...as, hold, charges: charges(action, [held('ai', 100)], 'asked') },
      { kind: 'settle', hold, units: [units], estimated: false, model, raws: [3 * units] },
    ];
  }

  private note(one: {
    readonly user: string;
    readonly action: string;
    readonly now: number;
    readonly units: number;
    readonly raw: number;
    readonly quota: string;
    readonly key: string;
    readonly model: string;
  }): void {
    const { user, action, now, units, quota, served } = { ...one, served: this.served };
    served.add('total', quota, units);
    served.add('raw', quota, one.raw);
    served.add('user', `${quota}|${user}`, units);
    served.add('action', `${quota}|${action}`, units);
    served.add('model', `${quota}|${one.model}`, units);
    served.add('key', `${quota}|${one.key}`, units);
    served.add('hour', `${quota}|${hourBucket(now, ZONE)}|${user}|${action}`, units);
    served.add('day', `${quota}|${hourBucket(now, ZONE).slice(0, 10)}|${user}`, units);
    for (const group of this.groups.get(user) ?? []) {
      served.add('group', `${quota}|${group}`, units);
      served.add('member', `${quota}|${user}|${group}`, units);
      served.add('memberHour', `${quota}|${hourBucket(now, ZONE)}|${user}|${group}|${one.key}`, units);
    }
  }
}

type Value = (row: HistoryRow) => string;

type Ask = (by: Interval, groupBy: readonly Dimension[], only?: Selection) => Promise<HistoryRow[]>;

const RANGE = { rule: RULE, from: '2026-10-20', to: '2026-10-30' };

function sums(rows: readonly HistoryRow[], value: Value, amount: 'units' | 'raw' = 'units') {
  return Object.fromEntries(rows.map((row) => [value(row), row[amount]] as const).sort());
}

/** Users of groups, groups of users, by the groups that they were in when it was charged. */
async function compareGroups(t: Tap, ask: Ask, { served }: Load): Promise<void> {
  const member: Value = ({ at }) => `${at.quota}|${at.user}|${at.group}`;
  t.same(sums(await ask('total', ['user', 'group']), member), served.of('member'), 'by user and group');
  t.same(
    sums(await ask('hour', ['user', 'group', 'key']), ({ at, bucket }) =>
      [at.quota, bucket, at.user, at.group, at.key].join('|'),
    ),
    served.of('memberHour'),
    'by hour, user, group and key',
  );
  for (const group of GROUPS) {
    const all = await ask('day', [], { group });
    const members = await ask('day', ['user'], { group });
    for (const { bucket, at, units } of all) {
      const own = members.filter((row) => row.bucket === bucket && row.at.quota === at.quota);
      t.equal(
        own.reduce((sum, row) => sum + row.units, 0),
        units,
        `${group}: its users, ${bucket}`,
      );
    }
  }
  for (const user of USERS) {
    const own = Object.entries(served.of('member')).filter(([name]) => name.split('|')[1] === user);
    t.same(
      sums(await ask('total', ['group'], { user }), ({ at }) => `${at.quota}|${user}|${at.group}`),
      Object.fromEntries(own),
      `groups of ${user}`,
    );
  }
}

/** Kept sums, in the form of the rows that are read each time. */
async function compareKept(t: Tap, org: TestOrg, live: LiveHistory): Promise<void> {
  for (const only of [{}, { quota: 'ai' }, { group: 'g2' }, { user: 'ana' }, { key: 'k1' }]) {
    const query = { ...RANGE, org: org.org, only, by: 'total', groupBy: ['user'] } as const;
    const kept = [...(await live.userSums(query)).values()].flatMap(({ user, sums }) =>
      sums.map(({ quota, units, raw, refused }) => ({ user, quota, units, raw, refused })),
    );
    const read = (await queryHistory(org.ledger, query)).map(({ at, units, raw, refused }) => {
      return { user: at.user ?? '', quota: at.quota, units, raw, refused };
    });
    const byName = (a: { user: string; quota: string }, b: { user: string; quota: string }) =>
      `${a.user}|${a.quota}` < `${b.user}|${b.quota}` ? -1 : 1;
    t.same(kept.sort(byName), read.sort(byName), `kept sums, ${JSON.stringify(only)}`);
  }
}

async function compare(t: Tap, org: TestOrg, load: Load): Promise<void> {
  const { served } = load;
  const ask: Ask = (by, groupBy, only = {}) =>
    queryHistory(org.ledger, { ...RANGE, org: org.org, only, by, groupBy });
  const total = await ask('total', []);
  t.same(
    sums(total, ({ at }) => at.quota),
    served.of('total'),
    'in all',
  );
  t.same(
    sums(total, ({ at }) => at.quota, 'raw'),
    served.of('raw'),
    'raw',
  );
  for (const dimension of ['user', 'action', 'model', 'key', 'group'] as const) {
    const rows = await ask('total', [dimension]);
    t.same(
      sums(rows, ({ at }) => `${at.quota}|${at[dimension]}`),
      served.of(dimension),
      `by ${dimension}`,
    );
  }
  await compareGroups(t, ask, load);
  const hours = await ask('hour', ['user', 'action']);
  t.same(
    sums(hours, ({ at, bucket }) => `${at.quota}|${bucket}|${at.user}|${at.action}`),
    served.of('hour'),
    'by hour, user and action',
  );
  const days = await ask('day', ['user']);
  t.same(
    sums(days, ({ at, bucket }) => `${at.quota}|${bucket}|${at.user}`),
    served.of('day'),
    'by day and user',
  );
  const counters = await org.fields(`consumed:${CYCLE.start}`);
  for (const [user, units] of Object.entries(served.of('user'))) {
    const [quota, name] = user.split('|');
    t.equal(counters[`${quota}:u:${name}`], String(units), `the counter of ${name}`);
  }
  for (const [quota, units] of Object.entries(served.of('total')))
    t.equal(counters[`${quota}:o`], String(units), `the counter of the org`);
}

type Tap = Parameters<Parameters<typeof onBothMaintained>[2]>[0];

onBothMaintained(`a random load (SEED=${SEED})`, t, async (t, maintained) => {
  const org = await maintained.seed('acme', { plans: { usage: 1_000_000, ai: 1_000_000 }, groups: GROUPS });
  const pick = randomFrom(SEED);
  const load = new Load(org, pick);
  const live = new LiveHistory(org.ledger);
  t.teardown(() => live.close());
  await org.commit(
    set('org', 'rule', JSON.stringify(RULE)),
    set('org', 'start', CYCLE.start),
    set('org', 'end', CYCLE.end),
    set('keys', 'k1', `${HASH}|ana|0`),
    ...USERS.map((user) => set('members', user, `a:${(load.groups.get(user) ?? []).join(',')}`)),
  );
  for (let hour = 0; hour < HOURS; hour += 1) {
    const now = BEGIN + hour * HOUR_MS;
    await org.at(now);
    for (let calls = pick(5); calls > 0; calls -= 1) await load.call(now);
    if (pick(4) === 0) await compareKept(t, org, live);
    if (pick(3) === 0) await foldJournal(org.ledger, 'acme');
    if (pick(10) !== 0) continue;
    // What was charged stays with the groups that the user was in.
    const user = USERS[pick(USERS.length)] as string;
    const groups = GROUPS.filter(() => pick(2) === 0);
    load.groups.set(user, groups);
    await org.commit(set('members', user, `a:${groups.join(',')}`));
  }
  await compare(t, org, load);
  await compareKept(t, org, live);
  await foldJournal(org.ledger, 'acme');
  t.same(await org.texts('journal'), []);
  await compare(t, org, load);
  await compareKept(t, org, live);
});
