/** A channel brings a message to a target. */
import type { Message } from './content/message.js';
import type { Webhook } from './webhooks.js';

/** A message was not delivered; `message` says why, without secrets. */
export class DeliveryError extends Error {
  override readonly name = 'DeliveryError';

  constructor(
    message: string,
    /** Another attempt cannot succeed. */
    readonly final = false,
  ) {
    super(message);
  }
}

/** `id`: of the message; the same at each attempt. Both reject with a `DeliveryError`. */
export interface Channels {
  /** Absent: the config has no `smtp`. */
  readonly mail?: (address: string, id: string, message: Message) => Promise<void>;
  readonly webhook: (webhook: Webhook, id: string, message: Message) => Promise<void>;
  close(): void;
}
