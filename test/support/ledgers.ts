/** Both ledgers on one injected clock, and short words to drive an org with. */
import t, { type Test } from 'tap';
import type {
  BindingLimit,
  Bounds,
  Call,
  Change,
  Ledger,
  Log,
  Op,
  RefundOp,
  ReleaseOp,
  RenewOp,
  Reply,
  ReserveOp,
  Result,
  SettleOp,
  Table,
  Violation,
} from '../../src/ledger/port.js';
import { type ChargeItem, type ChargeKind, charges } from '../../src/quota/charge.js';
import { openClockedCluster, openClockedSentinel } from './clocked-forms.js';
import { type ClockedLedger, openClockedMemory, openClockedRedis } from './clocked-ledger.js';
import { ClusterSet } from './cluster.js';
import { type RedisServer, skipWithoutRedis, startRedis } from './redis.js';
import { SentinelSet } from './sentinel.js';

export {
  type ClockedLedger,
  FULL_PATH_ONLY,
  openClockedMemory,
  openClockedRedis,
} from './clocked-ledger.js';

/** The time at which a test org starts: the middle of its first cycle. */
const CYCLE_MS = 1_000_000;
export const START: Bounds = { start: CYCLE_MS, end: 2 * CYCLE_MS };
export const BEGIN_MS = 1_500_000;
export const TTL_MS = 10_000;

/** What an org holds at first; texts are as the codec has them. */
export interface Setup {
  /** Allowance of a hard plan, or the plan's text. */
  readonly plans?: Readonly<Record<string, number | string>>;
  readonly extra?: Readonly<Record<string, number>>;
  /** By counter line: `usage:u:ana`. */
  readonly limits?: Readonly<Record<string, number | string>>;
  /** By user key: the member's text, such as `a:g1,g2#3`. */
  readonly users?: Readonly<Record<string, string>>;
  readonly groups?: readonly string[];
  readonly seats?: number;
  readonly thresholds?: string;
}

export function set(table: Table, field: string, value: string | number): Change {
  return { set: table, field, value: String(value) };
}

export function del(table: Table, field: string): Change {
  return { del: table, field };
}

export function incr(table: Table, field: string, by: number): Change {
  return { incr: table, field, by };
}

function changesOf(setup: Setup): Change[] {
  const { plans = {}, extra = {}, limits = {}, users = {}, groups = [] } = setup;
  const active = Object.values(users).filter((text) => text.startsWith('a')).length;
  const changes = [
    set('org', 'epoch', 'e1'),
    set('org', 'now', 0),
    set('org', 'start', START.start),
    set('org', 'end', START.end),
    set('org', 'prev', 0),
    set('org', 'rule', '{"every":"hour"}'),
    set('org', 'ruleVersion', 1),
    set('org', 'state', 'open'),
    set('org', 'seats', setup.seats ?? ''),
    set('org', 'seatsUsed', active),
    set('org', 'thresholds', setup.thresholds ?? '50,80,90,100'),
  ];
  for (const [quota, plan] of Object.entries(plans))
    changes.push(set('org', `plan:${quota}`, typeof plan === 'number' ? `${plan}:h` : plan));
  for (const [quota, units] of Object.entries(extra)) changes.push(set('org', `extra:${quota}`, units));
  for (const [line, limit] of Object.entries(limits)) changes.push(set('limits', line, limit));
  for (const [user, text] of Object.entries(users)) changes.push(set('members', user, text));
  for (const group of groups) changes.push(set('groups', group, `0;${JSON.stringify({ name: group })}`));
  return changes;
}

/** The cycle with this number; the org begins in number 1. */
export function cycleOf(number: number): Bounds {
  return { start: number * CYCLE_MS, end: (number + 1) * CYCLE_MS };
}

/** One org on one ledger, with the clock in hand. */
export class TestOrg {
  constructor(
    readonly ledger: Ledger,
    readonly org: string,
    /** Sets the store's clock. */
    readonly at: (ms: number) => Promise<void>,
  ) {}

  async seed(setup: Setup): Promise<void> {
    await this.at(BEGIN_MS);
    await this.ledger.commit(this.org, { version: 0, changes: changesOf(setup), audit: '' });
  }

  async version(): Promise<number> {
    return (await this.ledger.read(this.org, [])).version;
  }

