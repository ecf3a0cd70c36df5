/** One connection to Redis. Every option is explained. */
import type { Socket } from 'node:net';
import { Command, Redis, ReplyError } from 'ioredis';
import { StoreError } from '../port.js';
import { type ErrorReply, readErrorReply } from './error-reply.js';
import { ignoreLaterErrors } from './later-errors.js';
import type { Script } from './scripts.js';
import {
  addressOptions,
  type ClientOptions,
  type HostAndPort,
  type ServerAddress,
  secretOptions,
  sentinelError,
} from './server-address.js';

export interface ConnectionOptions extends ServerAddress {
  /**
   * A connection that is silent for this long with calls in flight is closed, a quarter later at most; its calls are
   * reconciled later.
   */
  readonly silenceMs?: number;
  readonly onError?: (error: Error) => void;
}

const CONNECT_TIMEOUT_MS = 2_000;
const SILENCE_MS = 2_000;
const RECONNECT_MAX_MS = 500;
const SHORT_SESSION_MS = 200;
const SENTINELS_AGAIN_MS = 50;
/** The message of ioredis if it did not write the command. */
const NOT_SENT = /^Stream isn't writeable/;
/** ioredis asks the Sentinels in turn, over several connection attempts, and then starts again: no Sentinel failed. */
const SENTINELS_IN_TURN = /^All sentinels are unreachable\. Retrying from scratch after \d+ms\.$/;
/** Whether or not it starts again: each Sentinel's own error has said why. */
const ALL_SENTINELS = /^All sentinels are unreachable\b/;

/** What ioredis needs of a command: it writes `toWritable()` and calls `resolve` or `reject` once. */
class TextCommand {
  readonly args: readonly [] = NO_ARGS;
  /** It would be traced, by a promise, if it were not marked. */
  readonly isTraced = true;
  readonly promise = undefined;

  constructor(
    readonly name: string,
    private readonly text: string,
    readonly resolve: (reply: unknown) => void,
    readonly reject: (error: unknown) => void,
  ) {}

  setReplyContext(): void {}

  toWritable(): string {
    return this.text;
  }
}

const NO_ARGS: readonly [] = [];

/** What goes with a command. */
export interface Terms {
  /** A node of a Cluster imports the slot. */
  readonly asking: boolean;
  /** So many replicas must have the command within `waitMs`; otherwise it counts as unanswered. 0: none. */
  readonly replicas: number;
  readonly waitMs: number;
}

