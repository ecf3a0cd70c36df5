/** How much of a limit is consumed and held: colour, pattern and words. */
import { amount, percent } from '../format/amounts.js';
import { texts } from '../i18n/index.js';
import type { LimitStatus } from './badge.js';

interface ProgressBarProps {
  readonly consumed: number;
  readonly held: number;
  readonly limit: number;
  readonly unit?: string | undefined;
  readonly status?: LimitStatus;
  readonly large?: boolean;
}

export function ProgressBar({ consumed, held, limit, unit, status = 'ok', large = false }: ProgressBarProps) {
  const shareOf = (units: number): number => (limit <= 0 ? 0 : Math.min(100, (units / limit) * 100));
  const consumedShare = limit <= 0 && consumed > 0 ? 100 : shareOf(consumed);
  const heldShare = Math.min(100 - consumedShare, shareOf(held));
  return (
    <div
      class="progress"
      role="img"
      aria-label={texts.value.common.progress({
        consumed: amount(consumed, unit),
        held: amount(held, unit),
        limit: amount(limit, unit),
        share: percent(limit <= 0 ? consumedShare : (consumed / limit) * 100),
      })}
      data-status={status}
      data-size={large ? 'large' : undefined}
    >
      {consumedShare > 0 && <span class="progress-consumed" style={{ width: `${consumedShare}%` }} />}
      {heldShare > 0 && <span class="progress-held" style={{ width: `${heldShare}%` }} />}
    </div>
  );
}
