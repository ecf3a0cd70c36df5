/** `quotagate serve`: the gateway and the admin API by a config file, until a signal ends them. */
import type { Logger } from 'pino';
import { adminTokens, makeFirstToken } from '../admin/index.js';
import { type Addresses, type App, buildApp } from '../app/app.js';
import type { Environment } from '../config/environment.js';
import { ConfigError } from '../config/issues.js';
import type { Config } from '../config/schema.js';
import { bootstrapTokenIn } from '../config/secret.js';
import { createLogger } from '../observe/log.js';
import { lineOf } from './check.js';

/** Where the config comes from, again and again. */
export interface ConfigSource {
  /** As mistakes name it. */
  readonly file: string;
  read(when: 'start' | 'reload'): Config;
}

export interface Served {
  readonly app: App;
  readonly addresses: Addresses;
  readonly logger: Logger;
  /** An admin token, where one was made at this start or stands in the config's file. */
  readonly adminToken: string | undefined;
  /** Reads config and certificates again. What cannot be used is logged, and the old stays. */
  reload(): Promise<void>;
}

/** Starts everything and logs where it listens. Rejects where the store or an address cannot be had. */
export async function serve(source: ConfigSource, environment: Environment): Promise<Served> {
  const config = source.read('start');
  const logger = createLogger(config.log.level);
  const { bootstrapTokenFile } = config.admin;
  const bootstrapToken = bootstrapTokenFile === undefined ? undefined : bootstrapTokenIn(bootstrapTokenFile);
  const app = await buildApp({ config, logger, bootstrapToken, environment });
  const addresses = await entered(app, config, logger).catch(async (error: unknown) => {
    await app.close();
    throw error;
  });
  logger.info({ event: 'listening', ...addresses, store: app.ledger.name }, 'The listeners are open.');
  const adminToken = bootstrapToken ?? (await firstToken(app, logger));
  return { app, addresses, logger, adminToken, reload: () => reload(app, source, logger) };
}

async function reload(app: App, { file, read }: ConfigSource, logger: Logger): Promise<void> {
  app.reloadCertificates();
  try {
    const { waiting } = await app.reload(() => read('reload'));
    if (waiting.length === 0) logger.info({ event: 'config_reloaded' }, 'The new config is in use.');
    else
      logger.warn(
        { event: 'config_reloaded', waiting },
        'The new config is in use, except for these settings: they need a restart.',
      );
  } catch (error) {
    const about =
      error instanceof ConfigError
        ? { mistakes: error.mistakes.map((mistake) => lineOf(file, mistake)) }
        : { err: error };
    logger.error(
      { event: 'config_refused', ...about },
      'The new config cannot be used; the old one stays in use.',
    );
  }
}

/** Listens, unless nobody could come in: with Redis the first admin token never comes from a log. */
async function entered(app: App, { admin, store }: Config, logger: Logger): Promise<Addresses> {
  if (admin.bootstrapTokenFile === undefined && 'redis' in store) {
    const tokens = await adminTokens(app.ledger);
    if (tokens === 'none')
      throw new Error(
        'admin.bootstrapTokenFile is not set, and the store has no admin token over all orgs yet: ' +
          'with store.redis the first one is made with the token in that file',
      );
    if (tokens === 'expired')
      logger.warn(
        { event: 'admin_tokens_expired' },
        'Every admin token over all orgs has expired; set admin.bootstrapTokenFile to create a new one.',
      );
  }
  return app.listen();
}

/** The first start of an embedded ledger has nobody to ask for a token. It is told once, whatever the log's level. */
async function firstToken({ ledger }: App, logger: Logger): Promise<string | undefined> {
  if (ledger.name !== 'embedded' || (await adminTokens(ledger)) !== 'none') return undefined;
  const adminToken = await makeFirstToken(ledger);
  logger
    .child({}, { level: 'info' })
    .info({ event: 'first_admin_token', adminToken }, 'This is the first admin token; it is shown once.');
  return adminToken;
}
