/** What SCIM keeps of a user beside status, groups and profile, and the fields that find a user by name. */
import type { Change } from '../../ledger/port.js';
import { type Tables, textIn } from '../../ledger/view/org-view.js';
import { userIdOf } from '../../quota/id.js';
import { profileIn } from '../users/profile.js';

/** The attribute that holds the id by which requests name their user. */
export type UserIdAttribute = 'userName' | 'externalId';

export interface ScimRecord {
  readonly userName: string;
  readonly externalId?: string;
  readonly formatted?: string;
  readonly givenName?: string;
  readonly familyName?: string;
  readonly emailType?: string;
}

export function recordField(userKey: string): string {
  return `scim:${userKey}`;
}

/** In the records: the attribute with which the org's first SCIM user was created. */
export const ID_ATTRIBUTE_FIELD = 'scim-user-id';

/** The fields that find the user: `userName` without case, `externalId` exactly. */
export function nameFields({ userName, externalId }: Partial<ScimRecord>): string[] {
  const byName = userName === undefined ? [] : [`scim-name:${encodeURIComponent(userName.toLowerCase())}`];
  return externalId === undefined ? byName : [...byName, `scim-external:${encodeURIComponent(externalId)}`];
}

/** A user whom SCIM did not create is named by their id, so that a directory finds and adopts them. */
export function recordIn(tables: Tables, userKey: string, attribute: UserIdAttribute): ScimRecord {
  const text = textIn(tables, 'records', recordField(userKey));
  if (text !== undefined) return JSON.parse(text) as ScimRecord;
  const id = userIdOf(userKey);
  if (attribute === 'userName') return { userName: id };
  return { userName: profileIn(tables, userKey).email || id, externalId: id };
}

export function recordChange(tables: Tables, userKey: string, after: ScimRecord): Change[] {
  const value = JSON.stringify(after);
  if (value === textIn(tables, 'records', recordField(userKey))) return [];
  return [{ set: 'records', field: recordField(userKey), value }];
}