  /** Changes the directory as an admin would. */
  async commit(...changes: Change[]): Promise<void> {
    const version = await this.version();
    const next = await this.ledger.commit(this.org, { version, changes, audit: '' });
    if (next?.version !== version + 1) throw new Error('the commit was refused');
  }

  apply(ops: readonly Op[], over: Partial<Call> = {}): Promise<Reply> {
    const call: Call = {
      org: this.org,
      epoch: 'e1',
      producer: '',
      seq: 0,
      ruleVersion: 1,
      cycles: [START],
      unknownUsers: 'register',
      expireMost: 8,
      ops,
      ...over,
    };
    return this.ledger.apply(call);
  }

  /** Results of a call that the org answers with `ok`. */
  async call(ops: readonly Op[], over: Partial<Call> = {}): Promise<Result[]> {
    const reply = await this.apply(ops, over);
    if (reply.code !== 'ok') throw new Error(`the org answered ${reply.code}`);
    return [...reply.results];
  }

  async do(op: Op, over: Partial<Call> = {}): Promise<Result> {
    const [result] = await this.call([op], over);
    if (result === undefined) throw new Error('no result');
    return result;
  }

  /** What became of each operation in one word: its status, and for refusals and denials the reason. */
  async statuses(ops: readonly Op[], over: Partial<Call> = {}): Promise<string[]> {
    return (await this.call(ops, over)).map((result) => ('reason' in result ? result.reason : result.status));
  }

  fields(table: Table): Promise<Record<string, string>> {
    return fieldsOf(this.ledger, this.org, table);
  }

  /** `<consumed>+<held>` of a line. */
  async line(field: string, start: number = START.start): Promise<string> {
    const tables = [`consumed:${start}`, `held:${start}`] as const;
    const wants = tables.map((table) => ({ table, fields: [field] }));
    const { values } = await this.ledger.read(this.org, wants);
    return values.map((fields) => fields[0] ?? '0').join('+');
  }

  async orgField(field: string): Promise<string | null> {
    const { values } = await this.ledger.read(this.org, [{ table: 'org', fields: [field] }]);
    return values[0]?.[0] ?? null;
  }

  /** Lines of a log, entries of several lines taken apart. */
  async texts(log: Log): Promise<string[]> {
    const entries = await this.ledger.log(this.org, log, '', 10_000);
    return entries.flatMap((entry) => entry.text.split('\n'));
  }

  dump(): Promise<string> {
    return dumpOf(this.ledger, this.org);
  }
}

export function violatedOf(result: Result): readonly Violation[] {
  return 'violated' in result ? result.violated : [];
}

export function bindingLimitsOf(result: Result): readonly BindingLimit[] {
  return 'bindingLimits' in result ? result.bindingLimits : [];
}

const PAGE = 1_000;

