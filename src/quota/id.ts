/** Ids, and the escaped form of user ids and model names (user keys, model keys) for store keys, fields and journal lines. */

const NAME = /^[A-Za-z0-9._-]{1,64}$/;
const PLAIN_USER = /^[A-Za-z0-9._-]{1,256}$/;

export const USER_BYTES_MAX = 256;

/** The characters that encodeURIComponent keeps and that are not our separators. */
const LEFT_PLAIN = /[!'()*~]/g;

/** Org, group, quota and action ids. */
export function isName(text: string): boolean {
  return NAME.test(text);
}

/**
 * Returns the user key of a user id: the id itself if it is plain, else percent-encoded UTF-8, so that it contains no
 * separator. Returns undefined for an id that is empty, longer than 256 bytes or not valid Unicode.
 */
export function userKeyOf(id: string): string | undefined {
  if (PLAIN_USER.test(id)) return id;
  if (id.length === 0 || id.length > USER_BYTES_MAX || !id.isWellFormed()) return undefined;
  if (Buffer.byteLength(id) > USER_BYTES_MAX) return undefined;
  return encodeURIComponent(id).replace(
    LEFT_PLAIN,
    (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

export function userIdOf(userKey: string): string {
  return userKey.includes('%') ? decodeURIComponent(userKey) : userKey;
}

/** Calls whose model no row of the config lists. */
const OTHER_MODEL = 'other';
/** By row of the config. */
const modelKeys = new Map<string, string>();
const MODEL_KEYS_MAX = 10_000;

/** Returns the model key of a row of the config's `models`: escaped as a user key. */
export function modelKeyOf(row: string): string {
  let key = modelKeys.get(row);
  if (key === undefined) {
    key = userKeyOf(row) ?? OTHER_MODEL;
    if (modelKeys.size >= MODEL_KEYS_MAX) modelKeys.clear();
    modelKeys.set(row, key);
  }
  return key;
}

/** The id in `<key id>:<hash of its secret>` of an API key. */
export function keyIdOf(key: string): string {
  return key.slice(0, key.indexOf(':'));
}

/** The counter line of a quota and a subject. */
export type Scope = 'user' | 'group' | 'org';

export function lineOf(quota: string, scope: Scope, subject: string): string {
  if (scope === 'org') return `${quota}:o`;
  return scope === 'user' ? `${quota}:u:${subject}` : `${quota}:g:${subject}`;
}
