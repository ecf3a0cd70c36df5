/**
 * The ledger in Redis or Valkey, 6.2 or newer. All rules are in `lua/`; this module only sends calls and reads replies.
 */
import { isName } from '../../quota/id.js';
import { bounded, type ClockGuard } from '../clock-guard.js';
import type { ExportStep, JournalTrim } from '../journal-export.js';
import type {
  Call,
  Commit,
  Fold,
  Job,
  KeptLog,
  Ledger,
  Log,
  LogEntry,
  NoticeStep,
  OrgEpoch,
  Page,
  PendingWork,
  Reply,
  Snapshot,
  StagedChange,
  StageOutcome,
  Table,
  Visit,
  Want,
} from '../port.js';
import { isStaged, LOST } from '../port.js';
import { entriesOf, fieldArgs, isEpoch, journalTrimIn, pendingWorkIn } from './admin-codec.js';
import { CallText } from './call-text.js';
import { Cluster, type ClusterAddress } from './cluster.js';
import { decodeReply } from './codec.js';
import { type Connection, type ConnectionOptions, orWithSource, PLAIN, type Terms } from './connection.js';
import { commitArgs, OrgKeys, snapshotIn, wantArgs } from './directory.js';
import { Keys } from './keys.js';
import { OrgSchedule } from './org-schedule.js';
import { missingPermissions, permissionsError } from './permissions.js';
import { type PresenceEvent, StorePresence } from './presence.js';
import { loadScript, type Script, type ScriptOptions } from './scripts.js';
import type { RedirectKind } from './slot-map.js';
import { RedisStaging } from './staging.js';
import { SingleServer, type Topology, type Use } from './topology.js';

export interface RedisOptions extends ConnectionOptions {
  /** In place of one server. */
  readonly cluster?: ClusterAddress;
  /** Called when a Cluster sends a call again because of its slot. */
  readonly onRedirect?: ((kind: RedirectKind) => void) | undefined;
  /** Replicas that must have a call or a change before it counts as answered, and how long that may take. */
  readonly replication?: Replication | undefined;
  /** First part of every key. */
  readonly prefix?: string;
  /** Called when the store was emptied, or is empty at the start. */
  readonly onPresence?: (event: PresenceEvent) => void;
  /** Bounds the store's clock. Absent: every reading is accepted. */
  readonly clockGuard?: ClockGuard | undefined;
  /** For tests: another clock, or a broken rule. */
  readonly scripts?: ScriptOptions;
  /** For tests: how long an empty store waits for objections of other gateways. */
  readonly objectionMs?: number;
}

/** The field by which lua/include/force-hashtable.lua forces the hashtable encoding. */
const WIDE = '!wide';
/** Before the id of a producer, in the org's own table: its last call. */
const LAST_CALL = '!call:';

function isHidden(table: Table, field: string): boolean {
  return field === WIDE || isStaged(table, field) || (table === 'org' && field.startsWith(LAST_CALL));
}

export type Replication = Pick<Terms, 'replicas' | 'waitMs'>;

/** Connects. Rejects if the store cannot keep counters (too old, or it may evict them). */
export async function openRedis(options: RedisOptions): Promise<Ledger> {
  const scripts = loadScripts(options.scripts);
  const prepare = (connection: Connection) => preload(connection, Object.values(scripts));
  const { cluster } = options;
  const topology =
    cluster === undefined
      ? new SingleServer(options, prepare)
      : new Cluster({ ...options, ...cluster }, prepare);
  const ledger = new RedisLedger(topology, scripts, options);
  try {
    await ledger.open();
  } catch (error) {
    await ledger.close();
    throw error;
  }
  return ledger;
}

/** Entries: below 2 ms of the store's time. */
const TRIMMED_AT_ONCE = 1_000;
const PRODUCERS_PAGE = 100;
const ORGS_PAGE = 500;

type Args = readonly (string | number)[];

const ASKING: Terms = { ...PLAIN, asking: true };

type Scripts = ReturnType<typeof loadScripts>;

