/**
 * The two connections of a ledger. Decisions have their own, so that an admin's list does not delay them. Behind one
 * name, each connection may reach another server after a fail-over. Therefore, at every connect both are suspended
 * until INFO shows that they reach the same server and that it can keep counters. If they differ, the older one is
 * opened again.
 */
import { Connection, type ConnectionOptions } from './connection.js';
import { SentinelWatch } from './sentinel-watch.js';
import type { HostAndPort } from './server-address.js';
import { readInfo, type ServerInfo } from './server-info.js';

/** Why the store cannot be used although it can be reached. */
interface Trouble {
  readonly text: string;
  /** Waiting does not help: the start fails. */
  readonly lasting: boolean;
  /** The connections may reach another server when they are opened again. */
  readonly leave: readonly Connection[];
}

/** The policy can change while Redis runs; checking it costs only a few calls a minute. */
const CHECK_EVERY_MS = 15_000;
/** Requests are refused meanwhile, so a fix is noticed soon. */
const UNFIT_EVERY_MS = 1_000;
const BACKOFF_FIRST_MS = 50;
const BACKOFF_LAST_MS = 2_000;
/** Limits reconnects: a server that refuses writes is not left for every refused call. */
const LEAVE_EVERY_MS = 1_000;
/** How long callers wait for a store that was available a moment ago. */
const RECONNECTING_MS = 1_000;
/** How long a start waits for a server that loads its data, or for connections that differ. */
const START_MS = 30_000;

export type Prepare = (connection: Connection) => Promise<void>;

export class ConnectionPair {
  readonly hot: Connection;
  readonly other: Connection;
  private readonly listeners: (() => void)[] = [];
  private readonly waiters: (() => void)[] = [];
  private readonly onError: (error: Error) => void;
  /** Server identities of the present sessions; undefined until they are checked. */
  private trouble: Trouble | undefined;
  private checking = false;
  private checkAgain = false;
  private failures = 0;
  private leftAt = Number.NEGATIVE_INFINITY;
  private wasReady = false;
  private lostAt = Number.NEGATIVE_INFINITY;
  private timer: NodeJS.Timeout | undefined;
  private closed = false;
  /** Where `prepare` was done last. */
  private preparedServer = '';

  private readonly watch: SentinelWatch | undefined;
  private readonly isNode: boolean;
  private nodeId: string | undefined;

  /** `prepare` is done once on each server that has been checked, before its calls begin. */
  constructor(
    options: ConnectionOptions,
    private readonly prepare: Prepare,
  ) {
    this.isNode = options.node !== undefined;
    this.onError = options.onError ?? (() => undefined);
    this.hot = new Connection(options);
    this.other = new Connection(options);
    for (const connection of [this.hot, this.other]) {
      connection.onConnect = () => this.connected();
      connection.onClose = () => this.noteLoss();
      connection.onLeave = ({ code }) => this.leave(`Redis answers ${code}`);
    }
    if (options.sentinel !== undefined)
      this.watch = new SentinelWatch(options, (master) => this.follow(master));
  }

  get ready(): boolean {
    return this.hot.ready;
  }

  get reconnecting(): boolean {
    if (this.hot.ready) return false;
    // A call may fail before the end of its connection is reported.
    this.noteLoss();
    return this.wasLostNow;
  }

  private get wasLostNow(): boolean {
    return performance.now() - this.lostAt < RECONNECTING_MS;
  }

  /** The connection for everything except decisions. Waits for it if it was available a moment ago. */
  async readyOther(): Promise<Connection> {
    if (!this.other.ready) await this.untilReady(RECONNECTING_MS);
    return this.other;
  }

  /** Waits if the server was available a moment ago, or the first connections are being opened. */
  async untilReady(maxMs: number): Promise<void> {
    this.noteLoss();
    if (!this.wasLostNow) return;
    await Promise.race([
      new Promise<void>((resolve) => this.waiters.push(resolve)),
      wait(Math.max(0, maxMs)),
    ]);
  }

  /** Called each time both connections become usable. */
  onReady(listener: () => void): void {
    this.listeners.push(listener);
  }

  /** Connects, as often as it takes. */
  start(): void {
    this.lostAt = performance.now();
    for (const connection of [this.hot, this.other]) connection.open().catch(() => undefined);
  }

  /** The node of a Cluster that is at this address. */
  expect(id: string): void {
    if (this.nodeId === id) return;
    this.nodeId = id;
    if (this.hot.connected && this.other.connected) void this.check();
  }

  /** Why it cannot be used, if waiting does not help. */
  get lastingTrouble(): string | undefined {
    return this.trouble?.lasting === true ? this.trouble.text : undefined;
  }

