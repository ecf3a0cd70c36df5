/** Whom an org's notices go to. */
import { decodeMember } from '../ledger/codec.js';
import type { OrgStore } from '../ledger/port.js';
import { scanAll } from '../ledger/scan-all.js';
import type { NoticeSettings } from './settings.js';
import { webhooksIn } from './webhooks.js';

const EMAIL = 'email:';
const WEBHOOK = 'webhook:';

export type Target = { readonly email: string } | { readonly webhook: string };

export function emailTarget(address: string): string {
  return EMAIL + address;
}

function webhookTarget(id: string): string {
  return WEBHOOK + id;
}

export function targetIn(text: string): Target {
  return text.startsWith(EMAIL)
    ? { email: text.slice(EMAIL.length) }
    : { webhook: text.slice(WEBHOOK.length) };
}

const PROFILE = 'user:';
const ADMIN_ROLE = 'admin';
const ACTIVE = ['active', 'invited'];
/** Of a user who is not there. */
const REMOVED = 'r:';

/** `table`: table `notices`; `addresses`: of e-mail. */
export async function targetsOf(
  table: ReadonlyMap<string, string>,
  addresses: readonly string[] | Promise<readonly string[]>,
): Promise<string[]> {
  const webhooks = webhooksIn(table).filter(({ enabled }) => enabled);
  return [...(await addresses).map(emailTarget), ...webhooks.map(({ id }) => webhookTarget(id))];
}

/** Addresses that get e-mail: one message each, whatever the case they are written in. */
export async function addressesOf(
  ledger: Pick<OrgStore, 'scan' | 'read'>,
  org: string,
  settings: NoticeSettings,
): Promise<string[]> {
  if (!settings.email.enabled || !settings.email.admins) return addressesIn(settings, NOBODY);
  const records = await scanAll(ledger, org, 'records');
  const users = [...adminsIn(records).keys()];
  const { values } = await ledger.read(org, [{ table: 'members', fields: users }]);
  const members = new Map(users.map((user, index) => [user, values[0]?.[index] ?? '']));
  return addressesIn(settings, { records, members });
}

/** Whole tables, or the fields of admins. */
interface Directory {
  readonly records: ReadonlyMap<string, string>;
  readonly members: ReadonlyMap<string, string>;
}

const NOBODY: Directory = { records: new Map(), members: new Map() };

export function addressesIn({ email }: NoticeSettings, { records, members }: Directory): string[] {
  if (!email.enabled) return [];
  const isActive = (user: string): boolean =>
    ACTIVE.includes(decodeMember(members.get(user) ?? REMOVED).status);
  const admins = email.admins ? [...adminsIn(records)].filter(([user]) => isActive(user)) : [];
  const found = new Map<string, string>();
  for (const address of [...email.recipients, ...admins.map(([, address]) => address)])
    if (!found.has(address.toLowerCase())) found.set(address.toLowerCase(), address);
  return [...found.values()];
}

/** Admins with an address, by user key. */
function adminsIn(records: ReadonlyMap<string, string>): Map<string, string> {
  const addresses = new Map<string, string>();
  for (const [field, text] of records) {
    // Most users have another role: their text is not parsed.
    if (!field.startsWith(PROFILE) || !text.includes(ADMIN_ROLE)) continue;
    const { role, email } = JSON.parse(text) as { readonly role?: string; readonly email?: string };
    if (role === ADMIN_ROLE && email !== undefined && email !== '')
      addresses.set(field.slice(PROFILE.length), email);
  }
  return addresses;
}
