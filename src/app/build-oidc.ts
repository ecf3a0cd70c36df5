/** The identity provider of admins, and what happens when the keys of an issuer cannot be fetched. */
import type { Logger } from 'pino';
import type { AdminOptions } from '../admin/index.js';
import type { Environment } from '../config/environment.js';
import type { Config } from '../config/schema.js';
import { secretAt } from '../config/secret.js';

interface OidcParts {
  readonly logger: Logger;
  readonly environment: Environment;
}

/** Throws if the secret of the console's client cannot be read. */
export function oidcRules(
  { admin: { oidc } }: Config,
  { logger, environment }: OidcParts,
): AdminOptions['oidc'] {
  if (oidc === undefined) return undefined;
  const { console: client, ...rules } = oidc;
  const onTrouble = keysUnavailable(logger, 'admin.oidc');
  if (client === undefined) return { ...rules, onTrouble };
  const { clientSecret: place } = client;
  const clientSecret = place && secretAt(place, environment);
  return { ...rules, onTrouble, console: { ...client, clientSecret } };
}

/** `setting`: of the config, where the issuer is named. */
export function keysUnavailable(logger: Logger, setting: string): (error: unknown) => void {
  return (error) =>
    logger.error(
      { event: 'identity_keys_unavailable', setting, err: error },
      'The keys that verify tokens cannot be fetched; the keys already loaded stay in use.',
    );
}
