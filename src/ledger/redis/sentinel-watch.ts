/**
 * Subscribes to every Sentinel, so that a master that hangs or is cut off is left as soon as a Sentinel names another
 * one.
 */
import { Redis } from 'ioredis';
import { ignoreLaterErrors } from './later-errors.js';
import { type HostAndPort, type ServerAddress, secretOptions } from './server-address.js';

const CHANNEL = '+switch-master';
const CONNECT_TIMEOUT_MS = 1_000;
const AGAIN_MS = 1_000;

export class SentinelWatch {
  private readonly clients: readonly Redis[];

  constructor(
    private readonly address: ServerAddress,
    /** Called with the new master. Each Sentinel names it when it has learned of it. */
    onSwitch: (master: HostAndPort) => void,
  ) {
    const { name = '', hosts = [] } = address.sentinel ?? {};
    this.clients = hosts.map((host) => {
      const client: Redis = new Redis({
        ...host,
        ...this.secrets(),
        ...(address.sentinel?.username === undefined ? {} : { username: address.sentinel.username }),
        connectTimeout: CONNECT_TIMEOUT_MS,
        enableReadyCheck: false,
        maxRetriesPerRequest: 0,
        protocol: 2,
        keepAlive: 10_000,
        disableClientInfo: true,
        retryStrategy: () => {
          Object.assign(client.options, this.secrets());
          return AGAIN_MS;
        },
      });
      // The connections to the master report failing Sentinels when they need them.
      ignoreLaterErrors(client);
      client.on('ready', () => client.subscribe(CHANNEL).catch(() => undefined));
      client.on('message', (_channel, message) => {
        const [master, , , host = '', port] = message.split(' ');
        if (master === name) onSwitch({ host, port: Number(port) });
      });
      return client;
    });
  }

  /** An unreadable file is read again at the next attempt. */
  private secrets() {
    const { sentinel, tls } = this.address;
    try {
      return secretOptions({ password: sentinel?.password, tls });
    } catch {
      return {};
    }
  }

  close(): void {
    for (const client of this.clients) client.disconnect();
  }
}
