/** A message about notices, before it is written for a channel. */
import type { Invitation } from '../deliveries.js';
import type { Notice } from '../notice.js';

export interface Message {
  readonly org: string;
  readonly orgName: string;
  /** Of the attempt, in ms. */
  readonly at: number;
  /** Empty: an invitation, or a test message. */
  readonly notices: readonly Notice[];
  readonly invitation?: Invitation | undefined;
  /** Where people manage limits; absent: the config does not say. */
  readonly consoleUrl: string | undefined;
}
