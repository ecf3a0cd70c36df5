/** How far back a log is shown: in whole days of the org. */
import { instantOfWall, wallOfInstant } from '../format/zones.js';
import { texts } from '../i18n/index.js';
import { queryOf } from '../router.js';
import { useZone } from '../state/org.js';
import { Chips } from '../ui/chips.js';
import { setFilters } from '../ui/paging.js';

const CHOICES = ['1', '7', '30'] as const;
const DAY_MS = 86_400_000;
const DAY = 'YYYY-MM-DD'.length;

/** The instant from which entries are wanted; undefined: all. */
export function useSince(): string | undefined {
  const zone = useZone();
  const days = CHOICES.find((one) => one === queryOf('since'));
  if (days === undefined) return undefined;
  const first = wallOfInstant(Date.now() - (Number(days) - 1) * DAY_MS, zone).slice(0, DAY);
  return instantOfWall(`${first}T00:00`, zone);
}

export function SinceChips() {
  const { since } = texts.value.common;
  return (
    <Chips
      label={since.label}
      value={queryOf('since')}
      onChange={(value) => setFilters({ since: value })}
      choices={[{ value: '', label: since.all }, ...CHOICES.map((value) => ({ value, label: since[value] }))]}
    />
  );
}
