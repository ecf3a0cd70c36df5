/** The users of the org: search and filters, caps edited in the table, invite, import, and what can be done with each. */
import '../../parts/users/users.css';
import { FileUp, UserPlus } from 'lucide-preact';
import { quotaName } from '../../format/amounts.js';
import { texts } from '../../i18n/index.js';
import { CapsBanner } from '../../parts/caps/caps-banner.js';
import { OpenDistributeDialog } from '../../parts/caps/distribute-button.js';
import { OpenLimitDialog } from '../../parts/limits/limit-dialogs.js';
import { InviteDialog } from '../../parts/users/profile-dialog.js';
import { seatsText } from '../../parts/users/user.js';
import { OpenUserDialog } from '../../parts/users/user-acts.js';
import { queryOf, setQuery } from '../../router.js';
import { useOrg } from '../../state/org.js';
import { may } from '../../state/session.js';
import { Button } from '../../ui/button.js';
import { PageHead } from '../../ui/page-head.js';
import { ImportDialog } from './import-dialog.js';
import { UserList } from './user-list.js';

export default function UsersPage() {
  const { users } = texts.value;
  const org = useOrg();
  const quota = org.quotas.find((one) => one.quota === queryOf('quota')) ?? org.quotas[0];
  return (
    <>
      <PageHead
        title={users.title}
        about={users.about(seatsText(org))}
        action={
          <>
            {may('importUsers') && (
              <Button icon={FileUp} onClick={() => setQuery({ import: 'csv' })}>
                {users.import}
              </Button>
            )}
            {may('addUser') && (
              <Button kind="primary" icon={UserPlus} onClick={() => setQuery({ invite: 'new' })}>
                {users.invite}
              </Button>
            )}
          </>
        }
      />
      {quota && <CapsBanner quota={quota} />}
      <UserList quota={quota} label={users.caption(quota === undefined ? '' : quotaName(quota.quota))} />
      <OpenDialog />
      {quota && <OpenDistributeDialog key={quota.quota} quota={quota} />}
      <OpenUserDialog />
      <OpenLimitDialog />
    </>
  );
}

function OpenDialog() {
  if (queryOf('invite') === 'new' && may('addUser'))
    return <InviteDialog onClose={() => setQuery({ invite: undefined })} />;
  if (queryOf('import') === 'csv' && may('importUsers'))
    return <ImportDialog onClose={() => setQuery({ import: undefined })} />;
  return null;
}
