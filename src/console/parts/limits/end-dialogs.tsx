/** Deletes a limit, or ends its raise: what happens then is said before. */
import { api, dataOf } from '../../api/client.js';
import { refresh, useQuery } from '../../api/query.js';
import { nameOf } from '../../api/subjects.js';
import { amount, quotaName } from '../../format/amounts.js';
import { texts } from '../../i18n/index.js';
import { useOrg } from '../../state/org.js';
import { Banner } from '../../ui/banner.js';
import { ConfirmDialog } from '../../ui/confirm-dialog.js';
import { toast } from '../../ui/toasts.js';
import { type Limit, type Preview, useUnit } from './limit.js';

interface EndDialogProps {
  readonly limit: Limit;
  readonly onClose: () => void;
}

function useParams({ id, etag }: Limit) {
  const { id: org } = useOrg();
  return { path: { org, limit: id }, header: { 'If-Match': etag } };
}

export function DeleteLimitDialog({ limit, onClose }: EndDialogProps) {
  const { deleteDialog: text, done } = texts.value.limits;
  const params = useParams(limit);
  const unit = useUnit(limit.quota);
  const name = nameOf(limit.subject);
  const remove = async (): Promise<void> => {
    await dataOf(api.DELETE('/v1/orgs/{org}/limits/{limit}', { params }));
    await refresh('directory', 'consumption');
    toast(done.deleted(name));
  };
  return (
    <ConfirmDialog
      title={text.title(name, quotaName(limit.quota))}
      act={texts.value.common.delete}
      onConfirm={remove}
      onClose={onClose}
    >
      <p>
        {limit.subject.scope === 'user' ? text.user(name) : text.group(name)}{' '}
        {limit.status === 'blocked' && text.unblocks}
      </p>
      <p class="muted">{text.kept(amount(limit.consumed, unit))}</p>
    </ConfirmDialog>
  );
}

export function EndRaiseDialog({ limit, onClose }: EndDialogProps) {
  const { endRaiseDialog: text, done } = texts.value.limits;
  const params = useParams(limit);
  const unit = useUnit(limit.quota);
  const name = nameOf(limit.subject);
  const path = '/v1/orgs/{org}/limits/{limit}/raise';
  const { data } = useQuery({
    key: `end-raise ${params.path.org} ${limit.id} ${limit.etag}`,
    kinds: ['consumption'],
    read: (options) =>
      api.DELETE(path, { params: { path: params.path, query: { dryRun: true } }, ...options }),
  });
  const preview = data as Preview | undefined;
  const end = async (): Promise<void> => {
    await dataOf(api.DELETE(path, { params }));
    await refresh('directory', 'consumption');
    toast(done.ended(name));
  };
  return (
    <ConfirmDialog
      title={text.title(name, quotaName(limit.quota))}
      act={texts.value.limits.endRaise}
      onConfirm={end}
      onClose={onClose}
    >
      <p>{text.text(amount(limit.raise?.units ?? 0, unit))}</p>
      {preview?.wouldBlock && (
        <Banner tone="warn" alert>
          {text.blocks(name, amount(preview.consumed), amount(preview.cap, unit))}
        </Banner>
      )}
    </ConfirmDialog>
  );
}
