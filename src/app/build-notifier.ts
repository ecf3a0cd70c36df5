/** Builds what delivers notices, from a config. */
import { readFileSync } from 'node:fs';
import type { Logger } from 'pino';
import type { Config, SmtpConfig } from '../config/schema.js';
import { passwordIn } from '../config/secret.js';
import type { Ledger } from '../ledger/port.js';
import { mailChannel } from '../notify/channels/mail.js';
import { webhookChannel } from '../notify/channels/webhook.js';
import type { Channels } from '../notify/channels.js';
import { createNotifier, type Notifier } from '../notify/notifier.js';
import type { Metrics } from '../observe/metrics.js';

export const DAY_MS = 24 * 3_600_000;

export interface NotifierParts {
  readonly ledger: Ledger;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly onError: (error: unknown) => void;
}

/** Throws if a file of the config cannot be read. */
export function buildNotifier(config: Config, { ledger, metrics, logger, onError }: NotifierParts): Notifier {
  const { publicUrl } = config.admin;
  return createNotifier({
    ledger,
    quotas: new Map(Object.entries(config.quotas)),
    channels: channelsOf(config),
    consoleUrl: publicUrl === undefined ? undefined : new URL('console/', withSlash(publicUrl)).href,
    observer: metrics.notices.observer(logger),
    onError,
    failedKeptMs: config.retention.failedNoticesDays * DAY_MS,
  });
}

function withSlash(url: string): string {
  return url.endsWith('/') ? url : `${url}/`;
}

function channelsOf({ smtp, webhooks }: Config): Channels {
  const hooks = webhookChannel(webhooks);
  if (smtp === undefined) return hooks;
  const mails = mailChannel(mailOptions(smtp));
  return {
    ...hooks,
    mail: mails.mail,
    close() {
      mails.close();
      hooks.close();
    },
  };
}

function mailOptions({ caFile, passwordFile, password, ...smtp }: SmtpConfig) {
  return {
    ...smtp,
    password: passwordFile === undefined ? password : passwordIn(passwordFile),
    ca: caFile === undefined ? undefined : readFileSync(caFile, 'utf8'),
  };
}
