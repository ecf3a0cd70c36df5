/** Whether a valid admin token exists, and the token of the embedded ledger's first start. */
import type { Ledger } from '../../ledger/port.js';
import { KeyedMutex } from '../writes/keyed-mutex.js';
import { addToken, allTokens, isValid } from './token-store.js';

/** `expired`: there are admin tokens for all orgs, but none is valid now. */
export async function adminTokens(ledger: Ledger): Promise<'none' | 'expired' | 'valid'> {
  const now = await ledger.clock();
  const tokens = [...(await allTokens(ledger)).values()];
  const admins = tokens.filter(({ role, orgs }) => role === 'admin' && orgs === 'all');
  if (admins.length === 0) return 'none';
  return admins.some((token) => isValid(token, now)) ? 'valid' : 'expired';
}

/** Creates an admin token for all orgs, and returns its text. */
export async function makeFirstToken(ledger: Ledger): Promise<string> {
  const token = { name: 'first token', role: 'admin', orgs: 'all', expiresAt: 0 } as const;
  const author = { who: 'quotagate', reason: 'first start' };
  return (await addToken({ ledger, mutex: new KeyedMutex() }, { author, token })).text;
}
