/** What happens to notices, for metrics and logs. */

export type Channel = 'email' | 'webhook';

/** What is not delivered yet in an org. */
export interface Waiting {
  readonly deliveries: number;
  /** When the oldest was queued, in ms. */
  readonly oldestAt: number;
  /** When the next attempt is due, in ms. */
  readonly nextAt: number;
}

export interface NoticeObserver {
  sent(channel: Channel, notices: number): void;
  failed(channel: Channel, error: string): void;
  /** A delivery was given up: an admin can send it again. */
  gaveUp(org: string, channel: Channel, error: string): void;
  /** The org has nobody to tell. */
  unheard(org: string, notices: number): void;
  /** Undefined: nothing waits, or another process delivers it. */
  waiting(org: string, waiting: Waiting | undefined): void;
}