function loadScripts(options: ScriptOptions | undefined) {
  const load = (name: string): Script => loadScript(name, options);
  return {
    apply: load('apply'),
    commit: load('commit'),
    read: load('read'),
    fold: load('fold'),
    export: load('export'),
    trimJournal: load('trim-journal'),
    notices: load('notices'),
    clock: load('clock'),
    forgetProducers: load('forget-producers'),
    lease: load('lease'),
    pendingWork: load('pending-work'),
    stage: load('stage'),
    unstage: load('unstage'),
    dueOrgs: load('due-orgs'),
    // By the server's own clock, whatever a test puts in its place: gateways wait for each other in real time.
    presence: loadScript('presence'),
  };
}

/** Compiling takes milliseconds, and every call that meets a Redis without its script sends the whole source. */
async function preload(connection: Connection, scripts: readonly Script[]): Promise<void> {
  await Promise.all(scripts.map(({ source }) => connection.ask('script', ['load', source])));
}

class RedisLedger implements Ledger {
  readonly name = 'redis';
  private readonly keys: Keys;
  private readonly callText: CallText;
  private readonly presence: StorePresence;
  private readonly replication: Replication;
  private readonly orgSchedule: OrgSchedule;
  private readonly staging: RedisStaging;

  constructor(
    private readonly topology: Topology,
    private readonly scripts: Scripts,
    private readonly options: RedisOptions,
  ) {
    this.keys = new Keys(options.prefix ?? 'qg');
    this.replication = options.replication ?? PLAIN;
    this.callText = new CallText(this.scripts.apply, this.keys);
    this.presence = new StorePresence({
      call: (args) => this.run(this.scripts.presence, [this.keys.store], args, 'decision'),
      countOrgs: async () => Number(await this.send('scard', [this.keys.orgs], 'decision')),
      listOrgs: () => this.orgs(),
      markLost: (org) => this.markLost(org),
      onEvent: options.onPresence,
      objectionMs: options.objectionMs,
    });
    this.staging = new RedisStaging(this.keys, this.scripts, {
      run: (script, keys, args) => this.run(script, keys, args),
      send: (command, args) => this.send(command, args),
    });
    this.orgSchedule = new OrgSchedule({
      add: (job, args) => this.send('zadd', [this.keys.schedule(job), ...args]),
    });
  }

  async open(): Promise<void> {
    await this.topology.open(async (asker) => {
      const missing = await missingPermissions(asker, this.keys, this.replication.replicas > 0);
      if (missing.length > 0) throw permissionsError(missing);
    });
    // Reads the existing orgs before the store can be emptied. If it is empty, the waiting time for objections begins.
    await this.presence.look().catch(() => undefined);
    this.topology.onReady(() => void this.presence.look().catch(() => undefined));
    this.presence.start(() => this.ready);
  }

  private run(script: Script, keys: readonly string[], args: Args, use: Use = 'other'): Promise<unknown> {
    return this.topology.on(use, keys[0] ?? '', (connection, asking) =>
      connection.run(script, keys, args, asking ? ASKING : PLAIN),
    );
  }

  private send(command: string, args: [key: string, ...Args], use: Use = 'other'): Promise<unknown> {
    return this.topology.on(use, args[0], (connection, asking) =>
      connection.send(command, args, asking ? ASKING : PLAIN),
    );
  }

  get ready(): boolean {
    return this.topology.ready;
  }

  get reconnecting(): boolean {
    return this.topology.reconnecting;
  }

  onReady(listener: () => void): void {
    this.topology.onReady(listener);
  }

  apply(call: Call): Promise<Reply> {
    const reply = bounded(this.options.clockGuard, call, (latest) =>
      this.topology.on('decision', call.org, (connection, asking) =>
        this.applyOn(connection, call, latest, { ...this.replication, asking }),
      ),
    );
    return call.ops.length === 0 ? reply : this.orgSchedule.touchAfter(call.org, reply);
  }

  private async applyOn(connection: Connection, call: Call, latest: number, terms: Terms): Promise<Reply> {
    const send = (withSource: boolean): Promise<unknown> => {
      const text = this.callText.of(call, latest, withSource);
      return connection.under(terms, () => connection.sendText(withSource ? 'eval' : 'evalsha', text));
    };
    const reply = decodeReply(await orWithSource(send), call);
    // A repetition writes nothing, and WAIT is about writes of this connection: the first call may have come over another one.
    if (reply.replayed && terms.replicas > 0)
      await connection.send('hincrby', [this.keys.of(call.org, 'org'), 'now', 0], terms);
    return reply;
  }

