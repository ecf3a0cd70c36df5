/** Sends messages to webhooks, signed as Standard Webhooks defines. Redirects are not followed. */
import { Webhook as Signer } from 'standardwebhooks';
import { request } from 'undici';
import { type Channels, DeliveryError } from '../channels.js';
import { webhookBody } from '../content/webhook.js';
import { signing } from '../webhooks.js';
import { guardedAgent } from './address-guard.js';

export interface WebhookOptions {
  /** Addresses and ranges that are permitted although they are not public. */
  readonly allow: readonly string[];
  readonly timeoutMs: number;
}

interface WebhookChannel {
  readonly webhook: Channels['webhook'];
  close(): void;
}

const GONE = 410;
const REASON_MAX = 300;

export function webhookChannel({ allow, timeoutMs }: WebhookOptions): WebhookChannel {
  const dispatcher = guardedAgent(allow, timeoutMs);
  return {
    async webhook(webhook, id, message) {
      const body = webhookBody(message);
      // Receivers compare it with their own clocks, so it is not the store's time.
      const at = new Date();
      const signatures = signing(webhook, message.at).map((secret) => new Signer(secret).sign(id, at, body));
      const headers = {
        'content-type': 'application/json',
        'user-agent': 'quotagate',
        'webhook-id': id,
        'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
        'webhook-signature': signatures.join(' '),
      };
      const signal = AbortSignal.timeout(timeoutMs);
      const answer = await request(webhook.url, { method: 'POST', dispatcher, headers, body, signal }).catch(
        (error: unknown) => {
          throw error instanceof DeliveryError ? error : new DeliveryError(reasonOf(error));
        },
      );
      await answer.body.dump({ limit: 65_536 }).catch(() => undefined);
      const { statusCode } = answer;
      if (statusCode >= 200 && statusCode < 300) return;
      throw new DeliveryError(`the receiver answered ${statusCode}`, statusCode === GONE);
    },
    close: () => void dispatcher.destroy(),
  };
}

function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message || error.name : String(error);
  return text.replace(/\s+/g, ' ').slice(0, REASON_MAX);
}
