/**
 * A TCP proxy between a gateway and Redis that holds back, delays, loses and cuts, per direction and connection: what a
 * network does, at the moment a test wants it.
 */

import type { AddressInfo } from 'node:net';
import { connect, createServer, type Server, type Socket } from 'node:net';

export type Direction = 'toStore' | 'toClient';

/** Pieces on a long way: they arrive in their order, `delayMs` later. */
class LongWay {
  delayMs = 0;
  private readonly pieces: { data: Buffer; at: number }[] = [];
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly arrive: (data: Buffer) => void) {}

  send(data: Buffer): void {
    if (this.delayMs === 0 && this.pieces.length === 0) {
      this.arrive(data);
      return;
    }
    this.pieces.push({ data, at: performance.now() + this.delayMs });
    this.timer ??= setTimeout(this.look, this.delayMs);
  }

  private readonly look = (): void => {
    this.timer = undefined;
    for (;;) {
      const [first] = this.pieces;
      if (first === undefined) return;
      const waitMs = first.at - performance.now();
      if (waitMs > 0.5) {
        this.timer = setTimeout(this.look, waitMs);
        return;
      }
      this.pieces.shift();
      this.arrive(first.data);
    }
  };
}

/** One client's connection through the proxy. */
export class Link {
  private readonly held: Record<Direction, Buffer[]> = { toStore: [], toClient: [] };
  private readonly holding: Record<Direction, boolean> = { toStore: false, toClient: false };
  private readonly ways: Record<Direction, LongWay> = {
    toStore: new LongWay((data) => this.store.write(data)),
    toClient: new LongWay((data) => this.client.write(data)),
  };
  private waiters: { direction: Direction; resolve: () => void }[] = [];

  constructor(
    readonly client: Socket,
    readonly store: Socket,
  ) {
    client.on('data', (data: Buffer) => this.pass('toStore', data));
    store.on('data', (data: Buffer) => this.pass('toClient', data));
    // A client that goes leaves what is held back to be delivered later: packets outlive their sender.
    client.on('close', () => {
      if (!this.holding.toStore) store.destroy();
    });
    store.on('close', () => client.destroy());
    for (const socket of [client, store]) socket.on('error', () => undefined);
  }

  private pass(direction: Direction, data: Buffer): void {
    if (this.holding[direction]) {
      this.held[direction].push(data);
      this.waiters = this.waiters.filter((waiter) => {
        if (waiter.direction === direction) waiter.resolve();
        return waiter.direction !== direction;
      });
    } else this.ways[direction].send(data);
  }

  /** Both ways together take `roundTripMs` longer. */
  slow(roundTripMs: number): void {
    for (const way of Object.values(this.ways)) way.delayMs = roundTripMs / 2;
  }

  hold(direction: Direction): void {
    this.holding[direction] = true;
  }

  /** Resolves when something has come that is being held back. */
  async untilHeld(direction: Direction): Promise<void> {
    if (this.held[direction].length > 0) return;
    await new Promise<void>((resolve) => this.waiters.push({ direction, resolve }));
  }

  deliver(direction: Direction): void {
    this.holding[direction] = false;
    for (const data of this.held[direction].splice(0)) this.ways[direction].send(data);
  }

  /** What was held back is lost. */
  lose(direction: Direction): void {
    this.held[direction].length = 0;
  }

  cutClient(): void {
    this.client.destroy();
  }
}

export class FaultProxy {
  readonly links: Link[] = [];
  /** Applied to each new connection before its first byte. */
  onLink: (link: Link) => void = () => undefined;
  /** Where each new connection leads, in place of `target`. */
  targetOf: (() => string) | undefined;
  private refusing = false;

  private constructor(
    private readonly server: Server,
    /** Path of the unix socket to which new connections lead. */
    public target: string,
  ) {}

  /** `target`: path of a unix socket. */
  static async start(target: string): Promise<FaultProxy> {
    const server = createServer({ noDelay: true });
    const proxy = new FaultProxy(server, target);
    server.on('connection', (client) => {
      if (proxy.refusing) {
        client.destroy();
        return;
      }
      const link = new Link(client, connect(proxy.targetOf?.() ?? proxy.target));
      proxy.links.push(link);
      proxy.onLink(link);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get url(): string {
    return `redis://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  refuse(refusing: boolean): void {
    this.refusing = refusing;
  }

  /** For every connection there is and will be. */
  treatAll(treat: (link: Link) => void): void {
    this.onLink = treat;
    for (const link of this.links) treat(link);
  }

  cutAll(): void {
    for (const link of this.links) link.cutClient();
  }

  async close(): Promise<void> {
    for (const link of this.links) {
      link.client.destroy();
      link.store.destroy();
    }
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }
}
