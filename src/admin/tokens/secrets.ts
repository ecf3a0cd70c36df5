/**
 * Ids and secrets of values that are shown once: letters and digits only, so that `_` separates them in a token or key.
 */
import { createHash, randomInt } from 'node:crypto';

const SIGNS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** 95 bits: unique. */
const ID_LENGTH = 16;
/** 256 bits cannot be guessed, so a fast unsalted hash is enough. */
const SECRET_LENGTH = 43;

export function newId(): string {
  return randomText(ID_LENGTH);
}

export function newSecret(): string {
  return randomText(SECRET_LENGTH);
}

export function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

function randomText(length: number): string {
  return Array.from({ length }, () => SIGNS.charAt(randomInt(SIGNS.length))).join('');
}
