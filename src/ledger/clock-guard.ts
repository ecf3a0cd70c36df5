/**
 * Bounds the store's clock. Between two readings, the store's clock cannot advance more than the steady clock of this
 * process. A clock that shows a later time would end cycles early and freeze the time of every org. Such calls are
 * therefore answered `clock` and change nothing. The first reading of a process is accepted as it is.
 *
 * The refusal ends when the clock shows a possible time again, or when an operator accepts the time that it shows.
 */
import { uptime } from 'node:os';
import type { Call, Reply } from './port.js';

/** The time that an operator accepted (0: none), and what the clock shows now. */
export interface ClockLook {
  readonly accepted: number;
  readonly clock: number;
}

export interface ClockGuardOptions {
  /**
   * Called at first, then once a minute, with what the clock shows and how far past the latest possible time that is.
   */
  readonly alarm: (details: { readonly clock: number; readonly aheadMs: number }) => void;
  /** A clock that never jumps, in ms. */
  readonly steady?: () => number;
  /** A clock that continues while this machine sleeps, in ms. */
  readonly awake?: () => number;
}

/** Tolerance: a call may be under way for some seconds, and clock corrections are small steps. */
const TOLERANCE_MS = 300_000;
/** Tolerated drift of a clock that runs fast; a healthy clock drifts far less. */
const DRIFT = 1e-3;
const ALARM_EVERY_MS = 60_000;
const LOOK_EVERY_MS = 2_000;
const AWAKE_EVERY_MS = 1_000;
/** An accepted time continues from its acceptance until gateways have read it. */
const ACCEPTED_FOR_MS = 600_000;
/** An org's time may be this far ahead of the clock before the gateway raises an alarm. */
export const ORG_AHEAD_MS = TOLERANCE_MS;

export class ClockGuard {
  private readonly steady: () => number;
  private readonly awake: () => number;
  /** The last reading and its time; undefined if the next reading is accepted as it is. */
  private reading: { readonly clock: number; readonly at: number } | undefined;
  private slept = 0;
  private sleepAt = Number.NEGATIVE_INFINITY;
  private alarmAt = Number.NEGATIVE_INFINITY;
  private refusedSince: number | undefined;

  constructor(private readonly options: ClockGuardOptions) {
    this.steady = options.steady ?? (() => performance.now());
    this.awake = options.awake ?? (() => uptime() * 1_000);
  }

  /** The store's clock shows an impossible time. */
  get refusing(): boolean {
    return this.refusedSince !== undefined;
  }

  /** The latest time that the clock can show now, 0 before the first reading. */
  latest(): number {
    if (this.reading === undefined) return 0;
    const passed = this.steady() - this.reading.at;
    return Math.ceil(this.reading.clock + passed * (1 + DRIFT) + TOLERANCE_MS);
  }

  /** A possible reading. */
  saw(clock: number): void {
    const at = this.steady();
    if (at - this.sleepAt > AWAKE_EVERY_MS) this.noteSleep(at);
    this.reading = { clock, at };
    this.refusedSince = undefined;
  }

  /**
   * A call was answered `clock`. Returns true if the reading is possible after all, because this machine slept
   * meanwhile.
   */
  refused(clock: number): boolean {
    const slept = this.slept;
    const at = this.steady();
    this.noteSleep(at);
    const latest = this.latest();
    if (clock <= latest + Math.max(0, this.slept - slept)) {
      this.saw(clock);
      return true;
    }
    this.refusedSince ??= at;
    if (at - this.alarmAt >= ALARM_EVERY_MS) {
      this.alarmAt = at;
      this.options.alarm({ clock, aheadMs: clock - latest });
    }
    return false;
  }

  /** Handles a reading that was taken while the store's time is refused. */
  look({ accepted, clock }: ClockLook): void {
    const latest = this.latest();
    const isAccepted = accepted > latest && clock - accepted <= ACCEPTED_FOR_MS;
    if (clock <= latest || isAccepted) this.saw(clock);
  }

  /** How far the clock that continues during sleep is ahead of the one that stops. */
  private noteSleep(at: number): void {
    this.sleepAt = at;
    this.slept = this.awake() - at;
  }
}

export interface ClockLookout {
  close(): void;
}

/** While the store's time is refused, checks whether it is possible again or was accepted. */
export function lookWhileRefusing(guard: ClockGuard, look: () => Promise<ClockLook>): ClockLookout {
  const timer = setInterval(() => {
    if (!guard.refusing) return;
    look().then(
      (found) => guard.look(found),
      // A failed reading says nothing about the store's time.
      () => undefined,
    );
  }, LOOK_EVERY_MS).unref();
  return { close: () => clearInterval(timer) };
}

/** Sends a call with the latest time that the clock can show, and records the clock of its answer. */
export function bounded(
  guard: ClockGuard | undefined,
  call: Call,
  send: (latest: number) => Promise<Reply>,
): Promise<Reply> {
  if (guard === undefined || call.latest !== undefined) return send(call.latest ?? 0);
  const latest = guard.latest();
  return send(latest).then((reply) => {
    // A repeated first answer contains the old reading.
    if (reply.replayed) return reply;
    if (latest === 0 || reply.clock <= latest) guard.saw(reply.clock);
    else if (guard.refused(reply.clock) && reply.code === 'clock') return send(guard.latest());
    return reply;
  });
}
