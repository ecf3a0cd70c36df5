/**
 * Redis Cluster: a map from slots to the nodes that own them, and a pair of connections to each node. The map is read again
 * after MOVED, while an owner cannot be used, and from time to time. A call that was refused because of its slot did not run, so it
 * is sent again: once to where MOVED points, with ASKING where ASK points, and after a pause for TRYAGAIN, which Redis answers
 * while the keys of an org move to another node one after the other.
 *
 * The Cluster client of ioredis sends commands again on its own, and queues them: a script would run twice.
 */
import { setTimeout as delay } from 'node:timers/promises';
import slotOf from 'cluster-key-slot';
import { StoreError } from '../port.js';
import { Connection, type ConnectionOptions } from './connection.js';
import { ConnectionPair, type Prepare } from './pair.js';
import { CLUSTER_SUBCOMMANDS } from './permissions.js';
import type { HostAndPort } from './server-address.js';
import {
  type NodeName,
  type Redirect,
  type RedirectKind,
  readSlotMap,
  redirectIn,
  SLOTS,
  type SlotMap,
} from './slot-map.js';
import type { Asker, Send, Topology, Use } from './topology.js';

export interface ClusterAddress {
  /** Nodes that are asked for the others. */
  readonly hosts: readonly HostAndPort[];
  /** How long a decision is sent again. */
  readonly retryMs: number;
}

export interface ClusterOptions extends ConnectionOptions, ClusterAddress {
  /** Called when a call is sent again because of its slot. */
  readonly onRedirect?: ((kind: RedirectKind) => void) | undefined;
}

/** The map is looked at so often, and read again if there is a reason. */
const LOOK_EVERY_MS = 100;
const READ_EVERY_MS = 15_000;
const READ_TIMEOUT_MS = 500;
const NODES_ASKED = 3;
const OTHER_RETRY_MS = 1_000;
const AGAIN_FIRST_MS = 1;
const AGAIN_LAST_MS = 10;
const MOVES_MAX = 2;
/** A start waits so long for all nodes, and then for none. */
const START_MS = 10_000;
/** A node without slots is left when nothing was sent to it for so long. */
const IDLE_MS = 30_000;
const SLOT_MEMO_MAX = 10_000;

interface ClusterNode {
  readonly address: HostAndPort;
  readonly pair: ConnectionPair;
  usedAt: number;
}

export class Cluster implements Topology {
  /** By host and port. */
  private readonly nodes = new Map<string, ClusterNode>();
  private readonly owners = new Array<ClusterNode | undefined>(SLOTS).fill(undefined);
  private readonly listeners: (() => void)[] = [];
  private readonly slots = new Map<string, number>();
  private reading: Promise<void> | undefined;
  private readAt = Number.NEGATIVE_INFINITY;
  private isStale = false;
  private timer: NodeJS.Timeout | undefined;
  private closed = false;

  constructor(
    private readonly options: ClusterOptions,
    private readonly prepare: Prepare,
  ) {}

  get ready(): boolean {
    return this.some(({ pair }) => pair.ready);
  }

  get reconnecting(): boolean {
    return !this.ready && this.some(({ pair }) => pair.reconnecting);
  }

  private some(is: (node: ClusterNode) => boolean): boolean {
    for (const node of this.nodes.values()) if (is(node)) return true;
    return false;
  }

  onReady(listener: () => void): void {
    this.listeners.push(listener);
  }

  async open(check: (asker: Asker) => Promise<void>): Promise<void> {
    await this.read().catch((error: Error) => {
      throw startError(error);
    });
    const uncovered = this.owners.filter((owner) => owner === undefined).length;
    if (uncovered > 0) throw new Error(`the Cluster has no master for ${uncovered} of ${SLOTS} slots`);
    const giveUpAt = performance.now() + START_MS;
    this.look();
    await this.untilConnected(giveUpAt);
    const ask: Asker['ask'] = (command, args) => this.askFor(command, args);
    await check({ isCluster: true, database: 0, ask });
    while (this.notReady.length > 0) {
      const trouble = this.notReady.map(({ pair }) => pair.lastingTrouble).find((text) => text !== undefined);
      if (trouble !== undefined) throw new Error(trouble);
      if (performance.now() > giveUpAt) break;
      await delay(LOOK_EVERY_MS / 4);
    }
    if (!this.ready) throw new Error('no node of the Cluster can be used');
  }

  private async untilConnected(giveUpAt: number): Promise<void> {
    while (!this.some(({ pair }) => pair.other.connected)) {
      if (performance.now() > giveUpAt)
        throw new StoreError('no node of the Cluster can be reached', false, { answered: false });
      await delay(LOOK_EVERY_MS / 4);
    }
  }

  /** A command with keys goes to the owner of their slot, as EVAL has them. */
  private async askFor(command: string, args: (string | number)[]): Promise<unknown> {
    const key = command === 'eval' && Number(args[1]) > 0 ? String(args[2]) : '';
    const owner = this.owners[slotOf(key)];
    if (owner === undefined) throw noNode();
    return owner.pair.other.ask(command, args);
  }

  private slotOf(tag: string): number {
    let slot = this.slots.get(tag);
    if (slot === undefined) {
      slot = slotOf(tag);
      if (this.slots.size >= SLOT_MEMO_MAX) this.slots.clear();
      this.slots.set(tag, slot);
    }
    return slot;
  }

