/**
 * Log events of the store batcher and the clock guard: the batcher names what happened, this table defines how it is
 * logged.
 */
import type { Logger } from 'pino';

interface LogEvent {
  readonly event: string;
  /** Absent: error, a person must act. */
  readonly level?: 'warn' | 'info';
  readonly message: string;
}

/**
 * Keyed by the batcher's alarm name, which is also its label in `quotagate_alarms_total`. The log event has underscores
 * instead of hyphens.
 */
const EVENTS: Readonly<Record<string, LogEvent>> = {
  'store-lost': {
    event: 'store_lost',
    message:
      'The data of this org is missing in the store; its requests get 503. Restore the data or run quotagate store accept-loss.',
  },
  'store-loss-found': {
    event: 'store_loss_found',
    level: 'info',
    message: 'The missing data of this org is back; its requests are served again.',
  },
  'store-loss-accepted': {
    event: 'store_loss_accepted',
    level: 'warn',
    message:
      'An operator accepted the loss of this org’s data; requests are counted from what the store has now.',
  },
  'store-rolled-back': {
    event: 'store_rolled_back',
    message: 'The store lost calls that it had answered: a fail-over or a restored backup lost them.',
  },
  'store-clock-jumped': {
    event: 'store_clock_jumped',
    message:
      'The store’s clock jumped; requests get 503. Correct the clock or run quotagate store accept-clock.',
  },
  'org-ahead-of-clock': {
    event: 'org_ahead_of_clock',
    message:
      'The org’s time is ahead of the store’s clock; until the clock catches up no hold expires and no cycle ends.',
  },
  'cycle-unknown': {
    event: 'cycle_unknown',
    message:
      'The next cycle cannot be computed from the org’s cycle rule; its requests get 503. Check its time zone.',
  },
  'counter-below-zero': {
    event: 'counter_below_zero',
    message:
      'A counter would have fallen below 0 and stopped there: the store lost the charge that was given back.',
  },
  'refund-unproven': {
    event: 'refund_unproven',
    message: 'A refund was not made: the store does not have the call that charged the units.',
  },
  'refund-in-doubt': {
    event: 'refund_in_doubt',
    message: 'The store did not answer a refund, so it is unknown whether the units were returned.',
  },
  'charge-in-doubt': {
    event: 'charge_in_doubt',
    message: 'The store did not answer a charge, so it is unknown whether the units were charged.',
  },
  'settlement-unknown-hold': {
    event: 'settlement_unknown_hold',
    message: 'A settlement was dropped: the store does not have its hold.',
  },
  'settlement-other-cycle': {
    event: 'settlement_other_cycle',
    message: 'A settlement was dropped: the cycle of its hold is no longer in the store.',
  },
  'settlement-undeliverable': {
    event: 'settlement_undeliverable',
    message: 'A settlement was dropped: the store refused it, and would refuse a retry too.',
  },
};

export function logTrouble(logger: Logger, what: string, details: object): void {
  const { event, level = 'error', message } = EVENTS[what] ?? unlisted(what);
  logger[level]({ event, ...details }, message);
}

function unlisted(what: string): LogEvent {
  return { event: what.replaceAll('-', '_'), message: `The store batcher reports ${what}.` };
}
