/** `quotagate serve`: runs the gateway and the admin API of a config file until a signal ends them. */
import type { DestinationStream, Logger } from 'pino';
import { adminTokens, makeFirstToken } from '../admin/index.js';
import { buildApp } from '../app/app.js';
import type { Addresses, App } from '../app/running.js';
import { warmUp } from '../app/warm-up.js';
import type { Environment } from '../config/environment.js';
import { ConfigError } from '../config/issues.js';
import type { Config } from '../config/schema.js';
import { bootstrapTokenIn } from '../config/secret.js';
import { OFF } from '../config/values.js';
import { createLogger } from '../observe/log.js';
import { lineOf } from './check.js';
import { ownCommand } from './own-command.js';

/** Why `serve` cannot start where nobody named a config, and what to do. */
export function noConfig(file: string, folder: string, environment: Environment): string {
  const start = ownCommand(environment, 'serve', '-c FILE');
  const demo = ownCommand(environment, 'demo');
  return `there is no ${file} in ${folder}. Name a config (${start}), or try the demo, which needs none: ${demo}`;
}

/** Where the config is read at start and at each reload. */
export interface ConfigSource {
  /** The name shown in error messages. */
  readonly file: string;
  read(when: 'start' | 'reload'): Config;
}

export interface Served {
  readonly app: App;
  readonly addresses: Addresses;
  readonly logger: Logger;
  /** An admin token: the bootstrap token of the config, or one created at this start. */
  readonly adminToken: string | undefined;
  /** Reads config and certificates again. If they are invalid, logs the errors and keeps the old ones. */
  reload(): Promise<void>;
}

interface ServeOptions {
  /** Left out: stdout. */
  readonly log?: DestinationStream;
  /** Left out: true. False where nobody sends a hundred requests at once, and a person waits for the start. */
  readonly warmsUp?: boolean;
}

/** Starts everything and logs where it listens. Rejects if the store or an address is unavailable. */
export async function serve(
  source: ConfigSource,
  environment: Environment,
  { log, warmsUp = true }: ServeOptions = {},
): Promise<Served> {
  const config = source.read('start');
  const logger = createLogger(config.log.level, log);
  const { bootstrapTokenFile } = config.admin;
  const bootstrapToken = bootstrapTokenFile === undefined ? undefined : bootstrapTokenIn(bootstrapTokenFile);
  const app = await buildApp({ config, logger, bootstrapToken, environment });
  const addresses = await listenIfReachable(app, config, { logger, warmsUp }).catch(
    async (error: unknown) => {
      await app.close();
      throw error;
    },
  );
  logger.info({ event: 'listening', ...addresses, store: app.ledger.name }, 'The listeners are open.');
  const adminToken = bootstrapToken ?? (await firstToken(app, config, logger));
  return { app, addresses, logger, adminToken, reload: () => reload(app, source, logger) };
}

async function reload(app: App, { file, read }: ConfigSource, logger: Logger): Promise<void> {
  app.reloadCertificates();
  try {
    const { waiting, differing } = await app.reload(() => read('reload'));
    if (Object.keys(differing).length > 0)
      logger.warn(
        { event: 'orgs_differ', orgs: differing },
        'The ledger has other values for orgs of the config than the file. They stay: `quotagate apply` changes them.',
      );
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

/** Listens, unless no admin could sign in: with Redis, the first admin token is never printed to a log. */
async function listenIfReachable(
  app: App,
  { admin, server, store }: Config,
  { logger, warmsUp }: { readonly logger: Logger; readonly warmsUp: boolean },
): Promise<Addresses> {
  if (server.admin !== OFF && admin.bootstrapTokenFile === undefined && !('embedded' in store)) {
    const tokens = await adminTokens(app.ledger);
    if (tokens === 'none')
      throw new Error(
        'admin.bootstrapTokenFile is not set, and the store has no admin token for all orgs: ' +
          'set it, and create the first one with the token in that file',
      );
    if (tokens === 'expired')
      logger.warn(
        { event: 'admin_tokens_expired' },
        'Every admin token for all orgs has expired; set admin.bootstrapTokenFile to create a new one.',
      );
  }
  if (warmsUp)
    await warmUp(app.ledger, (err) =>
      logger.info({ event: 'warm_up_failed', err }, 'The first requests may be slow: the warm-up failed.'),
    );
  return app.listen();
}

/** At its first start, an embedded ledger creates an admin token and logs it once, at any log level. */
async function firstToken({ ledger }: App, { server }: Config, logger: Logger): Promise<string | undefined> {
  if (server.admin === OFF || ledger.name !== 'embedded') return undefined;
  if ((await adminTokens(ledger)) !== 'none') return undefined;
  const adminToken = await makeFirstToken(ledger);
  logger
    .child({}, { level: 'info' })
    .info({ event: 'first_admin_token', adminToken }, 'This is the first admin token; it is shown once.');
  return adminToken;
}
