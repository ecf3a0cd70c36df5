/** A message as the JSON of a webhook: always the same shape, whether it has one notice or many. */
import type { Message } from './message.js';

export function webhookBody({ org, orgName, at, notices, consoleUrl }: Message): string {
  const type = notices.length === 0 ? 'notices.test' : 'notices';
  const data = { org, orgName, notices, consoleUrl: consoleUrl ?? null };
  return JSON.stringify({ type, timestamp: new Date(at).toISOString(), data });
}
