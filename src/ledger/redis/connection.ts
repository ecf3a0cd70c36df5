/** One connection to Redis. Every option is explained. */
import { Command, Redis, ReplyError } from 'ioredis';
import { StoreError } from '../port.js';
import { type ErrorReply, readErrorReply } from './error-reply.js';
import type { Script } from './scripts.js';

export interface ConnectionOptions {
  /** redis://host:port, rediss://host:port, or unix:///path of a socket. */
  readonly url: string;
  /** Read at every new connection, so that a changed password needs no restart. */
  readonly password?: () => string;
  /** A connection that is silent for this long with calls in flight is closed; its calls are reconciled later. */
  readonly silenceMs?: number;
  readonly onError?: (error: Error) => void;
}

const CONNECT_TIMEOUT_MS = 2_000;
const SILENCE_MS = 2_000;
const RECONNECT_MAX_MS = 500;
const SHORT_SESSION_MS = 200;
/** The message of ioredis if it did not write the command. */
const NOT_SENT = /^Stream isn't writeable/;

export class Connection {
  /** Called when a session begins; nothing is sent in it before `admit`. */
  onConnect: () => void = () => undefined;
  onClose: () => void = () => undefined;
  /** Called for an error reply that means that this server must be left. */
  onLeave: (reply: ErrorReply) => void = () => undefined;
  /** When the present session began. */
  connectedAt = 0;
  private readonly redis: Redis;
  private readonly onError: (error: Error) => void;
  private admitted = false;
  private leastDelayMs = 0;

  constructor(private readonly options: ConnectionOptions) {
    this.onError = options.onError ?? (() => undefined);
    // ioredis takes the path of a socket as a separate option.
    this.redis = new Redis(options.url.replace(/^unix:\/\//, ''), {
      lazyConnect: true,
      connectTimeout: CONNECT_TIMEOUT_MS,
      socketTimeout: options.silenceMs ?? SILENCE_MS,
      // Queueing is off: a call that waits here while Redis is down would run long after its caller was answered.
      enableOfflineQueue: false,
      // Retries are off: a call that the client library sends again cannot be distinguished from the first.
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
      // The check of the server (pair.ts) reads the same INFO and reports what is wrong.
      enableReadyCheck: false,
      // In RESP2, replies are arrays of integers and strings; RESP3 has no benefit here.
      protocol: 2,
      noDelay: true,
      keepAlive: 10_000,
      disableClientInfo: true,
      retryStrategy: (times) => this.delayBefore(times),
    });
    // Set explicitly, because a URL with a user name would otherwise set its empty password first.
    if (options.password !== undefined) this.redis.options.password = options.password();
    this.redis.on('error', (error: Error) => this.onError(error));
    this.redis.on('ready', () => {
      this.connectedAt = performance.now();
      this.onConnect();
    });
    this.redis.on('close', () => {
      this.admitted = false;
      this.onClose();
    });
  }

  /** Redis closes idle connections. The next one is opened at once, unless the last one was also short-lived. */
  private delayBefore(times: number): number {
    this.renewPassword();
    const leastMs = this.leastDelayMs;
    this.leastDelayMs = 0;
    const isFirst = times === 1 && performance.now() - this.connectedAt > SHORT_SESSION_MS;
    const delayMs = isFirst ? 0 : Math.min(20 * 2 ** Math.min(times, 10), RECONNECT_MAX_MS);
    return Math.max(delayMs * (0.5 + Math.random() / 2), leastMs);
  }

  private renewPassword(): void {
    if (this.options.password === undefined) return;
    try {
      this.redis.options.password = this.options.password();
    } catch (error) {
      this.onError(error instanceof Error ? error : new Error(String(error)));
    }
  }

  get connected(): boolean {
    return this.redis.status === 'ready';
  }

  /** The database number in the URL. */
  get database(): number {
    return this.redis.options.db ?? 0;
  }

  /** Connected, and the server has been checked. */
  get ready(): boolean {
    return this.admitted && this.connected;
  }

  admit(): void {
    this.admitted = true;
  }

  /** Blocks new calls until the session is admitted; calls in flight continue. */
  suspend(): void {
    this.admitted = false;
  }

  /** Ends this session; the next one begins after at least `delayMs`. */
  reconnect(delayMs: number): void {
    this.admitted = false;
    if (!this.connected) return;
    this.leastDelayMs = delayMs;
    this.redis.disconnect(true);
  }

  async open(): Promise<void> {
    try {
      await this.redis.connect();
    } catch (error) {
      throw new StoreError('Redis cannot be reached', false, { cause: error, answered: false });
    }
  }

  async run(script: Script, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    try {
      return await this.send('evalsha', [script.sha, keys.length, ...keys, ...args]);
    } catch (error) {
      const unknown = error instanceof StoreError && error.message.startsWith('NOSCRIPT');
      if (!unknown) throw error;
      // Redis was restarted or its scripts were flushed: the call did not run, and EVAL loads the script again.
      return this.send('eval', [script.source, keys.length, ...keys, ...args]);
    }
  }

  async send(command: string, args: (string | number)[]): Promise<unknown> {
    if (!this.ready) throw new StoreError('Redis is not connected', false, { answered: false });
    return this.ask(command, args);
  }

  /** Like `send`, but for a server that has not been checked: used by the check itself. */
  async ask(command: string, args: (string | number)[]): Promise<unknown> {
    try {
      return await this.redis.sendCommand(new Command(command, args, { replyEncoding: 'utf8' }));
    } catch (error) {
      throw this.storeError(error);
    }
  }

  private storeError(error: unknown): StoreError {
    const message = error instanceof Error ? error.message : String(error);
    if (!(error instanceof ReplyError)) {
      const ran = NOT_SENT.test(message) ? false : 'unknown';
      return new StoreError(message, ran, { cause: error, answered: false });
    }
    const reply = readErrorReply(message);
    if (reply.leave) this.onLeave(reply);
    return new StoreError(message, reply.ran, { cause: error });
  }

  async close(): Promise<void> {
    this.admitted = false;
    if (this.connected) await this.redis.quit().catch(() => this.redis.disconnect());
    else this.redis.disconnect();
  }
}
