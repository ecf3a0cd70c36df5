/** A time in the zone of the org. The tooltip has the seconds and the name of the zone. */
import { dateAt, dayAt, exactTimeAt, relative, timeAt } from '../format/dates.js';
import { useZone } from '../state/org.js';

const FORMATS = { day: dayAt, date: dateAt, time: timeAt, relative: (at: string) => relative(at) } as const;

interface TimeProps {
  readonly at: string;
  readonly as?: keyof typeof FORMATS;
}

export function Time({ at, as = 'time' }: TimeProps) {
  const zone = useZone();
  return (
    <time dateTime={at} title={exactTimeAt(at, zone)}>
      {FORMATS[as](at, zone)}
    </time>
  );
}
