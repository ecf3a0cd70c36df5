/** Data of a user besides status and groups: for display only, decisions do not use it. */
import { type Tables, textIn } from '../../ledger/view/org-view.js';

export interface Profile {
  readonly name: string;
  readonly email: string;
  readonly role: string;
  /** When an admin added the user; undefined if their first request registered them. */
  readonly createdAt?: number;
}

const UNKNOWN: Profile = { name: '', email: '', role: '' };

export function profileField(userKey: string): string {
  return `user:${userKey}`;
}

export function profileIn(tables: Tables, userKey: string): Profile {
  const text = textIn(tables, 'records', profileField(userKey));
  return text === undefined ? UNKNOWN : { ...UNKNOWN, ...(JSON.parse(text) as Partial<Profile>) };
}
