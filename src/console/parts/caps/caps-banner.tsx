/** Warns where the caps of the active users do not sum to 100 % of the pool, and offers to distribute it evenly. */
import { Split } from 'lucide-preact';
import { useState } from 'preact/hooks';
import { amount, exactPercent } from '../../format/amounts.js';
import { texts } from '../../i18n/index.js';
import type { QuotaOverview } from '../../state/org.js';
import { may } from '../../state/session.js';
import { Banner } from '../../ui/banner.js';
import { Button } from '../../ui/button.js';
import { DistributeDialog } from './distribute-dialog.js';

export function CapsBanner({ quota }: { readonly quota: QuotaOverview }) {
  const [distributing, setDistributing] = useState(false);
  const { caps: text } = texts.value.limits;
  const { state } = quota.caps;
  if (state !== 'short' && state !== 'oversubscribed') return null;
  return (
    <>
      <Banner
        tone="warn"
        action={
          may('distributeLimits') && (
            <Button size="small" icon={Split} onClick={() => setDistributing(true)}>
              {text.distribute}
            </Button>
          )
        }
      >
        {wordsFor(quota)}
      </Banner>
      {distributing && <DistributeDialog quota={quota} onClose={() => setDistributing(false)} />}
    </>
  );
}

function wordsFor({ caps, unit }: QuotaOverview): string {
  const { caps: text } = texts.value.limits;
  const sum = exactPercent(caps.percentSum);
  if (caps.state === 'oversubscribed') return text.oversubscribed(sum);
  const rest = caps.unconsumable === null ? text.maybe : text.unconsumable(amount(caps.unconsumable, unit));
  return `${text.short(sum)} ${rest}`;
}