export const PLAIN: Terms = { asking: false, replicas: 0, waitMs: 0 };

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
  private readonly silenceMs: number;
  private admitted = false;
  private leastDelayMs = 0;
  /** Why it is not connected. ioredis rejects `connect` with `Connection is closed.` only. */
  private lastError: Error | undefined;
  private inFlight = 0;
  /** When the server was last heard, or the first of the calls in flight was sent. */
  private heardAt = 0;
  private silenceTimer: NodeJS.Timeout | undefined;

  constructor(private readonly options: ConnectionOptions) {
    this.onError = options.onError ?? (() => undefined);
    this.silenceMs = options.silenceMs ?? SILENCE_MS;
    const clientOptions: ClientOptions = {
      lazyConnect: true,
      connectTimeout: CONNECT_TIMEOUT_MS,
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
      ...addressOptions(options, () => this.delayBeforeSentinels()),
    };
    // ioredis takes the path of a socket as a separate option.
    const path = options.url?.replace(/^unix:\/\//, '');
    this.redis = path === undefined ? new Redis(clientOptions) : new Redis(path, clientOptions);
    // Set explicitly, because a URL with a user name would otherwise set its empty password first.
    Object.assign(this.redis.options, secretOptions(options));
    ignoreLaterErrors(this.redis);
    this.redis.on('error', (error: Error) => {
      if (!ALL_SENTINELS.test(error.message)) this.lastError = error;
      if (!SENTINELS_IN_TURN.test(error.message)) this.onError(error);
    });
    const { sentinel } = options;
    if (sentinel !== undefined)
      this.redis.on('sentinelError', (error: Error) => {
        this.lastError = sentinelError(error, sentinel);
        this.onError(this.lastError);
      });
    this.redis.on('ready', () => {
      this.connectedAt = performance.now();
      this.watchSilence();
      this.onConnect();
    });
    this.redis.on('close', () => {
      this.admitted = false;
      clearInterval(this.silenceTimer);
      this.onClose();
    });
  }

  /** Redis closes idle connections. The next one is opened at once, unless the last one was also short-lived. */
  private delayBefore(times: number): number {
    this.renewSecrets();
    const leastMs = this.leastDelayMs;
    this.leastDelayMs = 0;
    const isFirst = times === 1 && performance.now() - this.connectedAt > SHORT_SESSION_MS;
    const delayMs = isFirst ? 0 : Math.min(20 * 2 ** Math.min(times, 10), RECONNECT_MAX_MS);
    return Math.max(delayMs * (0.5 + Math.random() / 2), leastMs);
  }

  /** A start fails at once if no Sentinel names a master; later, the Sentinels are asked repeatedly. */
  private delayBeforeSentinels(): number | null {
    if (this.connectedAt === 0) return null;
    this.renewSecrets();
    return SENTINELS_AGAIN_MS;
  }

  private renewSecrets(): void {
    try {
      Object.assign(this.redis.options, secretOptions(this.options));
    } catch (error) {
      this.onError(error instanceof Error ? error : new Error(String(error)));
    }
  }

  /** One timer a connection: ioredis' `socketTimeout` has one a command. */
  private watchSilence(): void {
    clearInterval(this.silenceTimer);
    const { stream } = this.redis;
    const look = (): void => {
      if (this.inFlight === 0 || performance.now() - this.heardAt < this.silenceMs) return;
      stream.destroy(new Error(`Redis was silent for ${this.silenceMs} ms with calls in flight`));
    };
    this.silenceTimer = setInterval(look, this.silenceMs / 4).unref();
  }

  private noteSent(): void {
    if (this.inFlight === 0) this.heardAt = performance.now();
    this.inFlight += 1;
  }

  private noteHeard(): void {
    this.inFlight -= 1;
    this.heardAt = performance.now();
  }

  /** ioredis' status stays `ready` from the moment the server ends the stream until the stream has closed. */
  get connected(): boolean {
    return this.redis.status === 'ready' && this.redis.stream.writable;
  }

  /** The database number. */
  get database(): number {
    return this.redis.options.db ?? 0;
  }

  /** Whether the present session reaches this server. */
  isAt({ host, port }: HostAndPort): boolean {
    const socket = this.redis.stream as Socket | undefined;
    return socket?.remoteAddress === host && socket.remotePort === port;
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
      const { lastError } = this;
      throw lastError === undefined
        ? new StoreError('Redis cannot be reached', false, { cause: error, answered: false })
        : new StoreError(`Redis cannot be reached: ${lastError.message}`, false, { answered: false });
    }
  }

  async run(
    script: Script,
    keys: readonly string[],
    args: readonly (string | number)[],
    terms: Terms = PLAIN,
  ): Promise<unknown> {
    return orWithSource((withSource) => {
      const [command, text] = withSource ? ['eval', script.source] : ['evalsha', script.sha];
      return this.send(command, [text, keys.length, ...keys, ...args], terms);
    });
  }

  async send(command: string, args: (string | number)[], terms: Terms = PLAIN): Promise<unknown> {
    if (!this.ready) throw new StoreError('Redis is not connected', false, { answered: false });
    return this.under(terms, () => this.ask(command, args));
  }

  /** ASKING is about the next command, and WAIT about those before it: all go in one write. */
  under<T>(terms: Terms, send: () => Promise<T>): Promise<T> {
    return terms.asking || terms.replicas > 0 ? this.corked(terms, send) : send();
  }

  private async corked<T>({ asking, replicas, waitMs }: Terms, send: () => Promise<T>): Promise<T> {
    const socket = this.redis.stream as Socket;
    socket.cork();
    // If it fails, the command is answered with MOVED.
    if (asking) this.ask('asking', []).catch(() => undefined);
    const reply = send();
    const waiting = replicas === 0 ? undefined : this.ask('wait', [replicas, waitMs]);
    waiting?.catch(() => undefined);
    socket.uncork();
    const answer = await reply;
    const reached = waiting === undefined ? replicas : Number(await waiting);
    if (reached >= replicas) return answer;
    throw new StoreError(`${reached} of ${replicas} replicas have it within ${waitMs} ms`, 'unknown');
  }

  /** Like `send`, but for a server that has not been checked: used by the check itself. */
  async ask(command: string, args: (string | number)[]): Promise<unknown> {
    this.noteSent();
    try {
      return await this.redis.sendCommand(new Command(command, args, { replyEncoding: 'utf8' }));
    } catch (error) {
      throw this.storeError(error);
    } finally {
      this.noteHeard();
    }
  }

  /**
   * Sends a command that is text already; returns the raw reply, its strings as buffers. For decisions: a command object of
   * ioredis costs more promises, a copy of the arguments and a trace each.
   */
  sendText(name: string, text: string): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (!this.ready) {
        reject(new StoreError('Redis is not connected', false, { answered: false }));
        return;
      }
      this.noteSent();
      const command = new TextCommand(
        name,
        text,
        (reply) => {
          this.noteHeard();
          resolve(reply);
        },
        (error) => {
          this.noteHeard();
          reject(this.storeError(error));
        },
      );
      this.redis.sendCommand(command as unknown as Command);
    });
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

/** Redis was restarted or its scripts were flushed: the call did not run, and EVAL loads the script again. */
export function orWithSource(send: (withSource: boolean) => Promise<unknown>): Promise<unknown> {
  return send(false).catch((error: Error) => {
    if (!error.message.startsWith('NOSCRIPT')) throw error;
    return send(true);
  });
}
