/**
 * Ids of SCIM resources. Clients put them into URLs as they are, so a user id with other characters than these is
 * encoded. The id of a group is its id.
 */
import { userIdOf, userKeyOf } from '../../quota/id.js';

const PLAIN = /^(?!\.{1,2}$)[A-Za-z0-9._@-]+$/;
const ENCODED = '~';

export function scimIdOf(userKey: string): string {
  const id = userIdOf(userKey);
  return PLAIN.test(id) ? id : `${ENCODED}${Buffer.from(id).toString('base64url')}`;
}

/** Undefined: not an id of a user. */
export function userKeyOfScim(id: string): string | undefined {
  if (!id.startsWith(ENCODED)) return PLAIN.test(id) ? userKeyOf(id) : undefined;
  const userKey = userKeyOf(Buffer.from(id.slice(ENCODED.length), 'base64url').toString());
  // One id for a user, not several that decode to it.
  return userKey !== undefined && scimIdOf(userKey) === id ? userKey : undefined;
}

/** The first id for a group of this name; `taken` says which are in use. */
export function groupIdFor(displayName: string, taken: (id: string) => boolean): string {
  const slug = slugOf(displayName) || 'group';
  let id = slug;
  for (let number = 2; taken(id); number += 1) id = `${slug.slice(0, ID_LENGTH - 8)}-${number}`;
  return id;
}

const ID_LENGTH = 64;

function slugOf(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9._]+/g, '-')
    .slice(0, ID_LENGTH)
    .replace(/^[-.]+|[-.]+$/g, '');
}
