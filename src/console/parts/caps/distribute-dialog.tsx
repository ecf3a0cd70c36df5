/** Splits a quota evenly over the active users, and says before what that changes. */
import { useState } from 'preact/hooks';
import { api, dataOf, type Schemas } from '../../api/client.js';
import { refresh, useQuery } from '../../api/query.js';
import { amount, quotaName } from '../../format/amounts.js';
import { texts } from '../../i18n/index.js';
import { type QuotaOverview, useOrg } from '../../state/org.js';
import { Banner } from '../../ui/banner.js';
import { ConfirmDialog } from '../../ui/confirm-dialog.js';
import { Loaded } from '../../ui/states.js';
import { toast } from '../../ui/toasts.js';

interface DistributeDialogProps {
  readonly quota: QuotaOverview;
  readonly onClose: () => void;
}

export function DistributeDialog({ quota: { quota, unit }, onClose }: DistributeDialogProps) {
  const { id: org } = useOrg();
  const [keepAbsolute, setKeepAbsolute] = useState(false);
  const { distribute: text } = texts.value.limits;
  const body = { quota, keepAbsolute };
  const path = { org };
  const query = useQuery({
    key: `distribute ${org} ${quota} ${keepAbsolute}`,
    kinds: ['directory'],
    read: (options) =>
      api.POST('/v1/orgs/{org}/limits/distribute', {
        params: { path, query: { dryRun: true } },
        body,
        ...options,
      }),
  });
  const distribute = async (): Promise<void> => {
    await dataOf(api.POST('/v1/orgs/{org}/limits/distribute', { params: { path }, body }));
    await refresh('directory', 'consumption');
    toast(text.done(quotaName(quota)));
  };
  return (
    <ConfirmDialog
      title={text.title(quotaName(quota))}
      kind="primary"
      act={texts.value.limits.caps.distribute}
      onConfirm={distribute}
      onClose={onClose}
    >
      <p class="muted">{text.about}</p>
      <label class="check">
        <input
          type="checkbox"
          checked={keepAbsolute}
          onChange={(event) => setKeepAbsolute(event.currentTarget.checked)}
        />
        {text.keepAbsolute}
      </label>
      <Loaded query={query}>
        {(data) => <Changes preview={data as Schemas['DistributionPreview']} unit={unit} />}
      </Loaded>
    </ConfirmDialog>
  );
}

interface ChangesProps {
  readonly preview: Schemas['DistributionPreview'];
  readonly unit: string;
}

function Changes({ preview, unit }: ChangesProps) {
  const { distribute: text } = texts.value.limits;
  const { users, least, most, usersBlocked, unitsReplaced } = preview;
  const share = least === most ? amount(least, unit) : `${amount(least)} – ${amount(most, unit)}`;
  return (
    <>
      <p>{text.each(users, share)}</p>
      {unitsReplaced.count > 0 && <p>{text.replaced(unitsReplaced.count)}</p>}
      {usersBlocked > 0 && <Banner tone="warn">{text.blocks(usersBlocked)}</Banner>}
    </>
  );
}
