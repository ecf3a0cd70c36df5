/** A real OpenID provider for tests, with a switch for its outages. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, type JWK } from 'jose';
import Provider, { type Configuration } from 'oidc-provider';
import type { Test } from 'tap';

export const AUDIENCE = 'quotagate';
const RESOURCE = 'urn:quotagate';
const SECRET = 'a-secret-of-the-machine';
export const CONSOLE_CLIENT = { client_id: 'console', client_secret: 'a-secret-of-the-console' };

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

export class OidcServer {
  /** Claims of the tokens that are issued from now on. */
  claims: Record<string, unknown> = {};
  /** The provider answers nothing but 503. */
  isDown = false;
  /** How often its keys were asked for. */
  keyRequests = 0;
  key: JWK = {};
  /** Of the client of the console: valid from the next `rotate` on. */
  redirectUri = 'http://127.0.0.1/login/oidc/callback';
  private answer: Answer = () => undefined;

  private constructor(
    private readonly server: Server,
    private readonly more: Configuration,
  ) {
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      if (request.url === '/jwks') this.keyRequests += 1;
      if (this.isDown) response.writeHead(503).end();
      else this.answer(request, response);
    });
  }

  static async start(t: Test, more: Configuration = {}): Promise<OidcServer> {
    const server = createServer();
    const started = new OidcServer(server, more);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.teardown(() => {
      server.close();
      server.closeAllConnections();
    });
    await started.rotate();
    return started;
  }

  get issuer(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Has a new key from now on, and no longer the old one. */
  async rotate(): Promise<void> {
    const { privateKey } = await generateKeyPair('RS256', { extractable: true });
    this.key = { ...(await exportJWK(privateKey)), alg: 'RS256', use: 'sig', kid: `key-${Date.now()}` };
    this.answer = new Provider(this.issuer, { ...this.configuration(), ...this.more }).callback();
  }

  /** An access token of a machine (client credentials). */
  async token(): Promise<string> {
    const response = await fetch(`${this.issuer}/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from(`machine:${SECRET}`).toString('base64')}` },
      body: new URLSearchParams({ grant_type: 'client_credentials', resource: RESOURCE }),
    });
    const body = (await response.json()) as { readonly access_token: string };
    if (response.status !== 200) throw new Error(JSON.stringify(body));
    return body.access_token;
  }

  private configuration(): Configuration {
    return {
      jwks: { keys: [this.key] },
      clients: [
        {
          client_id: 'machine',
          client_secret: SECRET,
          grant_types: ['client_credentials'],
          redirect_uris: [],
          response_types: [],
        },
        {
          ...CONSOLE_CLIENT,
          grant_types: ['authorization_code'],
          response_types: ['code'],
          redirect_uris: [this.redirectUri],
        },
      ],
      features: {
        clientCredentials: { enabled: true },
        devInteractions: { enabled: true },
        resourceIndicators: {
          enabled: true,
          getResourceServerInfo: () => ({
            audience: AUDIENCE,
            scope: '',
            accessTokenFormat: 'jwt',
            jwt: { sign: { alg: 'RS256' } },
          }),
        },
      },
      extraTokenClaims: () => this.claims,
    };
  }
}
