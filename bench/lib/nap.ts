/** Blocks the process for about 0.05 ms, so that a polling loop does not occupy a core. */
const cell = new Int32Array(new SharedArrayBuffer(4));
const NAP_MS = 0.05;

export function nap(): void {
  Atomics.wait(cell, 0, 0, NAP_MS);
}
