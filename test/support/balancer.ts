/**
 * A plain TCP balancer: each connection goes to the next replica that says it is ready, as a Service of Kubernetes does it.
 * It asks `/readyz` from time to time, so it learns of a replica's end a moment late.
 */
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import type { Addresses } from '../../src/app/running.js';
import { ask } from './gateway.js';

const LOOK_EVERY_MS = 100;

interface Replica {
  readonly at: Pick<Addresses, 'gateway' | 'ops'>;
  ready: boolean;
  taken: number;
}

export class Balancer {
  private readonly replicas: Replica[];
  private readonly clients = new Set<Socket>();
  private readonly timer: NodeJS.Timeout;
  private turn = 0;

  private constructor(
    private readonly server: Server,
    replicas: readonly Replica['at'][],
  ) {
    this.replicas = replicas.map((at) => ({ at, ready: true, taken: 0 }));
    this.timer = setInterval(() => void this.look(), LOOK_EVERY_MS);
    server.on('connection', (client) => this.pass(client));
  }

  static async start(replicas: readonly Replica['at'][]): Promise<Balancer> {
    const server = createServer({ noDelay: true, allowHalfOpen: true });
    const balancer = new Balancer(server, replicas);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return balancer;
  }

  get address(): string {
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Connections that each replica was given. */
  get taken(): number[] {
    return this.replicas.map(({ taken }) => taken);
  }

  async close(): Promise<void> {
    clearInterval(this.timer);
    for (const client of this.clients) client.destroy();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  private async look(): Promise<void> {
    for (const replica of this.replicas) {
      const status = await ask(replica.at.ops, '/readyz').then(
        (reply) => reply.status,
        () => 0,
      );
      replica.ready = status === 200;
    }
  }

  private pass(client: Socket): void {
    const ready = this.replicas.filter((one) => one.ready);
    const replica = ready[this.turn % ready.length];
    this.turn += 1;
    if (replica === undefined) {
      client.destroy();
      return;
    }
    replica.taken += 1;
    const [host = '', port] = replica.at.gateway.split(':');
    const server = connect({ host, port: Number(port), noDelay: true, allowHalfOpen: true });
    this.clients.add(client);
    client.pipe(server).pipe(client);
    // What fails on one side fails on the other: nothing is hidden, and nothing tried again.
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      one.on('error', () => other.destroy());
      one.on('close', () => this.clients.delete(client));
    }
  }
}
