/** The org itself: name, seats and cycle, its plans and top-ups, archive and restore. */
import './settings.css';
import { ArchiveRestore } from 'lucide-preact';
import { api, type Schemas } from '../../api/client.js';
import { useQuery } from '../../api/query.js';
import { texts } from '../../i18n/index.js';
import { queryOf, setQuery } from '../../router.js';
import { useOrg } from '../../state/org.js';
import { may } from '../../state/session.js';
import { Badge } from '../../ui/badge.js';
import { Banner } from '../../ui/banner.js';
import { Button } from '../../ui/button.js';
import { PageHead } from '../../ui/page-head.js';
import { Loaded } from '../../ui/states.js';
import { ArchiveDialog, RestoreDialog } from './archive-dialogs.js';
import { OrgCard } from './org-card.js';
import { OrgDialog } from './org-dialog.js';
import { PlanDialog } from './plan-dialog.js';
import { PlansCard } from './plans-card.js';
import { TopUpDialog } from './top-up-dialog.js';

export type Org = Schemas['Org'];

export default function SettingsPage() {
  const { id, name, state } = useOrg();
  const { settings } = texts.value;
  const org = useQuery({
    key: `org ${id}`,
    kinds: ['directory'],
    read: (options) => api.GET('/v1/orgs/{org}', { params: { path: { org: id } }, ...options }),
  });
  return (
    <>
      <PageHead
        title={settings.title}
        state={state === 'archived' && <Badge tone="warn">{settings.archived}</Badge>}
        about={settings.about(name || id)}
      />
      {state === 'archived' && <ArchivedBanner />}
      <Loaded query={org} lines={8}>
        {(data) => (
          <>
            <OrgCard org={data} />
            <PlansCard isOpen={state === 'open'} />
            <OpenDialog org={data} />
          </>
        )}
      </Loaded>
    </>
  );
}

function ArchivedBanner() {
  const { settings } = texts.value;
  return (
    <Banner
      tone="warn"
      action={
        may('restoreOrg') && (
          <Button icon={ArchiveRestore} onClick={() => setQuery({ open: 'restore' })}>
            {settings.restore}
          </Button>
        )
      }
    >
      {settings.archivedText}
    </Banner>
  );
}

/** The dialog that the address names. */
function OpenDialog({ org }: { readonly org: Org }) {
  const { quotas, withoutPlan } = useOrg();
  const close = (): void => setQuery({ open: undefined, plan: undefined, topUp: undefined });
  const quotaOf = (parameter: string) => quotas.find(({ quota }) => quota === queryOf(parameter));
  const [topped, planned] = [quotaOf('topUp'), quotaOf('plan')];
  if (topped !== undefined && may('addExtra')) return <TopUpDialog quota={topped} onClose={close} />;
  if (planned !== undefined && may('setPlan')) return <PlanDialog quota={planned} onClose={close} />;
  switch (queryOf('open')) {
    case 'org':
      return may('putOrg') ? <OrgDialog org={org} onClose={close} /> : null;
    case 'plan':
      return withoutPlan.length > 0 && may('setPlan') ? <PlanDialog onClose={close} /> : null;
    case 'archive':
      return may('archiveOrg') ? <ArchiveDialog org={org} onClose={close} /> : null;
    case 'restore':
      return may('restoreOrg') ? <RestoreDialog org={org} onClose={close} /> : null;
    default:
      return null;
  }
}
