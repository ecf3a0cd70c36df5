/** A message about notices, before it is written for a channel. */
import type { Notice } from '../notice.js';

export interface Message {
  readonly org: string;
  readonly orgName: string;
  /** Of the attempt, in ms. */
  readonly at: number;
  /** Empty: a test message. */
  readonly notices: readonly Notice[];
  /** Where people manage limits; absent: the config does not say. */
  readonly consoleUrl: string | undefined;
}