  async on<T>(use: Use, tag: string, send: Send<T>): Promise<T> {
    const slot = this.slotOf(tag);
    const giveUpAt = performance.now() + (use === 'decision' ? this.options.retryMs : OTHER_RETRY_MS);
    let node = this.owners[slot];
    let asking = false;
    let moves = 0;
    for (let tries = 0; ; tries += 1) {
      if (node === undefined) throw noNode();
      const connection = use === 'decision' ? node.pair.hot : node.pair.other;
      if (!connection.ready) await node.pair.untilReady(giveUpAt - performance.now());
      node.usedAt = performance.now();
      try {
        return await send(connection, asking);
      } catch (error) {
        const redirect = redirectIn(error, node.address);
        if (redirect === undefined || performance.now() > giveUpAt) throw error;
        if (redirect.kind === 'moved' && ++moves > MOVES_MAX) throw error;
        this.options.onRedirect?.(redirect.kind);
        node = await this.follow(redirect, slot, tries);
        asking = redirect.kind === 'ask';
      }
    }
  }

  private async follow(redirect: Redirect, slot: number, tries: number): Promise<ClusterNode | undefined> {
    switch (redirect.kind) {
      case 'moved':
        this.isStale = true;
        this.owners[slot] = this.nodeAt({ ...redirect.to, id: undefined });
        return this.owners[slot];
      case 'ask':
        return this.nodeAt({ ...redirect.to, id: undefined });
      case 'down':
        this.isStale = true;
        break;
    }
    await delay(
      Math.min(AGAIN_LAST_MS, AGAIN_FIRST_MS * 2 ** Math.min(tries, 10)) * (0.5 + Math.random() / 2),
    );
    return this.owners[slot];
  }

  private nodeAt({ host, port, id }: NodeName): ClusterNode {
    const name = `${host} ${port}`;
    let node = this.nodes.get(name);
    if (node === undefined) {
      const pair = new ConnectionPair({ ...this.options, node: { host, port } }, this.prepare);
      node = { address: { host, port }, pair, usedAt: performance.now() };
      this.nodes.set(name, node);
      pair.onReady(() => {
        for (const listener of this.listeners) listener();
      });
      pair.start();
    }
    if (id !== undefined) node.pair.expect(id);
    return node;
  }

  private get notReady(): ClusterNode[] {
    return [...new Set(this.owners)].filter(
      (owner) => owner !== undefined && !owner.pair.ready,
    ) as ClusterNode[];
  }

  /** Reads the map where there is a reason, now and from now on. */
  private look(): void {
    const isDue = this.isStale || this.notReady.length > 0 || performance.now() - this.readAt > READ_EVERY_MS;
    const read = isDue ? this.read().catch((error: Error) => this.options.onError?.(error)) : undefined;
    void Promise.resolve(read).then(() => {
      if (!this.closed) this.timer = setTimeout(() => this.look(), LOOK_EVERY_MS).unref();
    });
  }

  private read(): Promise<void> {
    this.reading ??= this.readNow().finally(() => {
      this.reading = undefined;
    });
    return this.reading;
  }

  private async readNow(): Promise<void> {
    this.isStale = false;
    const { owners } = (await this.newestMap()) ?? (await this.mapOfStranger());
    if (this.closed) return;
    this.readAt = performance.now();
    for (const [slot, name] of owners.entries())
      this.owners[slot] = name === undefined ? undefined : this.nodeAt(name);
    this.leaveIdle();
  }

  /** Of some of the nodes that are connected: a node that is cut off from the others has an old map. */
  private async newestMap(): Promise<SlotMap | undefined> {
    const ready = [...this.nodes.values()].filter(({ pair }) => pair.other.ready);
    const from = Math.floor(Math.random() * ready.length);
    const asked = [...ready.slice(from), ...ready.slice(0, from)].slice(0, NODES_ASKED);
    const maps = asked.map(({ pair, address }) => mapFrom(pair.other, address).catch(() => undefined));
    const timeout = delay(READ_TIMEOUT_MS, undefined, { ref: false });
    const answers = await Promise.all(maps.map((map) => Promise.race([map, timeout])));
    return answers.reduce((best, map) => ((map?.epoch ?? -1) > (best?.epoch ?? -1) ? map : best), undefined);
  }

  /** Asks the nodes of the config, and all that are known, one after the other. */
  private async mapOfStranger(): Promise<SlotMap> {
    let last: unknown;
    for (const node of [...this.options.hosts, ...[...this.nodes.values()].map(({ address }) => address)]) {
      const connection = new Connection({ ...this.options, node });
      try {
        await connection.open();
        return await mapFrom(connection, node);
      } catch (error) {
        last = error;
      } finally {
        await connection.close();
      }
    }
    throw last;
  }

  private leaveIdle(): void {
    const owners = new Set(this.owners);
    const idleSince = performance.now() - IDLE_MS;
    for (const [name, node] of this.nodes) {
      if (owners.has(node) || node.usedAt > idleSince) continue;
      this.nodes.delete(name);
      void node.pair.close();
    }
  }

  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.timer);
    await Promise.all([...this.nodes.values()].map(({ pair }) => pair.close()));
  }
}

async function mapFrom(connection: Connection, asked: HostAndPort): Promise<SlotMap> {
  const [slots, info] = await Promise.all([
    connection.ask('cluster', ['slots']),
    connection.ask('cluster', ['info']),
  ]);
  return readSlotMap(slots, info, asked);
}

/** What to do about a first answer that is an error. */
function startError(error: Error): Error {
  const { message } = error;
  if (/cluster support disabled/.test(message))
    return new Error('Redis is not a Cluster: set store.redis instead');
  if (!message.startsWith('NOPERM')) return error;
  const rules = CLUSTER_SUBCOMMANDS.map((name) => `+cluster|${name}`).join(' ');
  return new Error(`the Redis user may not read the slots: ${message}. Grant ${rules} with ACL SETUSER`);
}

function noNode(): StoreError {
  return new StoreError('no node of the Cluster serves the slot', false, { answered: false });
}
