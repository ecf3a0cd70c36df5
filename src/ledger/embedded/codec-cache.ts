/** Caches decoded directory texts: most users share a few plans, limits and memberships. */
import type { Scope } from '../../quota/id.js';
import { decodeGroup, decodeLimit, decodeMember, decodePlan } from '../codec.js';

const REMEMBERED_MAX = 4_096;

function remembered<Decoded>(decode: (text: string) => Decoded): (text: string) => Decoded {
  const known = new Map<string, Decoded>();
  return (text) => {
    let decoded = known.get(text);
    if (decoded === undefined) {
      if (known.size >= REMEMBERED_MAX) known.clear();
      decoded = decode(text);
      known.set(text, decoded);
    }
    return decoded;
  };
}

export const planIn = remembered(decodePlan);
export const limitIn = remembered(decodeLimit);
export const memberIn = remembered(decodeMember);
export const groupIn = remembered(decodeGroup);

/** Percents by scope: `<users>;<groups>;<org>`, or one list for all of them. */
export const thresholdsIn = remembered((text): Readonly<Record<Scope, readonly number[]>> => {
  const [users = '', groups = users, org = users] = text.split(';');
  const numbers = (list: string) => (list === '' ? [] : list.split(',').map(Number));
  return { user: numbers(users), group: numbers(groups), org: numbers(org) };
});
