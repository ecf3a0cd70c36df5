/** The listener for operators and orchestrators: `/healthz`, `/readyz`, `/metrics`. It shows no user and no org. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { VERSION } from './build.js';

export interface OpsOptions {
  /** The metrics in Prometheus' text format. */
  readonly metrics: () => Promise<string>;
  readonly onError: (error: unknown) => void;
}

/**
 * The lifecycle state of the process. Only `ready` is reported as ready: while it starts it cannot serve, and while it
 * drains it still serves but should get no new requests. The store does not count: all replicas share it, and a gateway
 * responds without it, too.
 */
export type Phase = 'starting' | 'ready' | 'draining';

const TEXT = 'text/plain; charset=utf-8';
const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';
/** A client without activity for this long is disconnected. */
const TIMEOUT_MS = 10_000;

export class Ops {
  phase: Phase = 'starting';
  private readonly server: Server;

  constructor(private readonly options: OpsOptions) {
    const timeouts = { headersTimeout: TIMEOUT_MS, requestTimeout: TIMEOUT_MS };
    this.server = createServer(timeouts, (request, response) => void this.answer(request, response));
  }

  /** Resolves with the bound address. */
  listen(host: string, port: number): Promise<ReturnType<Server['address']>> {
    return new Promise((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(port, host, () => {
        this.server.off('error', reject);
        resolve(this.server.address());
      });
    });
  }

  async close(): Promise<void> {
    if (!this.server.listening) return;
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    this.server.closeAllConnections();
    await closed;
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [status, type, text] = await this.found(request).catch((error: unknown) => {
      this.options.onError(error);
      return [500, TEXT, 'failed\n'] as const;
    });
    const body = Buffer.from(text);
    response.writeHead(status, {
      'content-type': type,
      'content-length': body.length,
      'cache-control': 'no-store',
    });
    response.end(request.method === 'HEAD' ? undefined : body);
  }

  private async found({ method, url = '' }: IncomingMessage): Promise<readonly [number, string, string]> {
    if (method !== 'GET' && method !== 'HEAD') return [405, TEXT, 'GET only\n'];
    const [path] = url.split('?');
    switch (path) {
      case '/healthz':
        return [200, TEXT, `ok, quotagate ${VERSION}\n`];
      case '/readyz':
        return [this.phase === 'ready' ? 200 : 503, TEXT, `${this.phase}\n`];
      case '/metrics':
        return [200, METRICS_TYPE, await this.options.metrics()];
      default:
        return [404, TEXT, 'not found: this listener has /healthz, /readyz and /metrics\n'];
    }
  }
}
