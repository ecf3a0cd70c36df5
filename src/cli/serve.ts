/** `quotagate serve`: the gateway and the admin API by a config file, until a signal ends them. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Logger, pino } from 'pino';
import { type Addresses, type App, buildApp } from '../app.js';
import type { Config } from '../config/schema.js';

export interface Served {
  readonly app: App;
  readonly addresses: Addresses;
  readonly logger: Logger;
  readonly adminToken: string;
}

/** Starts everything and logs where it listens. Rejects where the store or an address cannot be had. */
export async function serve(config: Config): Promise<Served> {
  const logger = pino({ level: config.log.level });
  const { token, made } = adminToken(config);
  const app = await buildApp({ config, logger, adminToken: token, redisPassword: redisPassword(config) });
  const addresses = await app.listen().catch(async (error: unknown) => {
    await app.close();
    throw error;
  });
  logger.info({ ...addresses, store: app.ledger.name }, 'listening');
  // The first start of an embedded ledger has nobody to ask for a token; with Redis it never comes from a log.
  if (made !== undefined) logger.info({ adminToken: token, file: made }, 'admin token created');
  return { app, addresses, logger, adminToken: token };
}

function redisPassword({ store }: Config): string | undefined {
  if (!('redis' in store) || store.passwordFile === undefined) return undefined;
  return secretIn(store.passwordFile);
}

/** The token of the admin API: from its file, or for an embedded ledger made at its first start (`made`: where). */
function adminToken({ admin, store }: Config): { token: string; made?: string } {
  if (admin.tokenFile !== undefined) return { token: secretIn(admin.tokenFile) };
  if ('redis' in store)
    throw new Error('admin.tokenFile is not set: with store.redis the admin API needs a token from a file');
  const file = join(store.embedded.path, 'admin-token');
  mkdirSync(store.embedded.path, { recursive: true });
  try {
    return { token: secretIn(file) };
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    const token = `qga_${randomBytes(24).toString('base64url')}`;
    writeFileSync(file, `${token}\n`, { mode: 0o600, flag: 'wx' });
    return { token, made: file };
  }
}

function secretIn(file: string): string {
  const secret = readFileSync(file, 'utf8').trim();
  if (secret === '') throw new Error(`${file} is empty`);
  return secret;
}
