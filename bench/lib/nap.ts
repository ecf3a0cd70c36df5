/** Sleeps for some 0.05 ms, and the whole process with it: how a loop looks again soon without taking a core. */
const cell = new Int32Array(new SharedArrayBuffer(4));
const NAP_MS = 0.05;

export function nap(): void {
  Atomics.wait(cell, 0, 0, NAP_MS);
}
