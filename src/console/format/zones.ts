/** Instants and wall times of a zone. */

const DAY_MS = 86_400_000;

/** Calendar days, the first and last one included. */
export function daysBetween(from: string, to: string): string[] {
  const length = (Date.parse(to) - Date.parse(from)) / DAY_MS + 1;
  return Array.from({ length }, (_, index) =>
    new Date(Date.parse(from) + index * DAY_MS).toISOString().slice(0, 10),
  );
}

/** Milliseconds by which the zone is ahead of UTC at an instant. */
function offsetAt(ms: number, timeZone: string): number {
  const parts = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  }).formatToParts(ms);
  const of = (type: string): number => Number(parts.find((part) => part.type === type)?.value);
  const wall = Date.UTC(of('year'), of('month') - 1, of('day'), of('hour'), of('minute'), of('second'));
  return wall - Math.floor(ms / 1_000) * 1_000;
}

/** The instant of a wall time of the zone, as `datetime-local` inputs have it: `2026-12-20T14:05`. Undefined if it is none. */
export function instantOfWall(wall: string, timeZone: string): string | undefined {
  const asUtc = Date.parse(`${wall}Z`);
  if (Number.isNaN(asUtc)) return undefined;
  // Twice, because the offset at the first guess can be that before a change of the clocks.
  const guess = asUtc - offsetAt(asUtc, timeZone);
  return new Date(asUtc - offsetAt(guess, timeZone)).toISOString();
}

/** The wall time of an instant in the zone, to the minute. */
export function wallOfInstant(instant: string | number, timeZone: string): string {
  const ms = new Date(instant).getTime();
  return new Date(ms + offsetAt(ms, timeZone)).toISOString().slice(0, 16);
}
