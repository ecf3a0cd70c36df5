/** The identity provider of admins, and what happens when the keys of an issuer cannot be fetched. */
import type { Logger } from 'pino';
import type { AdminOptions } from '../admin/index.js';
import type { Config } from '../config/schema.js';

export function oidcRules({ admin: { oidc } }: Config, logger: Logger): AdminOptions['oidc'] {
  return oidc && { ...oidc, onTrouble: keysUnavailable(logger, 'admin.oidc') };
}

/** `setting`: of the config, where the issuer is named. */
export function keysUnavailable(logger: Logger, setting: string): (error: unknown) => void {
  return (error) =>
    logger.error(
      { event: 'identity_keys_unavailable', setting, err: error },
      'The keys that verify tokens cannot be fetched; the keys already loaded stay in use.',
    );
}
