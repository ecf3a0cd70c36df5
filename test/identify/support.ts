/** What the tests of identity share: a server that shows what an identifier sees, and an issuer of tokens. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose';
import type { Test } from 'tap';
import { ProblemError } from '../../src/errors/catalogue.js';
import type { Identifier } from '../../src/identify/identifier.js';
import type { JwtOptions } from '../../src/identify/jwt.js';
import { RawClient } from '../support/raw.js';

/** Sends header lines on a connection of its own; gives the identity that is seen, 'none', or the code of the error. */
export type AskWith = (headers: string) => Promise<unknown>;

/** Listens on both families: peers are mapped. */
export async function serve(t: Test, identifier: Identifier): Promise<AskWith> {
  const server = createServer({ maxHeaderSize: 32_768 }, (request, response) => {
    void seen(identifier, request).then((what) => response.end(JSON.stringify(what)));
  });
  server.listen(0, '::');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  return async (headers) => {
    const client = await RawClient.connect(port);
    const answer = await client.write(`GET / HTTP/1.1\r\nHost: h\r\n${headers}\r\n`).answer();
    client.destroy();
    return JSON.parse(answer.body.toString());
  };
}

async function seen(identifier: Identifier, request: IncomingMessage): Promise<unknown> {
  try {
    return (await identifier.identify(request)) ?? 'none';
  } catch (error) {
    if (error instanceof ProblemError) return error.code;
    throw error;
  }
}

export const ISSUER = 'https://issuer.example';
export const AUDIENCE = 'quotagate';
export const nowSeconds = (): number => Math.floor(Date.now() / 1_000);

export interface SigningKey {
  readonly alg: string;
  /** '' for a key without an id. */
  readonly kid: string;
  readonly privateKey: CryptoKey;
  readonly jwk: JWK;
}

export async function newKey(alg: string, kid: string): Promise<SigningKey> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), alg, use: 'sig', ...(kid === '' ? {} : { kid }) };
  return { alg, kid, privateKey, jwk };
}

/** Claims of a token that is good for an hour; `undefined` takes one away. */
export function claimsWith(more: Record<string, unknown> = {}): JWTPayload {
  const all: JWTPayload = {
    iss: ISSUER,
    aud: AUDIENCE,
    exp: nowSeconds() + 3_600,
    org_id: 'acme',
    sub: 'alice',
    ...more,
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

export async function sign(key: SigningKey, claims: JWTPayload, header: object = {}): Promise<string> {
  const kid = key.kid === '' ? {} : { kid: key.kid };
  const token = new SignJWT(claims).setProtectedHeader({ alg: key.alg, ...kid, ...header });
  return token.sign(key.privateKey);
}

export const bearer = (token: string): string => `Authorization: Bearer ${token}\r\n`;

/** What the issuer says under its URL, and how often it was asked. */
export class KeyServer {
  requests = 0;
  /** In place of the key set. */
  answer: ((request: IncomingMessage, response: ServerResponse) => void) | undefined;
  private constructor(
    private readonly server: Server,
    public keys: readonly JWK[],
  ) {
    server.on('request', (request, response) => {
      this.requests += 1;
      if (this.answer !== undefined) this.answer(request, response);
      else response.end(JSON.stringify({ keys: this.keys }));
    });
  }

  static async start(t: Test, keys: readonly JWK[], port = 0): Promise<KeyServer> {
    const server = createServer();
    const started = new KeyServer(server, keys);
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    t.teardown(() => started.stop());
    return started;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/jwks`;
  }

  stop(): void {
    this.server.close();
    this.server.closeAllConnections();
  }
}

export const HOUR_MS = 3_600_000;

/** Options for tokens of the issuer, with its keys behind a URL. */
export function optionsFor(jwksUrl: string, more: Partial<JwtOptions> = {}): JwtOptions {
  return {
    header: 'authorization',
    keys: { jwksUrl, refreshMs: HOUR_MS },
    algorithms: ['ES256'],
    issuer: ISSUER,
    audience: AUDIENCE,
    claims: { org: 'org_id', user: 'sub' },
    clockToleranceSeconds: 5,
    onTrouble: () => undefined,
    ...more,
  };
}

export const ALICE = { org: 'acme', user: 'alice', userId: 'alice', claims: '' };
