/** Reads table `notices` and shows what it has. */

import { scanAll } from '../../ledger/scan-all.js';
import { instant } from '../../ledger/view/limit-lines.js';
import type { OrgView, Tables } from '../../ledger/view/org-view.js';
import { textIn } from '../../ledger/view/org-view.js';
import type { NoticeSettings } from '../../notify/settings.js';
import { SETTINGS, settingsIn } from '../../notify/settings.js';
import { addressesIn, targetIn } from '../../notify/targets.js';
import { type PlacedWebhook, webhooksIn } from '../../notify/webhooks.js';
import type { Access } from '../access/roles.js';
import type { Admin } from '../admin.js';
import { etagOf } from '../http/etag.js';

export const SETTINGS_WANT = [{ table: 'notices', fields: [SETTINGS] }] as const;

export function settingsOf({ tables }: Pick<OrgView, 'tables'>): NoticeSettings {
  return settingsIn(textIn(tables, 'notices', SETTINGS));
}

export function etagOfSettings(settings: NoticeSettings): string {
  return etagOf('notifications', JSON.stringify(settings));
}

export async function noticeTable({ ledger }: Admin, org: string): Promise<ReadonlyMap<string, string>> {
  return scanAll(ledger, org, 'notices');
}

export function etagOfWebhook({ id, url, enabled, secrets }: PlacedWebhook): string {
  return etagOf('webhook', id, url, String(enabled), JSON.stringify(secrets));
}

/** The path of a URL may hold a secret. */
export function webhookView(webhook: PlacedWebhook, { role }: Pick<Access, 'role'>) {
  const { id, url, enabled, createdAt } = webhook;
  const shown = role === 'admin' ? url : new URL(url).origin;
  return { id, url: shown, enabled, createdAt: instant(createdAt), etag: etagOfWebhook(webhook) };
}

export async function addressesNow(admin: Admin, org: string, settings: NoticeSettings): Promise<string[]> {
  const { tables } = await admin.snapshots.tables(org, ['records', 'members']);
  return addressesIn(settings, { records: tableIn(tables, 'records'), members: tableIn(tables, 'members') });
}

function tableIn(tables: Tables, name: 'records' | 'members'): ReadonlyMap<string, string> {
  return tables.get(name) ?? new Map();
}

export interface SettingsView {
  readonly settings: NoticeSettings;
  readonly org: string;
  readonly access: Pick<Access, 'role'>;
}

export async function notificationsView(admin: Admin, { settings, org, access }: SettingsView) {
  const { thresholds, refusals, email } = settings;
  const webhooks = webhooksIn(await noticeTable(admin, org));
  const addresses = await addressesNow(admin, org, settings);
  return {
    thresholds,
    refusals,
    email: { ...email, available: admin.notifier?.hasMail === true, addresses },
    webhooks: webhooks.map((webhook) => webhookView(webhook, access)),
    etag: etagOfSettings(settings),
  };
}

export function targetView(text: string) {
  const target = targetIn(text);
  return 'email' in target
    ? ({ channel: 'email', target: target.email } as const)
    : ({ channel: 'webhook', target: target.webhook } as const);
}