  async read(org: string, wants: readonly Want[]): Promise<Snapshot> {
    const keys = new OrgKeys(this.keys, org);
    const args = wantArgs(keys, wants);
    return snapshotIn(await this.run(this.scripts.read, keys.keys, args), wants);
  }

  async epochOf(org: string): Promise<OrgEpoch> {
    const key = this.keys.of(org, 'org');
    const args = [1, 2, 'epoch', 'lossAccepted'];
    const reply = await this.run(this.scripts.read, [key], args, 'decision');
    const [, version, epoch, accepted] = reply as [number, number, string | null, string | null];
    return { version, epoch: epoch ?? '', accepted: accepted ?? '' };
  }

  async markLost(org: string): Promise<void> {
    await this.commit(org, LOST);
  }

  async commit(org: string, commit: Commit): Promise<Snapshot | undefined> {
    const { version, changes, wants = [] } = commit;
    const creates = version === 0 && isName(org) && changes.some(isEpoch);
    if (creates) await this.presence.established();
    // One connection runs them in this order: an id without an org is harmless, but an org that no sweep finds is not.
    const listed = version === 0 && isName(org) ? this.send('sadd', [this.keys.orgs, org]) : undefined;
    // In a Cluster, they are on two nodes.
    if (this.options.cluster !== undefined) await listed;
    const keys = new OrgKeys(this.keys, org, this.keys.of(org, 'audit'), this.keys.of(org, 'changes'));
    const args = commitArgs(keys, commit);
    const committed = this.topology.on('other', org, (connection, asking) =>
      connection.run(this.scripts.commit, keys.keys, args, { ...this.replication, asking }),
    );
    const [reply] = await Promise.all([committed, listed]);
    if (reply === null) return undefined;
    if (isName(org)) this.orgSchedule.touch(org);
    if (creates) this.presence.saw(org);
    return snapshotIn(reply, wants);
  }

  beginStaging(org: string): Promise<string | undefined> {
    return this.staging.beginStaging(org);
  }

  stage(org: string, id: string, changes: readonly StagedChange[]): Promise<StageOutcome> {
    return this.staging.stage(org, id, changes);
  }

  endStaging(org: string, id?: string): Promise<boolean> {
    return this.staging.endStaging(org, id);
  }

  async scan(org: string, table: Table, cursor: string, count: number): Promise<Page> {
    const reply = await this.send('hscan', [this.keys.of(org, table), cursor, 'COUNT', count]);
    const [next, flat] = reply as [string, string[]];
    const entries: [string, string][] = [];
    for (let index = 0; index < flat.length; index += 2)
      if (!isHidden(table, flat[index] ?? '')) entries.push([flat[index] ?? '', flat[index + 1] ?? '']);
    return { cursor: next, entries };
  }

  async log(org: string, log: Log, after: string, count: number): Promise<LogEntry[]> {
    const from = after === '' ? '-' : `(${after}`;
    return entriesOf(await this.send('xrange', [this.keys.of(org, log), from, '+', 'COUNT', count]));
  }

  async logBack(org: string, log: Log, before: string, count: number): Promise<LogEntry[]> {
    // Redis refuses an open end before its first id.
    if (before === '0-0') return [];
    const to = before === '' ? '+' : `(${before}`;
    return entriesOf(await this.send('xrevrange', [this.keys.of(org, log), to, '-', 'COUNT', count]));
  }

  async fold(org: string, fold: Fold): Promise<boolean> {
    const [, ...fixed] = this.keys.ofJournal(org);
    const keys = new OrgKeys(this.keys, org, ...fixed);
    const args: (string | number)[] = [fold.from, fold.to, fold.before ?? '', fold.after ?? ''];
    for (const { table, field, value } of fold.puts) args.push(keys.place(table), field, value);
    return (await this.run(this.scripts.fold, keys.keys, args)) === 1;
  }

  async stepExport(org: string, { target, was, next }: ExportStep): Promise<boolean> {
    const args = [target, was ?? '', next ?? ''];
    return (await this.run(this.scripts.export, this.keys.ofJournal(org), args)) === 1;
  }

