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

export function webhookTarget(id: string): string {
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

type TargetStore = Pick<OrgStore, 'scan' | 'read'>;

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
  ledger: TargetStore,
  org: string,
  { email }: NoticeSettings,
): Promise<string[]> {
  if (!email.enabled) return [];
  const admins = email.admins ? await adminAddresses(ledger, org) : [];
  const found = new Map<string, string>();
  for (const address of [...email.recipients, ...admins])
    if (!found.has(address.toLowerCase())) found.set(address.toLowerCase(), address);
  return [...found.values()];
}

async function adminAddresses(ledger: TargetStore, org: string): Promise<string[]> {
  const addresses = new Map<string, string>();
  for (const [field, text] of await scanAll(ledger, org, 'records')) {
    // Most users have another role: their text is not parsed.
    if (!field.startsWith(PROFILE) || !text.includes(ADMIN_ROLE)) continue;
    const { role, email } = JSON.parse(text) as { readonly role?: string; readonly email?: string };
    if (role === ADMIN_ROLE && email !== undefined && email !== '')
      addresses.set(field.slice(PROFILE.length), email);
  }
  if (addresses.size === 0) return [];
  const users = [...addresses.keys()];
  const { values } = await ledger.read(org, [{ table: 'members', fields: users }]);
  return users.flatMap((user, index) => {
    const member = values[0]?.[index];
    const isActive = typeof member === 'string' && ACTIVE.includes(decodeMember(member).status);
    return isActive ? [addresses.get(user) ?? ''] : [];
  });
}
