/**
 * A TCP proxy between a gateway and Redis that holds back, delays, loses and cuts, per direction and connection: what a
 * network does, at the moment a test wants it.
 */

import type { AddressInfo } from 'node:net';
import { connect, createServer, type Server, type Socket } from 'node:net';

export type Direction = 'toStore' | 'toClient';

/** One client's connection through the proxy. */
export class Link {
  private readonly held: Record<Direction, Buffer[]> = { toStore: [], toClient: [] };
  private readonly holding: Record<Direction, boolean> = { toStore: false, toClient: false };
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
    } else this.to(direction).write(data);
  }

  private to(direction: Direction): Socket {
    return direction === 'toStore' ? this.store : this.client;
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
    for (const data of this.held[direction].splice(0)) this.to(direction).write(data);
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
  private refusing = false;

  private constructor(private readonly server: Server) {}

  /** `target`: path of a unix socket. */
  static async start(target: string): Promise<FaultProxy> {
    const server = createServer({ noDelay: true });
    const proxy = new FaultProxy(server);
    server.on('connection', (client) => {
      if (proxy.refusing) {
        client.destroy();
        return;
      }
      const link = new Link(client, connect(target));
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
