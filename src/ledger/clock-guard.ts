/**
 * Bounds the store's clock. Between two readings it cannot have gone on by more than the steady clock of this process has: one
 * that shows a later time would end cycles early and stop the time of every org for as long, so such calls are answered
 * `clock` and change nothing. The first reading of a process is taken as it is.
 *
 * It ends by itself when the clock shows a possible time again, or when an operator accepts the time that it shows.
 */
import { uptime } from 'node:os';
import type { Call, Reply } from './port.js';

/** What an operator has accepted (0: nothing), and what the clock shows now. */
export interface ClockLook {
  readonly accepted: number;
  readonly clock: number;
}

export interface ClockGuardOptions {
  /** Called at first, then once a minute: what the clock shows, and how far past the latest possible time that is. */
  readonly alarm: (details: { readonly clock: number; readonly aheadMs: number }) => void;
  /** A clock that never jumps, in ms. */
  readonly steady?: () => number;
  /** One that goes on while this machine sleeps, in ms. */
  readonly awake?: () => number;
}

/** A call may be on its way for some seconds, and clocks are set right by small steps. */
const TOLERANCE_MS = 300_000;
/** Of a clock that runs fast, far more than a sound one does. */
const DRIFT = 1e-3;
const ALARM_EVERY_MS = 60_000;
const LOOK_EVERY_MS = 2_000;
const AWAKE_EVERY_MS = 1_000;
/** Until gateways have heard of it, an accepted time goes on. */
const ACCEPTED_FOR_MS = 600_000;
/** The time of an org may be so far ahead of the clock before that is an alarm. */
export const ORG_AHEAD_MS = TOLERANCE_MS;

export class ClockGuard {
  private readonly steady: () => number;
  private readonly awake: () => number;
  /** The last reading, and when that was; undefined where the next one is taken as it is. */
  private reading: { readonly clock: number; readonly at: number } | undefined;
  private slept = 0;
  private sleepAt = Number.NEGATIVE_INFINITY;
  private alarmAt = Number.NEGATIVE_INFINITY;
  private refusedSince: number | undefined;

  constructor(private readonly options: ClockGuardOptions) {
    this.steady = options.steady ?? (() => performance.now());
    this.awake = options.awake ?? (() => uptime() * 1_000);
  }

  /** The store's clock shows a time that it cannot have. */
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

  /** A call was answered `clock`. True where the reading is possible after all: this machine has slept meanwhile. */
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

  /** What a look while refusing has found. */
  look({ accepted, clock }: ClockLook): void {
    const latest = this.latest();
    const isAccepted = accepted > latest && clock - accepted <= ACCEPTED_FOR_MS;
    if (clock <= latest || isAccepted) this.saw(clock);
  }

  /** By how much the clock that goes on in sleep is ahead of the one that does not. */
  private noteSleep(at: number): void {
    this.sleepAt = at;
    this.slept = this.awake() - at;
  }
}

export interface ClockLookout {
  close(): void;
}

/** While the store's time is refused, looks whether it is right again, or accepted. */
export function lookWhileRefusing(guard: ClockGuard, look: () => Promise<ClockLook>): ClockLookout {
  const timer = setInterval(() => {
    if (!guard.refusing) return;
    look().then(
      (found) => guard.look(found),
      // A store that cannot be asked says nothing about its time.
      () => undefined,
    );
  }, LOOK_EVERY_MS).unref();
  return { close: () => clearInterval(timer) };
}

/** Sends a call with the latest time that the clock can show, and learns from its answer. */
export async function bounded(
  guard: ClockGuard | undefined,
  call: Call,
  send: (latest: number) => Promise<Reply>,
): Promise<Reply> {
  if (guard === undefined || call.latest !== undefined) return send(call.latest ?? 0);
  const latest = guard.latest();
  const reply = await send(latest);
  // The first answer again has the reading of then.
  if (reply.replayed) return reply;
  if (latest === 0 || reply.clock <= latest) guard.saw(reply.clock);
  else if (guard.refused(reply.clock) && reply.code === 'clock') return send(guard.latest());
  return reply;
}
