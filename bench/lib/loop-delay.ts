/** Preloaded into a server: answers each message with the delays of its event loop since the message before. */
import { monitorEventLoopDelay } from 'node:perf_hooks';

/** Milliseconds by which turns of the event loop came late. */
export interface LoopDelay {
  readonly p99Ms: number;
  readonly maxMs: number;
}

const RESOLUTION_MS = 1;

const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
delays.enable();
process.on('message', () => {
  // The histogram holds the time between two ticks of its timer.
  const late = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS);
  process.send?.({ p99Ms: late(delays.percentile(99)), maxMs: late(delays.max) } satisfies LoopDelay);
  delays.reset();
});
process.channel?.unref();
