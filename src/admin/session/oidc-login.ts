/**
 * Login to the console at the identity provider: OpenID Connect, authorization code with PKCE. What is needed on the way back is in a
 * cookie of the browser, so any replica can end what another began.
 */
import type * as Openid from 'openid-client';
import { ProblemError } from '../../errors/catalogue.js';
import type { SessionCaller } from '../access/callers.js';
import type { OidcCallers } from '../access/oidc.js';
import type { Access } from '../access/roles.js';
import { hashOf } from '../tokens/secrets.js';

export interface ConsoleClient {
  readonly clientId: string;
  /** Absent: a public client, which PKCE alone protects. */
  readonly clientSecret?: string | undefined;
  readonly scopes: readonly string[];
}

/** What the way back must fit. */
export interface PendingLogin {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
}

const TIMEOUT_SECONDS = 5;

/** Loaded at the first login. */
const library = (): Promise<typeof Openid> => import('openid-client');

export class OidcLogin {
  private provider: Promise<Openid.Configuration> | undefined;

  constructor(
    private readonly callers: OidcCallers,
    private readonly client: ConsoleClient,
  ) {}

  /** `redirectUri`: where the provider sends the browser back to. */
  async begin(redirectUri: string): Promise<{ readonly url: URL; readonly pending: PendingLogin }> {
    const openid = await library();
    const provider = await this.discovered();
    const pending = {
      state: openid.randomState(),
      nonce: openid.randomNonce(),
      verifier: openid.randomPKCECodeVerifier(),
    };
    const url = openid.buildAuthorizationUrl(provider, {
      redirect_uri: redirectUri,
      scope: this.client.scopes.join(' '),
      state: pending.state,
      nonce: pending.nonce,
      code_challenge: await openid.calculatePKCECodeChallenge(pending.verifier),
      code_challenge_method: 'S256',
    });
    return { url, pending };
  }

  /** Who logged in. `url`: the redirect URI with what the provider added. Rejects with a ProblemError. */
  async end(url: URL, { state, nonce, verifier }: PendingLogin): Promise<SessionCaller> {
    const openid = await library();
    const provider = await this.discovered();
    const checks = {
      expectedState: state,
      expectedNonce: nonce,
      pkceCodeVerifier: verifier,
      idTokenExpected: true,
    };
    const { id_token: token = '' } = await openid
      .authorizationCodeGrant(provider, url, checks)
      .catch((error: unknown) => {
        throw isAnswer(openid, error) ? refusal(error) : unavailable(error);
      });
    const claims = await this.callers.claimsOf(token, this.client.clientId);
    const access = this.callers.accessOf(claims);
    return { id: sessionIdOf(access), access, claims };
  }

  private discovered(): Promise<Openid.Configuration> {
    this.provider ??= this.discover().catch((error: unknown) => {
      this.provider = undefined;
      throw unavailable(error);
    });
    return this.provider;
  }

  private async discover(): Promise<Openid.Configuration> {
    const openid = await library();
    const { clientId, clientSecret } = this.client;
    const issuer = new URL(this.callers.issuer);
    const isPlain = issuer.protocol === 'http:';
    const authentication =
      clientSecret === undefined ? openid.None() : openid.ClientSecretBasic(clientSecret);
    return openid.discovery(issuer, clientId, undefined, authentication, {
      timeout: TIMEOUT_SECONDS,
      execute: isPlain ? [openid.allowInsecureRequests] : [],
    });
  }
}

/** In place of the id of a token, from which it differs in length: sessions of one subject belong together. */
function sessionIdOf({ who }: Access): string {
  return `oidc${hashOf(who).slice(0, 40)}`;
}

/** Codes of errors that a browser or a wrong answer causes; with any other, the provider could not be asked. */
const REFUSALS = /^OAUTH_(INVALID_RESPONSE|JWT_|JSON_ATTRIBUTE_)/;

function isAnswer(openid: typeof Openid, error: unknown): boolean {
  if (error instanceof openid.AuthorizationResponseError || error instanceof openid.ResponseBodyError)
    return true;
  return error instanceof openid.ClientError && REFUSALS.test(error.code ?? '');
}

function refusal(cause: unknown): ProblemError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new ProblemError('credential-invalid', `The identity provider did not confirm the login: ${why}`, {
    cause,
  });
}

function unavailable(cause: unknown): ProblemError {
  return new ProblemError('identity-unavailable', 'The identity provider cannot be reached, try again', {
    cause,
  });
}
