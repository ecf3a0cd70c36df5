/** Which servers hold the ledger, and which connection a command takes. */
import type { Connection, ConnectionOptions } from './connection.js';
import { ConnectionPair, type Prepare } from './pair.js';

/** Decisions have connections of their own. */
export type Use = 'decision' | 'other';

/** `asking`: the slot is on its way to this node of a Cluster. May be called again, if the command did not run. */
export type Send<T> = (connection: Connection, asking: boolean) => Promise<T>;

export interface Topology {
  /** Decisions can be made, in a Cluster at least for some orgs. */
  readonly ready: boolean;
  readonly reconnecting: boolean;
  /** Called each time a server becomes usable. */
  onReady(listener: () => void): void;
  /** Rejects if Redis cannot be reached or used. `check` runs as soon as it can be reached. */
  open(check: (asker: Asker) => Promise<void>): Promise<void>;
  /** Sends on the connection for the keys with this hash tag; of a key without a tag, it is the key itself. */
  on<T>(use: Use, tag: string, send: Send<T>): Promise<T>;
  close(): Promise<void>;
}

/** Asks a server before it has been checked: whether its user has the permissions for this key. */
export interface Asker {
  readonly isCluster: boolean;
  readonly database: number;
  ask(command: string, args: (string | number)[]): Promise<unknown>;
}

/** One server, by its address or behind Sentinels. */
export class SingleServer implements Topology {
  private readonly pair: ConnectionPair;
  private readonly hot: Connection;

  constructor(options: ConnectionOptions, prepare: Prepare) {
    this.pair = new ConnectionPair(options, prepare);
    this.hot = this.pair.hot;
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

  open(check: (asker: Asker) => Promise<void>): Promise<void> {
    const { other } = this.pair;
    const ask: Asker['ask'] = (command, args) => other.ask(command, args);
    return this.pair.open(() => check({ isCluster: false, database: other.database, ask }));
  }

  on<T>(use: Use, _tag: string, send: Send<T>): Promise<T> {
    if (use === 'decision') return send(this.hot, false);
    return this.pair.readyOther().then((connection) => send(connection, false));
  }

  close(): Promise<void> {
    return this.pair.close();
  }
}
