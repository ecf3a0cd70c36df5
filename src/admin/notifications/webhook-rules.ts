/** What holds for every webhook of an org, whichever endpoint writes it. */
import type { Change } from '../../ledger/port.js';
import { type Tables, textIn } from '../../ledger/view/org-view.js';
import type { Webhook } from '../../notify/webhooks.js';
import { invalid } from '../http/problems.js';

export const WEBHOOKS_MAX = 20;

/** How many webhooks the org has: kept with each of them, so that no write reads them all. */
const COUNT = 'webhooks';
export const WEBHOOK_COUNT_WANT = { table: 'notices', fields: [COUNT] } as const;

export function webhookCountIn(tables: Tables): number {
  return Number(textIn(tables, 'notices', COUNT) ?? 0);
}

export function webhooksBy(by: number): Change {
  return { incr: 'notices', field: COUNT, by, most: by > 0 ? WEBHOOKS_MAX : undefined };
}

/** Which addresses it may reach is checked at each delivery, after the name was resolved. */
export function urlIn(text: string, field: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol))
    throw invalid(field, 'must be a URL such as https://hooks.example.com/quota');
  if (url.username + url.password !== '') throw invalid(field, 'must have no user or password');
  return url.href;
}

/** Without what signs; the path of a URL may hold a secret too. */
export function auditedWebhook({ url, enabled }: Webhook) {
  return { url: new URL(url).origin, enabled };
}
