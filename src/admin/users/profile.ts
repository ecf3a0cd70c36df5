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

export function profileField(token: string): string {
  return `user:${token}`;
}

export function profileIn(tables: Tables, token: string): Profile {
  const text = textIn(tables, 'records', profileField(token));
  return text === undefined ? UNKNOWN : { ...UNKNOWN, ...(JSON.parse(text) as Partial<Profile>) };
}
