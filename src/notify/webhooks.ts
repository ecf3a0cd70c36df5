/** The webhooks of an org: fields `webhook:<id>` of table `notices`. */
import { randomBytes } from 'node:crypto';

const WEBHOOK = 'webhook:';

export interface Webhook {
  readonly url: string;
  readonly enabled: boolean;
  readonly createdAt: number;
  /** `whsec_…`. The first signs; the others sign too until `until`, for receivers that do not have the new one yet. */
  readonly secrets: readonly WebhookSecret[];
}

export interface WebhookSecret {
  readonly secret: string;
  /** 0: no end. */
  readonly until: number;
}

export interface PlacedWebhook extends Webhook {
  readonly id: string;
}

export function webhookField(id: string): string {
  return WEBHOOK + id;
}

export function webhookIn(id: string, text: string): PlacedWebhook {
  return { id, ...(JSON.parse(text) as Webhook) };
}

export function webhooksIn(table: ReadonlyMap<string, string>): PlacedWebhook[] {
  return [...table]
    .filter(([field]) => field.startsWith(WEBHOOK))
    .map(([field, text]) => webhookIn(field.slice(WEBHOOK.length), text))
    .sort((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1));
}

const SECRET_BYTES = 32;

export function newSecret(): string {
  return `whsec_${randomBytes(SECRET_BYTES).toString('base64')}`;
}

const SECRET = /^whsec_(?:[A-Za-z0-9+/]{4})+(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const [SECRET_BYTES_MIN, SECRET_BYTES_MAX] = [24, 64];

/** Whether it is a secret as Standard Webhooks defines it. */
export function isSecret(text: string): boolean {
  const bytes = Buffer.from(text.slice('whsec_'.length), 'base64').length;
  return SECRET.test(text) && bytes >= SECRET_BYTES_MIN && bytes <= SECRET_BYTES_MAX;
}

/** The old secret signs for this long beside the new one. */
export const OVERLAP_MS = 24 * 3_600_000;

export function rotated(webhook: Webhook, secret: string, now: number): Webhook {
  const [current] = webhook.secrets;
  const old = current === undefined ? [] : [{ secret: current.secret, until: now + OVERLAP_MS }];
  return { ...webhook, secrets: [{ secret, until: 0 }, ...old] };
}

/** The secrets that sign now. */
export function signing({ secrets }: Webhook, now: number): string[] {
  return secrets.filter(({ until }) => until === 0 || now < until).map(({ secret }) => secret);
}
