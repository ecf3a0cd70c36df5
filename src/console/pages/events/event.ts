/** An event, and the limit that it is about. */
import type { Schemas } from '../../api/client.js';

export type Event = Schemas['Event'];

export const KINDS = ['blocked', 'threshold', 'raise-request'] as const;
export const SCOPES = ['user', 'group', 'org'] as const;

/** Characters that `encodeURIComponent` keeps, but ids of limits do not. */
const LEFT_PLAIN = /[!'()*~]/g;

/** The id of the limit, as the API writes it; undefined for the pool, which is no limit. */
export function limitOf({ scope, quota, subject }: Event): string | undefined {
  if (scope === 'org') return undefined;
  const key = encodeURIComponent(subject).replace(
    LEFT_PLAIN,
    (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `${quota}:${scope === 'user' ? 'u' : 'g'}:${key}`;
}

/** Counters have begun anew since: there is nothing to raise. */
export function isPast({ resetsAt }: Event, now = Date.now()): boolean {
  return resetsAt !== null && Date.parse(resetsAt) <= now;
}
