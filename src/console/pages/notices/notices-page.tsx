/** Who gets notices when limits are near or reached: thresholds and recipients, webhooks, and messages that could not be delivered. */
import './notices.css';
import { Send } from 'lucide-preact';
import { api, type Schemas } from '../../api/client.js';
import { useQuery } from '../../api/query.js';
import { texts } from '../../i18n/index.js';
import { queryOf, setQuery } from '../../router.js';
import { useOrg } from '../../state/org.js';
import { may } from '../../state/session.js';
import { Banner } from '../../ui/banner.js';
import { Button } from '../../ui/button.js';
import { PageHead } from '../../ui/page-head.js';
import { setFilters } from '../../ui/paging.js';
import { Loaded } from '../../ui/states.js';
import { Tabs } from '../../ui/tabs.js';
import { FailuresTab } from './failures-tab.js';
import { OpenSettingsDialog } from './settings-dialog.js';
import { SettingsTab } from './settings-tab.js';
import { RecipientsButton, TestDialog, targetsOf } from './test-dialog.js';
import { WebhooksTab } from './webhooks-tab.js';

export type Notifications = Schemas['Notifications'];

const TABS = ['rules', 'webhooks', 'failures'] as const;

export default function NoticesPage() {
  const { id: org } = useOrg();
  const { notices } = texts.value;
  const query = useQuery({
    key: `notifications ${org}`,
    kinds: ['directory'],
    read: (options) => api.GET('/v1/orgs/{org}/notifications', { params: { path: { org } }, ...options }),
  });
  return (
    <>
      <PageHead
        title={notices.title}
        about={notices.about}
        action={
          may('sendTestNotice') && (
            <Button kind="primary" icon={Send} onClick={() => setQuery({ test: 'all' })}>
              {notices.test.open}
            </Button>
          )
        }
      />
      <Loaded query={query} lines={8}>
        {(settings) => <NoticesTabs settings={settings} />}
      </Loaded>
    </>
  );
}

interface SettingsProps {
  readonly settings: Notifications;
}

function NoticesTabs({ settings }: SettingsProps) {
  const { notices } = texts.value;
  const tab = TABS.find((one) => one === queryOf('tab')) ?? 'rules';
  return (
    <>
      <Warning settings={settings} />
      <Tabs
        label={notices.tabs}
        tabs={TABS.map((id) => ({ id, label: notices.tab[id] }))}
        selected={tab}
        onSelect={(id) => setFilters({ tab: id })}
      >
        {tab === 'rules' && <SettingsTab settings={settings} />}
        {tab === 'webhooks' && <WebhooksTab webhooks={settings.webhooks} />}
        {tab === 'failures' && <FailuresTab webhooks={settings.webhooks} />}
      </Tabs>
      <OpenSettingsDialog settings={settings} />
      {queryOf('test') === 'all' && may('sendTestNotice') && (
        <TestDialog settings={settings} onClose={() => setQuery({ test: undefined })} />
      )}
    </>
  );
}

/** Without anyone who gets them, thresholds have no effect. */
function Warning({ settings }: SettingsProps) {
  const { notices } = texts.value;
  const { email } = settings;
  if (targetsOf(settings).length === 0)
    return (
      <Banner tone="warn" action={<RecipientsButton />}>
        {notices.nobody}
      </Banner>
    );
  if (email.enabled && !email.available) return <Banner tone="warn">{notices.noServer}</Banner>;
  return null;
}
