/** A message as the JSON of a webhook: always the same shape, whether it has one notice or many. */
import { linkOf } from './links.js';
import type { Message } from './message.js';

export function webhookBody(message: Message): string {
  const { org, orgName, at, consoleUrl } = message;
  const type = message.notices.length === 0 ? 'notices.test' : 'notices';
  const notices = message.notices.map((notice) => ({
    ...notice,
    limitUrl: linkOf(message, notice)?.url ?? null,
  }));
  const data = { org, orgName, notices, consoleUrl: consoleUrl ?? null };
  return JSON.stringify({ type, timestamp: new Date(at).toISOString(), data });
}