  async trimJournal(org: string, most: number): Promise<JournalTrim> {
    return journalTrimIn(await this.run(this.scripts.trimJournal, this.keys.ofJournal(org), [most]));
  }

  async stepNotices(org: string, { outbox, expects, changes, events }: NoticeStep): Promise<boolean> {
    const keys = (['notices', 'outbox', 'events'] as const).map((name) => this.keys.of(org, name));
    const args: (string | number)[] = [outbox?.first ?? '', outbox?.last ?? ''];
    args.push(expects.length, changes.length, ...[...expects, ...changes].flatMap(fieldArgs), ...events);
    return (await this.run(this.scripts.notices, keys, args)) === 1;
  }

  async append(org: string, log: KeptLog, text: string): Promise<void> {
    await this.send('xadd', [this.keys.of(org, log), '*', 'e', text]);
  }

  async trim(org: string, log: KeptLog, before: number): Promise<void> {
    const key = this.keys.of(org, log);
    // First whole nodes of the stream, some at a time; then the rest, which is less than one node.
    while (Number(await this.send('xtrim', [key, 'MINID', '~', before, 'LIMIT', TRIMMED_AT_ONCE])) > 0);
    await this.send('xtrim', [key, 'MINID', before]);
  }

  async pendingWork(org: string): Promise<PendingWork | undefined> {
    const names = ['org', 'due', 'journal', 'outbox', 'notices', 'audit', 'events', 'exports'] as const;
    const keys = names.map((name) => this.keys.of(org, name));
    return pendingWorkIn(await this.run(this.scripts.pendingWork, keys, []));
  }

  async takeDue(job: Job, most: number, againMs: number): Promise<string[]> {
    return (await this.run(this.scripts.dueOrgs, [this.keys.schedule(job)], [most, againMs])) as string[];
  }

  schedule(job: Job, visits: readonly Visit[]): Promise<void> {
    return this.orgSchedule.add(job, visits);
  }

  async unschedule(org: string): Promise<void> {
    for (const job of ['visit', 'clean'] as const) await this.send('zrem', [this.keys.schedule(job), org]);
  }

  async drop(org: string, tables: readonly Table[]): Promise<void> {
    const [first, ...others] = tables.map((table) => this.keys.of(org, table));
    if (first !== undefined) await this.send('unlink', [first, ...others]);
  }

  async forgetProducers(org: string, idleMs: number): Promise<number> {
    const orgKey = this.keys.of(org, 'org');
    const calls = await this.forgetCalls(orgKey, orgKey, `${LAST_CALL}*`, idleMs);
    // Earlier versions have a table for them.
    return calls + (await this.forgetCalls(this.keys.of(org, 'producers'), orgKey, '*', idleMs));
  }

  private async forgetCalls(key: string, orgKey: string, pattern: string, idleMs: number): Promise<number> {
    const { forgetProducers } = this.scripts;
    let cursor = '0';
    let count = 0;
    do {
      const page = await this.send('hscan', [key, cursor, 'MATCH', pattern, 'COUNT', PRODUCERS_PAGE]);
      const [next, flat] = page as [string, string[]];
      const fields = flat.filter((_, index) => index % 2 === 0);
      if (fields.length > 0)
        count += Number(await this.run(forgetProducers, [key, orgKey], [idleMs, ...fields]));
      cursor = next;
    } while (cursor !== '0');
    return count;
  }

  async lease(job: string, holder: string, ttlMs: number): Promise<boolean> {
    return (await this.run(this.scripts.lease, [this.keys.lease(job)], [holder, ttlMs])) === 1;
  }

  async orgs(): Promise<string[]> {
    const orgs = new Set<string>();
    let cursor = '0';
    do {
      const reply = await this.send('sscan', [this.keys.orgs, cursor, 'COUNT', ORGS_PAGE]);
      const [next, page] = reply as [string, string[]];
      for (const org of page) orgs.add(org);
      cursor = next;
    } while (cursor !== '0');
    return [...orgs];
  }

  async clock(): Promise<number> {
    return Number(await this.run(this.scripts.clock, [], []));
  }

  async close(): Promise<void> {
    this.presence.close();
    // What is not scheduled, because the store is away, is found by a full round.
    if (this.ready) await this.orgSchedule.flush().catch(() => undefined);
    this.orgSchedule.close();
    await this.topology.close();
  }
}
