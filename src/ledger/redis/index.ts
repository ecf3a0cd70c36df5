/**
 * The ledger in Redis or Valkey, 6.2 or newer. All rules are in `lua/`; this module only sends calls and reads replies.
 */
import { isName } from '../../quota/id.js';
import { bounded, type ClockGuard } from '../clock-guard.js';
import type {
  Call,
  Change,
  Commit,
  Fold,
  Ledger,
  Log,
  LogEntry,
  OrgEpoch,
  Page,
  Reply,
  Snapshot,
  Table,
  Want,
} from '../port.js';
import { LOST } from '../port.js';
import { CallText } from './call-text.js';
import { decodeReply } from './codec.js';
import type { Connection, ConnectionOptions } from './connection.js';
import { Keys } from './keys.js';
import { ConnectionPair } from './pair.js';
import { missingPermissions, permissionsError } from './permissions.js';
import { type PresenceEvent, StorePresence } from './presence.js';
import { loadScript, type Script, type ScriptOptions } from './scripts.js';

export interface RedisOptions extends ConnectionOptions {
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

/** The field by which lua/include/widen.lua forces the hashtable encoding. */
const WIDE = '!wide';

/** Connects. Rejects if the store cannot keep counters (too old, or it may evict them). */
export async function openRedis(options: RedisOptions): Promise<Ledger> {
  const scripts = loadScripts(options.scripts);
  const pair = new ConnectionPair(options, (connection) => preload(connection, Object.values(scripts)));
  const ledger = new RedisLedger(pair, scripts, options);
  try {
    await ledger.open();
  } catch (error) {
    await ledger.close();
    throw error;
  }
  return ledger;
}

const PRODUCERS_PAGE = 100;

type Scripts = ReturnType<typeof loadScripts>;

function loadScripts(options: ScriptOptions | undefined) {
  const load = (name: string): Script => loadScript(name, options);
  return {
    apply: load('apply'),
    commit: load('commit'),
    read: load('read'),
    fold: load('fold'),
    clock: load('clock'),
    forgetProducers: load('forget-producers'),
    lease: load('lease'),
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
  private readonly hot: Connection;
  private readonly presence: StorePresence;

  constructor(
    private readonly pair: ConnectionPair,
    private readonly scripts: Scripts,
    private readonly options: RedisOptions,
  ) {
    this.keys = new Keys(options.prefix ?? 'qg');
    this.hot = pair.hot;
    this.callText = new CallText(this.scripts.apply, this.keys);
    this.presence = new StorePresence({
      call: (args) => this.hot.run(this.scripts.presence, [this.keys.store], args),
      countOrgs: async () => Number(await this.hot.send('scard', [this.keys.orgs])),
      listOrgs: () => this.orgs(),
      markLost: (org) => this.markLost(org),
      onEvent: options.onPresence,
      objectionMs: options.objectionMs,
    });
  }

  async open(): Promise<void> {
    await this.pair.open(async () => {
      const missing = await missingPermissions(this.pair.other, this.keys);
      if (missing.length > 0) throw permissionsError(missing);
    });
    // Reads the existing orgs before the store can be emptied. If it is empty, the waiting time for objections begins.
    await this.presence.look().catch(() => undefined);
    this.pair.onReady(() => void this.presence.look().catch(() => undefined));
    this.presence.start(() => this.ready);
  }

  private async run(script: Script, keys: readonly string[], args: readonly (string | number)[]) {
    return (await this.pair.readyOther()).run(script, keys, args);
  }

  private async send(command: string, args: (string | number)[]) {
    return (await this.pair.readyOther()).send(command, args);
  }

  get ready(): boolean {
    return this.pair.ready;
  }

  get reconnecting(): boolean {
    return this.pair.reconnecting;
  }

  onReady(listener: () => void): void {
    this.pair.onReady(listener);
  }

  apply(call: Call): Promise<Reply> {
    return bounded(this.options.clockGuard, call, (latest) => this.applyBefore(call, latest));
  }

  private applyBefore(call: Call, latest: number): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const done = (raw: unknown): void => {
        try {
          resolve(decodeReply(raw, call.ops));
        } catch (error) {
          reject(error);
        }
      };
      this.hot.sendText('evalsha', this.callText.of(call, latest), done, (error) => {
        if (!error.message.startsWith('NOSCRIPT')) reject(error);
        // The scripts of this Redis were flushed: this one did not run, and its source brings it back.
        else this.hot.sendText('eval', this.callText.of(call, latest, true), done, reject);
      });
    });
  }

  async read(org: string, wants: readonly Want[]): Promise<Snapshot> {
    const keys = [this.keys.of(org, 'org')];
    const args = wantArgs(wants, this.placer(org, keys));
    return snapshotIn(await this.run(this.scripts.read, keys, args), wants);
  }

  async epochOf(org: string): Promise<OrgEpoch> {
    const key = this.keys.of(org, 'org');
    const args = [1, 2, 'epoch', 'lossAccepted'];
    const reply = await this.hot.run(this.scripts.read, [key], args);
    const [, version, epoch, accepted] = reply as [number, number, string | null, string | null];
    return { version, epoch: epoch ?? '', accepted: accepted ?? '' };
  }

  async markLost(org: string): Promise<void> {
    await this.commit(org, LOST);
  }

  async commit(org: string, commit: Commit): Promise<Snapshot | undefined> {
    const { version, changes, audit, wants = [] } = commit;
    const creates = version === 0 && isName(org) && changes.some(isEpoch);
    if (creates) await this.presence.established();
    // One connection runs them in this order: an id without an org is harmless, but an org that no sweep finds is not.
    const listed = version === 0 && isName(org) ? this.send('sadd', [this.keys.orgs, org]) : undefined;
    const keys = [this.keys.of(org, 'org'), this.keys.of(org, 'audit')];
    const args: (string | number)[] = [version, audit, changes.length];
    const place = this.placer(org, keys);
    for (const change of changes) {
      if ('set' in change) args.push('set', place(change.set), change.field, change.value);
      else if ('del' in change) args.push('del', place(change.del), change.field, '');
      else args.push('incr', place(change.incr), change.field, change.by);
    }
    args.push(...wantArgs(wants, place));
    const [reply] = await Promise.all([this.run(this.scripts.commit, keys, args), listed]);
    if (reply === null) return undefined;
    if (creates) this.presence.saw(org);
    return snapshotIn(reply, wants);
  }

  /** Gives each table of the org its place in KEYS, and adds it at its first use. The org itself is the first. */
  private placer(org: string, keys: string[]): (table: Table) => number {
    const places = new Map<Table, number>([['org', 1]]);
    return (table) => {
      const known = places.get(table);
      if (known !== undefined) return known;
      const place = keys.push(this.keys.of(org, table));
      places.set(table, place);
      return place;
    };
  }

  async scan(org: string, table: Table, cursor: string, count: number): Promise<Page> {
    const args = [this.keys.of(org, table), cursor, 'COUNT', count];
    const [next, flat] = (await this.send('hscan', args)) as [string, string[]];
    const entries: [string, string][] = [];
    for (let index = 0; index < flat.length; index += 2)
      if (flat[index] !== WIDE) entries.push([flat[index] ?? '', flat[index + 1] ?? '']);
    return { cursor: next, entries };
  }

  async log(org: string, log: Log, after: string, count: number): Promise<LogEntry[]> {
    const from = after === '' ? '-' : `(${after}`;
    return entriesOf(await this.send('xrange', [this.keys.of(org, log), from, '+', 'COUNT', count]));
  }

  async logBack(org: string, log: Log, before: string, count: number): Promise<LogEntry[]> {
    const to = before === '' ? '+' : `(${before}`;
    return entriesOf(await this.send('xrevrange', [this.keys.of(org, log), to, '-', 'COUNT', count]));
  }

  async fold(org: string, fold: Fold): Promise<boolean> {
    const keys = [this.keys.of(org, 'org'), this.keys.of(org, 'journal')];
    const place = this.placer(org, keys);
    const args: (string | number)[] = [fold.from, fold.to];
    for (const { table, field, units } of fold.adds) args.push(place(table), field, units);
    return (await this.run(this.scripts.fold, keys, args)) === 1;
  }

  async drop(org: string, tables: readonly Table[]): Promise<void> {
    if (tables.length === 0) return;
    await this.send(
      'unlink',
      tables.map((table) => this.keys.of(org, table)),
    );
  }

  async forgetProducers(org: string, idleMs: number): Promise<number> {
    const key = this.keys.of(org, 'producers');
    const keys = [key, this.keys.of(org, 'org')];
    let cursor = '0';
    let count = 0;
    do {
      const [next, page] = (await this.send('hscan', [key, cursor, 'COUNT', PRODUCERS_PAGE])) as [
        string,
        string[],
      ];
      const producers = page.filter((_, index) => index % 2 === 0);
      if (producers.length > 0)
        count += Number(await this.run(this.scripts.forgetProducers, keys, [idleMs, ...producers]));
      cursor = next;
    } while (cursor !== '0');
    return count;
  }

  async lease(job: string, holder: string, ttlMs: number): Promise<boolean> {
    return (await this.run(this.scripts.lease, [this.keys.lease(job)], [holder, ttlMs])) === 1;
  }

  async orgs(): Promise<string[]> {
    return (await this.send('smembers', [this.keys.orgs])) as string[];
  }

  async clock(): Promise<number> {
    return Number(await this.run(this.scripts.clock, [], []));
  }

  async close(): Promise<void> {
    this.presence.close();
    await this.pair.close();
  }
}

function isEpoch(change: Change): boolean {
  return 'set' in change && change.set === 'org' && change.field === 'epoch';
}

function entriesOf(raw: unknown): LogEntry[] {
  return (raw as [string, string[]][]).map(([id, fields]) => ({ id, text: fields[1] ?? '' }));
}

/** Per `Want`: the index of its table in KEYS, the number of fields, and the fields. */
function wantArgs(wants: readonly Want[], place: (table: Table) => number): (string | number)[] {
  return wants.flatMap(({ table, fields }) => [place(table), fields.length, ...fields]);
}

function snapshotIn(reply: unknown, wants: readonly Want[]): Snapshot {
  const [now, version, ...found] = reply as [number, number, ...(string | null)[]];
  let at = 0;
  const values = wants.map(({ fields }) => {
    const from = at;
    at += fields.length;
    return found.slice(from, at);
  });
  return { now, version, values };
}
