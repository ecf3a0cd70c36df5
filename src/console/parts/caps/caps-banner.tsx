/** Warns where the caps of the active users do not sum to 100 % of the pool, and offers to distribute it evenly. */
import { amount, exactPercent } from '../../format/amounts.js';
import { texts } from '../../i18n/index.js';
import type { QuotaOverview } from '../../state/org.js';
import { Banner } from '../../ui/banner.js';
import { DistributeButton } from './distribute-button.js';

/** Whether the caps leave a part of the pool to nobody, or promise more than there is. */
export function isUneven({ caps: { state } }: QuotaOverview): boolean {
  return state === 'short' || state === 'oversubscribed';
}

export function CapsBanner({ quota }: { readonly quota: QuotaOverview }) {
  if (!isUneven(quota)) return null;
  return (
    <Banner tone="warn" action={<DistributeButton quota={quota} />}>
      {wordsFor(quota)}
    </Banner>
  );
}

function wordsFor({ caps, unit }: QuotaOverview): string {
  const { caps: text } = texts.value.limits;
  const sum = exactPercent(caps.percentSum);
  if (caps.state === 'oversubscribed') return text.oversubscribed(sum);
  const rest = caps.unconsumable === null ? text.maybe : text.unconsumable(amount(caps.unconsumable, unit));
  return `${text.short(sum)} ${rest}`;
}
