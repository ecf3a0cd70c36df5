/** One connection to Redis, every option spelled out with its reason. */
import { Command, Redis } from 'ioredis';
import { StoreError } from '../port.js';
import type { Script } from './scripts.js';

export interface ConnectionOptions {
  /** redis://host:port, rediss://host:port or unix:///path of a socket. */
  readonly url: string;
  /** Asked again at every new connection: a password that was changed is found without a restart. */
  readonly password?: () => string;
  /** A connection that is silent for this long with calls in flight is given up; what became of them is found out later. */
  readonly silenceMs?: number;
  readonly onError?: (error: Error) => void;
}

const CONNECT_TIMEOUT_MS = 2_000;
const SILENCE_MS = 2_000;
const RECONNECT_MAX_MS = 500;
/** A replica that stays one is not left and come back to for every call it refuses. */
const LEAVE_REPLICA_EVERY_MS = 1_000;

/** Errors after which the script certainly changed nothing: Redis refused it before its first write. */
const DID_NOT_RUN =
  /^(NOSCRIPT|READONLY|OOM|LOADING|NOAUTH|NOPERM|MASTERDOWN|NOREPLICAS|MISCONF|BUSY|CLUSTERDOWN)\b/;

export class Connection {
  private readonly redis: Redis;
  private readonly onError: (error: Error) => void;
  private leftReplicaAt = Number.NEGATIVE_INFINITY;

  constructor(private readonly options: ConnectionOptions) {
    this.onError = options.onError ?? (() => undefined);
    // ioredis takes a socket by its path.
    this.redis = new Redis(options.url.replace(/^unix:\/\//, ''), {
      lazyConnect: true,
      connectTimeout: CONNECT_TIMEOUT_MS,
      socketTimeout: options.silenceMs ?? SILENCE_MS,
      // A call that waits here while Redis is down would run long after its caller was answered.
      enableOfflineQueue: false,
      // A call sent again by the client library would not be told from the first.
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
      // Replies are arrays of integers and strings in RESP2; nothing here gains from RESP3.
      protocol: 2,
      noDelay: true,
      keepAlive: 10_000,
      disableClientInfo: true,
      retryStrategy: (times) => {
        this.renewPassword();
        return Math.min(20 * 2 ** Math.min(times, 10), RECONNECT_MAX_MS) * (0.5 + Math.random() / 2);
      },
      // A replica that was a master before a fail-over: go and find the new one.
      reconnectOnError: (error) => error.message.startsWith('READONLY') && this.mayLeaveReplica(),
      ...(options.password === undefined ? {} : { password: options.password() }),
    });
    this.redis.on('error', (error: Error) => this.onError(error));
  }

  /** Told at every connection from now on, once it can be used. */
  onReady(heard: () => void): void {
    this.redis.on('ready', heard);
  }

  private renewPassword(): void {
    if (this.options.password === undefined) return;
    try {
      this.redis.options.password = this.options.password();
    } catch (error) {
      this.onError(error instanceof Error ? error : new Error(String(error)));
    }
  }

  private mayLeaveReplica(): boolean {
    const now = performance.now();
    if (now - this.leftReplicaAt < LEAVE_REPLICA_EVERY_MS) return false;
    this.leftReplicaAt = now;
    return true;
  }

  get ready(): boolean {
    return this.redis.status === 'ready';
  }

  async open(): Promise<void> {
    try {
      await this.redis.connect();
    } catch (error) {
      throw new StoreError('Redis cannot be reached', false, { cause: error });
    }
  }

  /** Why this Redis cannot keep counters; undefined where it can. */
  async unfitness(): Promise<string | undefined> {
    const info = String(await this.send('info', []));
    const field = (name: string): string => new RegExp(`^${name}:(.*)$`, 'm').exec(info)?.[1]?.trim() ?? '';
    const version = field('redis_version');
    const [major = 0, minor = 0] = version.split('.').map(Number);
    // Older ones lack commands that the scripts use.
    if (major < 6 || (major === 6 && minor < 2)) return `Redis ${version} is too old: 6.2 or newer is needed`;
    const policy = field('maxmemory_policy');
    if (policy === '' || policy === 'noeviction') return undefined;
    return `Redis has maxmemory-policy ${policy}: set it to noeviction, or counters get lost silently`;
  }

  async run(script: Script, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    try {
      return await this.send('evalsha', [script.sha, keys.length, ...keys, ...args]);
    } catch (error) {
      const unknown = error instanceof StoreError && error.message.startsWith('NOSCRIPT');
      if (!unknown) throw error;
      // Redis was restarted or its scripts flushed: this one did not run, and EVAL brings it back.
      return this.send('eval', [script.source, keys.length, ...keys, ...args]);
    }
  }

  async send(command: string, args: (string | number)[]): Promise<unknown> {
    if (!this.ready) throw new StoreError('Redis is not connected', false);
    try {
      return await this.redis.sendCommand(new Command(command, args, { replyEncoding: 'utf8' }));
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      throw new StoreError(message, DID_NOT_RUN.test(message) ? false : 'unknown', { cause: error });
    }
  }

  async close(): Promise<void> {
    if (this.redis.status === 'ready') await this.redis.quit().catch(() => this.redis.disconnect());
    else this.redis.disconnect();
  }
}
