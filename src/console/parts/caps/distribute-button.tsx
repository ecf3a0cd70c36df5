/** Splits the pool of a quota evenly: the button, and its dialog, which the address opens. */
import { Split } from 'lucide-preact';
import { texts } from '../../i18n/index.js';
import { queryOf, setQuery } from '../../router.js';
import type { QuotaOverview } from '../../state/org.js';
import { may } from '../../state/session.js';
import { Button } from '../../ui/button.js';
import { DistributeDialog } from './distribute-dialog.js';

interface DistributeProps {
  readonly quota: QuotaOverview;
}

export function DistributeButton({ quota: { quota, caps } }: DistributeProps) {
  if (caps.activeUsers === 0 || !may('distributeLimits')) return null;
  return (
    <Button size="small" icon={Split} onClick={() => setQuery({ distribute: quota })}>
      {texts.value.limits.caps.distribute}
    </Button>
  );
}

export function OpenDistributeDialog({ quota }: DistributeProps) {
  if (queryOf('distribute') !== quota.quota || !may('distributeLimits')) return null;
  return <DistributeDialog quota={quota} onClose={() => setQuery({ distribute: undefined })} />;
}
