/** The notices that a file states: settings and webhooks. A file has no secret of a webhook; a file of its own may have one. */
import type { Change } from '../../ledger/port.js';
import { fieldsOf, type Tables } from '../../ledger/view/org-view.js';
import { SETTINGS, settingsIn } from '../../notify/settings.js';
import {
  isSecret,
  newSecret,
  type PlacedWebhook,
  rotated,
  type Webhook,
  webhookField,
  webhooksIn,
} from '../../notify/webhooks.js';
import { isName } from '../../quota/id.js';
import { invalid } from '../http/problems.js';
import { auditedWebhook, urlIn, WEBHOOKS_MAX, webhooksBy } from '../notifications/webhook-rules.js';
import { settingsChanges, settingsFrom } from '../notifications/written-settings.js';
import type { Drafted } from './drafted.js';
import type { Difference, ExportedOrg, StatedOrg } from './schemas.js';

type StatedNotices = NonNullable<StatedOrg['notices']>;
type StatedWebhook = NonNullable<StatedNotices['webhooks']>[string];

interface NoticesBefore {
  readonly now: number;
  readonly tables: Tables;
}

export function draftNotices(
  { now, tables }: NoticesBefore,
  { webhooks, ...settings }: StatedNotices,
  prune: boolean,
): Drafted {
  const table = fieldsOf(tables, 'notices');
  const known = new Map(webhooksIn(table).map((webhook) => [webhook.id, webhook]));
  const parts = [draftSettings(table, settings)];
  for (const [id, stated] of Object.entries(webhooks ?? {}))
    parts.push(draftWebhook(id, { stated, before: known.get(id), now }));
  const unstated = [...known.values()].filter(({ id }) => !Object.hasOwn(webhooks ?? {}, id));
  if (prune && webhooks !== undefined) parts.push(...unstated.map(withoutWebhook));
  const differences = parts.flatMap((part) => part.differences);
  const changes = parts.flatMap((part) => part.changes);
  return { changes: [...changes, ...countChange(differences, known.size)], differences };
}

function countChange(differences: readonly Difference[], before: number): Change[] {
  const count = (wanted: string) => differences.filter(({ action }) => action === wanted).length;
  const by = count('webhook.add') - count('webhook.delete');
  if (before + by > WEBHOOKS_MAX)
    throw invalid('notices/webhooks', `an org has at most ${WEBHOOKS_MAX} webhooks`);
  return by === 0 ? [] : [webhooksBy(by)];
}

const NOTHING: Drafted = { changes: [], differences: [] };

function draftSettings(
  table: ReadonlyMap<string, string>,
  { thresholds, refusals, email }: Omit<StatedNotices, 'webhooks'>,
): Drafted {
  const from = settingsIn(table.get(SETTINGS));
  const stated = {
    thresholds: { ...from.thresholds, ...thresholds },
    refusals: { ...from.refusals, ...refusals },
    email: { ...from.email, ...email },
  };
  const to = settingsFrom(stated, 'notices/');
  if (JSON.stringify(from) === JSON.stringify(to)) return NOTHING;
  const difference = { action: 'notifications.set', subject: 'notifications', from, to };
  return { changes: settingsChanges(to), differences: [difference] };
}

interface WebhookOfFile {
  readonly stated: StatedWebhook;
  readonly before: PlacedWebhook | undefined;
  readonly now: number;
}

function draftWebhook(id: string, { stated, before, now }: WebhookOfFile): Drafted {
  const at = `notices/webhooks/${id}`;
  if (!isName(id)) throw invalid(at, 'must be 1 to 64 letters, digits, dots, hyphens or underscores');
  const { secret } = stated;
  // The message does not repeat it.
  if (secret !== undefined && !isSecret(secret))
    throw invalid(`${at}/secret`, 'must be whsec_ and 24 to 64 bytes in base64');
  const url = stated.url === undefined ? undefined : urlIn(stated.url, `${at}/url`);
  if (before === undefined) {
    if (url === undefined) throw invalid(`${at}/url`, 'is missing: the webhook does not exist yet');
    return newWebhook(id, { url, enabled: stated.enabled ?? true, secret, now });
  }
  const { id: _, ...present } = before;
  const changed = { ...present, url: url ?? present.url, enabled: stated.enabled ?? present.enabled };
  const isOtherSecret = secret !== undefined && secret !== present.secrets[0]?.secret;
  const after = isOtherSecret ? rotated(changed, secret, now) : changed;
  if (JSON.stringify(after) === JSON.stringify(present)) return NOTHING;
  const action = isOtherSecret ? 'webhook.rotate' : 'webhook.change';
  return {
    changes: [setWebhook(id, after)],
    differences: [difference(action, id, { from: present, to: after })],
  };
}

interface NewWebhook {
  readonly url: string;
  readonly enabled: boolean;
  readonly secret: string | undefined;
  readonly now: number;
}

function newWebhook(id: string, { url, enabled, secret = newSecret(), now }: NewWebhook): Drafted {
  const webhook: Webhook = { url, enabled, createdAt: now, secrets: [{ secret, until: 0 }] };
  return {
    changes: [setWebhook(id, webhook)],
    differences: [difference('webhook.add', id, { from: null, to: webhook })],
  };
}

function withoutWebhook({ id, ...webhook }: PlacedWebhook): Drafted {
  const change: Change = { del: 'notices', field: webhookField(id) };
  return { changes: [change], differences: [difference('webhook.delete', id, { from: webhook, to: null })] };
}

function setWebhook(id: string, webhook: Webhook): Change {
  return { set: 'notices', field: webhookField(id), value: JSON.stringify(webhook) };
}

interface FromTo {
  readonly from: Webhook | null;
  readonly to: Webhook | null;
}

function difference(action: string, id: string, { from, to }: FromTo): Difference {
  const out = (webhook: Webhook | null) => (webhook === null ? null : auditedWebhook(webhook));
  return { action, subject: `webhook:${id}`, from: out(from), to: out(to) };
}

/** The notices of an org as a file states them. */
export function exportedNotices(table: ReadonlyMap<string, string>): ExportedOrg['notices'] {
  const { thresholds, refusals, email } = settingsIn(table.get(SETTINGS));
  const webhooks = webhooksIn(table).map(({ id, url, enabled }) => [id, { url, enabled }] as const);
  return {
    thresholds: {
      users: [...thresholds.users],
      groups: [...thresholds.groups],
      org: [...thresholds.org],
    },
    refusals: { ...refusals },
    email: { ...email, recipients: [...email.recipients] },
    webhooks: Object.fromEntries(webhooks),
  };
}
