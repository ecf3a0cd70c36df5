/** The limits of users and groups: a tab per quota, filters, and the dialogs to set, change, raise and delete one. */
import './limits.css';
import { Plus } from 'lucide-preact';
import { amount, quotaName } from '../../format/amounts.js';
import { dateAt } from '../../format/dates.js';
import { texts } from '../../i18n/index.js';
import { CapsBanner, isUneven } from '../../parts/caps/caps-banner.js';
import { DistributeButton, OpenDistributeDialog } from '../../parts/caps/distribute-button.js';
import { LimitDialog } from '../../parts/limits/limit-dialog.js';
import { OpenLimitDialog } from '../../parts/limits/limit-dialogs.js';
import { queryOf, setQuery } from '../../router.js';
import { type QuotaOverview, useOrg } from '../../state/org.js';
import { may } from '../../state/session.js';
import { Button } from '../../ui/button.js';
import { PageHead } from '../../ui/page-head.js';
import { setFilters } from '../../ui/paging.js';
import { Tabs } from '../../ui/tabs.js';
import { LimitList } from './limit-list.js';

export default function LimitsPage() {
  const { limits } = texts.value;
  const { quotas, cycle } = useOrg();
  const quota = quotas.find((one) => one.quota === queryOf('quota')) ?? quotas[0];
  if (quota === undefined) return <PageHead title={limits.title} about={limits.noQuota} />;
  return (
    <>
      <PageHead
        title={limits.title}
        about={limits.about(dateAt(cycle.end, cycle.timeZone))}
        action={
          may('createLimit') && (
            <Button kind="primary" icon={Plus} onClick={() => setQuery({ set: 'new' })}>
              {limits.set}
            </Button>
          )
        }
      />
      <Tabs
        label={limits.tabs}
        tabs={quotas.map(({ quota: id }) => ({ id, label: quotaName(id) }))}
        selected={quota.quota}
        onSelect={(id) => setFilters({ quota: id })}
      >
        <PoolLine quota={quota} />
        <CapsBanner quota={quota} />
        <LimitList key={quota.quota} quota={quota} />
      </Tabs>
      <OpenDialog quota={quota.quota} />
      <OpenDistributeDialog key={`distribute ${quota.quota}`} quota={quota} />
    </>
  );
}

function PoolLine({ quota }: { readonly quota: QuotaOverview }) {
  const { pool, consumed, unit, mode } = quota;
  const { limits } = texts.value;
  return (
    <div class="row spread">
      <p class="muted">{limits.pool(amount(pool, unit), amount(consumed), limits.modes[mode])}</p>
      {!isUneven(quota) && <DistributeButton quota={quota} />}
    </div>
  );
}

/** The dialog that the address names: links of e-mails and of other pages open it. */
function OpenDialog({ quota }: { readonly quota: string }) {
  if (queryOf('set') === 'new' && may('createLimit'))
    return <LimitDialog quota={quota} onClose={() => setQuery({ set: undefined })} />;
  return <OpenLimitDialog />;
}
