/** Opens listeners, and manages the certificates of those with TLS. */
import type { Server } from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { variableOf } from '../config/environment.js';
import type { Config } from '../config/schema.js';
import { type Address, formatAddress, parseAddress } from '../config/values.js';
import { Certificate } from '../observe/certificate.js';
import type { ProcessMetrics } from '../observe/metrics.js';

type Bound = ReturnType<Server['address']>;

/** Resolves with `host:port`. Fastify's own text names 127.0.0.1 where it listens on all addresses. */
export function listenOn(app: FastifyInstance, setting: string, text: string): Promise<string> {
  return listenAt(setting, text, async (address) => {
    await app.listen(address);
    return app.server.address();
  });
}

/** Resolves with `host:port`; `listen` resolves with the bound address. If it fails, the error names the setting. */
export async function listenAt(
  setting: string,
  text: string,
  listen: (address: Address) => Promise<Bound>,
): Promise<string> {
  const address = addressOf(text);
  const bound = await naming(setting, text, () => listen(address));
  // Port 0 is any free one.
  return formatAddress(
    bound === null || typeof bound === 'string' ? address : { ...address, port: bound.port },
  );
}

/** Reasons why a process cannot listen, for people. */
const LISTEN_ERRORS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'is taken: another process listens there. Stop it, or set another port',
  EACCES: 'is not allowed to this user. Set a port from 1024 on',
  EADDRNOTAVAIL: 'is not an address of this machine. Set one of its addresses, or 0.0.0.0 for all',
  ENOTFOUND: 'has a host name that is not found. Set an IP address',
};

async function naming<T>(setting: string, text: string, listen: () => Promise<T>): Promise<T> {
  try {
    return await listen();
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    const why = LISTEN_ERRORS[code] ?? 'cannot be opened. Set another address';
    const place = `${setting} in the config, or the variable ${variableOf(setting.split('.'))}`;
    throw new Error(`${setting}: ${text} ${why}: ${place}`, { cause: error });
  }
}

export function addressOf(text: string): Address {
  const address = parseAddress(text);
  if (address === undefined) throw new Error(`${text} is not an address to listen on`);
  // For localhost, Fastify creates a second server, whose connections and certificate would not be managed.
  return address.host === 'localhost' ? { ...address, host: '127.0.0.1' } : address;
}

/** Time to send responses to requests that were aborted. */
const LAST_WORDS_MS = 500;

/**
 * Closes when the current requests have ended. After `ms`, `onLate` may end them; then their connections are closed.
 */
export async function closeWithin(
  app: FastifyInstance,
  ms: number,
  onLate: () => Promise<void> = async () => undefined,
): Promise<void> {
  const closed = app.close();
  if (await isOverIn(closed, ms)) return closed;
  await onLate();
  if (!(await isOverIn(closed, LAST_WORDS_MS))) app.server.closeAllConnections();
  await closed;
}

async function isOverIn(job: PromiseLike<unknown>, ms: number): Promise<boolean> {
  const waiting = new AbortController();
  const late = delay(ms, false, { signal: waiting.signal });
  try {
    return await Promise.race([job.then(() => true), late]);
  } finally {
    waiting.abort();
    late.catch(() => undefined);
  }
}

type Listener = 'gateway' | 'admin';

/** The certificates of the listeners: read at start, at each change of their files, and on request. */
export class Certificates {
  private readonly byListener = new Map<Listener, Certificate>();
  private readonly servers = new Map<Listener, FastifyInstance>();

  /** Throws if a file cannot be read. */
  constructor(
    { tls, adminTls }: Config['server'],
    private readonly logger: Logger,
    private readonly metrics: ProcessMetrics,
  ) {
    try {
      if (tls !== undefined) this.open('gateway', tls);
      if (adminTls !== undefined) this.open('admin', adminTls);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** TLS options for creating the listener's server; undefined for none. */
  of(listener: Listener): { readonly cert: string; readonly key: string } | undefined {
    return this.byListener.get(listener)?.pair;
  }

  /** From now on the server gets changed certificates. */
  serve(listener: Listener, app: FastifyInstance): void {
    this.servers.set(listener, app);
  }

  reload(): void {
    for (const certificate of this.byListener.values()) certificate.reload();
  }

  close(): void {
    for (const certificate of this.byListener.values()) certificate.close();
  }

  private open(listener: Listener, files: { readonly cert: string; readonly key: string }): void {
    const certificate = new Certificate({
      files,
      onPair: ({ cert, key, endsAt }) => {
        // Existing connections keep their certificate.
        (this.servers.get(listener)?.server as Server | undefined)?.setSecureContext({ cert, key });
        this.note(listener, endsAt);
        this.metrics.reloaded('certificate', true);
        this.logger.info(
          { event: 'certificate_reloaded', listener, ends: new Date(endsAt) },
          'The listener has a new certificate.',
        );
      },
      onRefused: (error) => {
        this.metrics.reloaded('certificate', false);
        this.logger.error(
          { event: 'certificate_refused', err: error, listener, ...files },
          'The new certificate cannot be used; the old one stays in use.',
        );
      },
    });
    this.byListener.set(listener, certificate);
    this.note(listener, certificate.pair.endsAt);
  }

  private note(listener: Listener, endsAt: number): void {
    this.metrics.certificate(listener, endsAt);
  }
}