  /** Rejects if Redis cannot be reached or used. `check` runs as soon as it can be reached. */
  async open(check: () => Promise<void>): Promise<void> {
    const proved = new Promise<void>((resolve) => this.onReady(resolve));
    await Promise.all([this.hot.open(), this.other.open()]);
    await check();
    const giveUpAt = performance.now() + START_MS;
    while (!this.ready) {
      if (this.trouble?.lasting === true || performance.now() > giveUpAt)
        throw new Error(this.trouble?.text ?? 'Redis does not answer');
      await Promise.race([proved, wait(BACKOFF_FIRST_MS)]);
    }
  }

  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.timer);
    this.watch?.close();
    await Promise.all([this.hot.close(), this.other.close()]);
  }

  private connected(): void {
    this.suspend();
    this.trouble = undefined;
    void this.check();
  }

  private suspend(): void {
    this.noteLoss();
    this.hot.suspend();
    this.other.suspend();
  }

  private noteLoss(): void {
    if (!this.wasReady) return;
    this.wasReady = false;
    this.lostAt = performance.now();
  }

  private async check(): Promise<void> {
    if (this.checking) {
      this.checkAgain = true;
      return;
    }
    this.checking = true;
    do {
      this.checkAgain = false;
      await this.checkOnce();
      // Another session began meanwhile. Each session waits before it connects, so this loop cannot spin.
    } while (this.checkAgain && !this.closed);
    this.checking = false;
  }

  private async checkOnce(): Promise<void> {
    clearTimeout(this.timer);
    const { hot, other } = this;
    if (this.closed || !hot.connected || !other.connected) return;
    const infos = await Promise.all([this.infoOf(hot), this.infoOf(other)]).catch((error: Error) => error);
    // A session that has ended is followed by another one, which gets its own check.
    if (this.closed || this.checkAgain || !hot.connected || !other.connected) return;
    const trouble = infos instanceof Error ? unanswered(infos) : this.troubleIn(...infos);
    if (trouble !== undefined) return this.refuse(trouble);
    if (!(infos instanceof Error)) await this.prepareOnce(infos[1].id);
    if (!this.closed && !this.checkAgain && hot.connected && other.connected) this.admit();
  }

  private async prepareOnce(server: string): Promise<void> {
    if (server === this.preparedServer) return;
    await this.prepare(this.other).then(
      () => {
        this.preparedServer = server;
      },
      (error: Error) => this.onError(error),
    );
  }

  private async infoOf(connection: Connection): Promise<ServerInfo> {
    const id = this.isNode ? connection.ask('cluster', ['myid']) : undefined;
    const [info, nodeId] = await Promise.all([connection.ask('info', []), id]);
    return readInfo(String(info), nodeId === undefined ? undefined : String(nodeId));
  }

  private troubleIn(hot: ServerInfo, other: ServerInfo): Trouble | undefined {
    const unfit = hot.unfit ?? other.unfit;
    if (unfit !== undefined) return { text: unfit, lasting: true, leave: [] };
    if (hot.id === '' || other.id === '')
      return {
        text: 'INFO of Redis has no run_id: two connections cannot be shown to reach the same server',
        lasting: true,
        leave: [],
      };
    if (hot.isLoading || other.isLoading)
      return { text: 'Redis is loading its data', lasting: false, leave: [] };
    if (hot.id !== other.id) {
      const older = this.hot.connectedAt < this.other.connectedAt ? this.hot : this.other;
      const text = `two connections reached two Redis servers (run_id ${hot.id} and ${other.id}): the older connection is opened again`;
      return { text, lasting: false, leave: [older] };
    }
    if (this.nodeId !== undefined && hot.nodeId !== this.nodeId) {
      const text = `the node at this address is ${hot.nodeId}, and the Cluster expects ${this.nodeId}`;
      return { text, lasting: false, leave: [this.hot, this.other] };
    }
    if (!hot.isReplica) return undefined;
    return {
      text: 'Redis is a replica and accepts no writes',
      lasting: false,
      leave: [this.hot, this.other],
    };
  }

  private admit(): void {
    const before = this.hot.ready && this.other.ready;
    this.trouble = undefined;
    this.failures = 0;
    this.hot.admit();
    this.other.admit();
    this.schedule(CHECK_EVERY_MS);
    if (before) return;
    this.wasReady = true;
    for (const resolve of this.waiters.splice(0)) resolve();
    for (const listener of this.listeners) listener();
  }

  private refuse(trouble: Trouble): void {
    this.trouble = trouble;
    this.suspend();
    this.onError(new Error(trouble.text));
    this.failures += 1;
    const backoffMs = Math.min(BACKOFF_LAST_MS, BACKOFF_FIRST_MS * 2 ** Math.min(this.failures, 10));
    const delayMs = trouble.lasting ? UNFIT_EVERY_MS : backoffMs * (0.5 + Math.random() / 2);
    for (const connection of trouble.leave) connection.reconnect(delayMs);
    if (trouble.leave.length === 0) this.schedule(delayMs);
  }

  /** The old master may hang, and be in the middle of its check. */
  private follow(master: HostAndPort): void {
    const leave = [this.hot, this.other].filter((one) => one.connected && !one.isAt(master));
    if (this.closed || leave.length === 0) return;
    this.failures = 0;
    this.refuse({ text: 'Sentinel names another master: reconnecting', lasting: false, leave });
  }

  /** A demoted master still answers, so the name must be resolved again. */
  private leave(why: string): void {
    const now = performance.now();
    if (this.closed || !this.ready || now - this.leftAt < LEAVE_EVERY_MS) return;
    this.leftAt = now;
    this.refuse({ text: `${why}: reconnecting`, lasting: false, leave: [this.hot, this.other] });
  }

  private schedule(inMs: number): void {
    clearTimeout(this.timer);
    if (!this.closed) this.timer = setTimeout(() => void this.check(), inMs).unref();
  }
}

function unanswered(error: Error): Trouble {
  const denied = error.message.startsWith('NOPERM');
  return {
    text: denied ? `the Redis user lacks the permission for INFO: ${error.message}` : error.message,
    lasting: denied,
    leave: [],
  };
}

async function wait(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms).unref());
}
