/** Builds the admin API that a config describes. */
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { type AdminOptions, buildAdmin } from '../admin/index.js';
import type { Environment } from '../config/environment.js';
import type { Config } from '../config/schema.js';
import { OFF } from '../config/values.js';
import { invitationChanges } from '../notify/invitations.js';
import type { Notifier } from '../notify/notifier.js';
import { oidcRules } from './build-oidc.js';
import type { Certificates } from './listen.js';

type Parts = Pick<AdminOptions, 'ledger' | 'bootstrapToken' | 'quotasOf' | 'loginCodes'> & {
  readonly notifier: Notifier;
  readonly logger: Logger;
  readonly environment: Environment;
  readonly certificates: Certificates;
};

/** Undefined if the config switches it off. */
export function buildAdminOf(
  config: Config,
  { environment, certificates, ...parts }: Parts,
): FastifyInstance | undefined {
  if (config.server.admin === OFF) return undefined;
  const { notifier, logger } = parts;
  const { scim, publicUrl } = config.admin;
  const admin = buildAdmin({
    ...parts,
    tls: certificates.of('admin'),
    quotas: config.quotas,
    oidc: oidcRules(config, { logger, environment }),
    invitationMail: notifier.hasMail ? { changesFor: invitationChanges } : undefined,
    retention: config.retention,
    exportTargets: Object.keys(config.journal.exports),
    scimUserId: scim.userId,
    publicUrl,
    sessionTimes: sessionTimesOf(config),
  });
  certificates.serve('admin', admin);
  return admin;
}

function sessionTimesOf({ admin: { sessions } }: Config) {
  return { idleMs: sessions.idleMinutes * 60_000, lifeMs: sessions.lifeHours * 3_600_000 };
}
