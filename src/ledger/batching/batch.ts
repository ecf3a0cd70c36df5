/** Calls in the form that the producers of an org keep. */
import { randomBytes } from 'node:crypto';
import { PRODUCER_KEPT_MS } from '../port.js';
import type { PendingOperation } from './pending-operation.js';

export interface Producer {
  readonly id: string;
  /** Number of the last answered call. */
  seq: number;
  /** The time of that answer, by this process' steady clock. */
  usedAt: number;
}

/** The operations of one call, as they must be sent now. */
export interface Batch {
  readonly operations: readonly PendingOperation[];
  retries: number;
  cycleTries: number;
  /** The call was sent and got no answer: it may have run. */
  inDoubt: boolean;
  /** The call was sent, and its answer may still arrive. */
  outstanding: boolean;
  /** The call occupies a slot for calls in flight. A call that is being reconciled does not. */
  counted: boolean;
  /** The generation of the org's data that the call was made for: an accepted loss begins a new one. */
  generation: number;
  /** For a call that an earlier process could not deliver: called when nothing is left to do. Its producer sends nothing else. */
  readonly done?: () => void;
}

export interface Sent {
  readonly producer: Producer;
  readonly batch: Batch;
}

/** `now`: the store's time. Absent for calls that may wait longer than a producer stays young. */
export function newProducer(now?: number): Producer {
  const born = now === undefined ? '' : `@${Math.max(0, Math.floor(now))}`;
  const id = `${randomBytes(9).toString('base64url')}${born}`;
  return { id, seq: 0, usedAt: performance.now() };
}

/**
 * For a call of an earlier process that cannot run on its own producer. The same one in every process that delivers the call, so
 * that it runs once.
 */
export function replacementOf({ id, seq }: Producer): Producer {
  // Without the time of its creation: a call that was never sent runs, however old it is.
  return { id: `${id.replace(/@\d+$/, '')}-${seq + 1}`, seq: 0, usedAt: performance.now() };
}

/** Half of the time for which the store keeps an idle producer. */
const PRODUCER_FRESH_MS = PRODUCER_KEPT_MS / 2;

/** Returns whether the store must still have the producer. */
export function isFresh({ usedAt }: Producer): boolean {
  return performance.now() - usedAt < PRODUCER_FRESH_MS;
}