/** A whole table, sorted by field. */
export async function fieldsOf(ledger: Ledger, org: string, table: Table): Promise<Record<string, string>> {
  const found: (readonly [string, string])[] = [];
  let cursor = '0';
  do {
    const page = await ledger.scan(org, table, cursor, PAGE);
    found.push(...page.entries);
    cursor = page.cursor;
  } while (cursor !== '0');
  return Object.fromEntries(found.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/**
 * The state of an org as text: all tables and the texts of all logs. Left out are producers and ids of log entries, which are
 * each ledger's own, and what follows every call: the org's `now` and `due`.
 */
export async function dumpOf(ledger: Ledger, org: string, history: readonly Table[] = []): Promise<string> {
  const cycles = await fieldsOf(ledger, org, 'cycles');
  const head = await fieldsOf(ledger, org, 'org');
  delete head.fold;
  delete head.now;
  delete head.due;
  const starts = [...Object.keys(cycles), head.start ?? '0'].map(Number);
  const counters = starts.flatMap((start): Table[] => [`consumed:${start}`, `held:${start}`]);
  const tables: Table[] = ['limits', 'members', 'groups', 'records', 'holds', ...counters, ...history];
  const dump: Record<string, unknown> = { org: head, cycles };
  for (const table of tables) dump[table] = await fieldsOf(ledger, org, table);
  for (const log of ['journal', 'audit', 'outbox', 'changes'] as const)
    dump[log] = (await ledger.log(org, log, '', 1_000_000)).map((entry) => entry.text);
  return JSON.stringify(dump, null, 1);
}

const item = (kind: ChargeKind) => (quota: string, units: number) => ({ quota, units, kind });
export const fixed = item('fixed');
export const held = item('held');
export const gate = (quota: string): ChargeItem => ({ quota, units: 0, kind: 'gate' });

export function reserve(
  user: string,
  items: ChargeItem | readonly ChargeItem[],
  over: Partial<ReserveOp> = {},
): ReserveOp {
  const list = 'kind' in items ? [items] : items;
  return {
    kind: 'reserve',
    user,
    claims: '',
    charges: charges('maps', list),
    hold: '',
    ttlMs: TTL_MS,
    ...over,
  };
}

export function settle(hold: string, units: number | readonly number[], estimated = false): SettleOp {
  return { kind: 'settle', hold, units: typeof units === 'number' ? [units] : units, estimated };
}

export function release(hold: string, keep: '' | 'keep' = ''): ReleaseOp {
  return { kind: 'release', hold, keep: keep === 'keep' };
}

/** Renews a hold of one item on `usage`, unless said otherwise. */
export function renew(hold: string, progress: number, more = 0, over: Partial<RenewOp> = {}): RenewOp {
  return { kind: 'renew', hold, ttlMs: TTL_MS, quotas: ['usage'], units: [progress], more: [more], ...over };
}

/** Refunds name this call, unless said otherwise. */
export const ADMISSION = { producer: 'admission', seq: 1 };

export function refund(
  user: string,
  items: ChargeItem | readonly ChargeItem[],
  over: Partial<RefundOp> = {},
): RefundOp {
  const list = 'kind' in items ? [items] : items;
  const where = { groups: '', cycle: START.start, at: BEGIN_MS, call: 'admission.1' };
  return { kind: 'refund', user, charges: charges('maps', list), ...where, ...over };
}

export const NONE: Op = { kind: 'none' };

let server: Promise<RedisServer> | undefined;
let sentinels: Promise<SentinelSet> | undefined;
let cluster: Promise<ClusterSet> | undefined;
let ledgers: NamedLedger[] | undefined;
let orgCount = 0;

interface NamedLedger {
  readonly name: string;
  readonly opened: Promise<ClockedLedger>;
}

/** Tests that are loaded from now on run on these, not on the embedded ledger and one Redis. */
export function runOn(named: readonly NamedLedger[]): void {
  ledgers = [...named];
}

/** One redis-server for a test file, stopped at its end. */
export function serverOfFile(): Promise<RedisServer> {
  if (server === undefined) {
    server = startRedis();
    t.teardown(async () => (await server)?.stop());
  }
  return server;
}

function stoppedAtEnd<T extends { close(): Promise<void> }>(starting: Promise<T>): Promise<T> {
  t.teardown(async () => (await starting).close());
  return starting;
}

/** Of one Redis, or of the form of it that QUOTAGATE_TEST_STORE names: `sentinel` or `cluster`, one for a test file. */
export async function openClockedStore(prefix: string): Promise<ClockedLedger> {
  switch (process.env.QUOTAGATE_TEST_STORE) {
    case 'sentinel':
      sentinels ??= stoppedAtEnd(SentinelSet.start());
      return openClockedSentinel(await sentinels, prefix);
    case 'cluster':
      cluster ??= stoppedAtEnd(ClusterSet.start(0));
      return openClockedCluster(await cluster, prefix);
    default:
      return openClockedRedis((await serverOfFile()).url, prefix);
  }
}

function ledgersOfFile(): NamedLedger[] {
  if (ledgers !== undefined) return ledgers;
  ledgers = [{ name: 'embedded', opened: openClockedMemory() }];
  if (skipWithoutRedis === false) ledgers.push({ name: 'redis', opened: openClockedStore('test') });
  for (const { opened } of ledgers) t.teardown(async () => (await opened).close());
  return ledgers;
}

/** The same behaviour on both ledgers, each time on a new data. */
export function onBoth(
  guarantee: string,
  setup: Setup,
  behaviour: (test: Test, testOrg: TestOrg) => Promise<void>,
): void {
  for (const { name, opened } of ledgersOfFile())
    t.test(`${guarantee} (${name})`, async (test) => {
      const { ledger, setClock } = await opened;
      orgCount += 1;
      const testOrg = new TestOrg(ledger, `org${orgCount}`, setClock);
      await testOrg.seed(setup);
      await behaviour(test, testOrg);
    });
  if (skipWithoutRedis !== false)
    t.test(`${guarantee} (redis)`, { skip: skipWithoutRedis }, async () => undefined);
}
