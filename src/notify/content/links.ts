/** Where in the console an admin does something about a notice. */
import { lineOf, userKeyOf } from '../../quota/id.js';
import type { Notice } from '../notice.js';
import type { Message } from './message.js';

export interface Link {
  /** What one does there. */
  readonly text: string;
  readonly url: string;
}

/** Opens the limit, or the pool. Undefined: the config does not say where the console is. */
export function linkOf({ org, consoleUrl }: Message, { scope, subject, quota }: Notice): Link | undefined {
  if (consoleUrl === undefined) return undefined;
  const to = (text: string, page: string, query: Record<string, string>): Link => {
    const url = new URL(`orgs/${org}/${page}`, consoleUrl);
    url.search = new URLSearchParams(query).toString();
    return { text, url: url.href };
  };
  if (scope === 'org') return to('Top up the pool', 'settings', { topUp: quota });
  const limit = lineOf(quota, scope, scope === 'user' ? (userKeyOf(subject) ?? subject) : subject);
  return to('Open the limit', 'limits', { quota, raise: limit });
}
