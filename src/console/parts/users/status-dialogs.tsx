/** Deactivates, activates, removes or returns a user: what happens then is said before. */
import { api, dataOf, type Schemas } from '../../api/client.js';
import { refresh, useQuery } from '../../api/query.js';
import { nameOf } from '../../api/subjects.js';
import { amount, quotaName } from '../../format/amounts.js';
import { texts } from '../../i18n/index.js';
import { useOrg } from '../../state/org.js';
import { Banner } from '../../ui/banner.js';
import { ConfirmDialog } from '../../ui/confirm-dialog.js';
import { toast } from '../../ui/toasts.js';
import { seatsText, type User } from './user.js';

interface StatusDialogProps {
  readonly user: User;
  readonly onClose: () => void;
}

function useParams({ id, etag }: User) {
  const { id: org } = useOrg();
  return { path: { org, user: id }, header: { 'If-Match': etag } };
}

export function DeactivateDialog({ user, onClose }: StatusDialogProps) {
  const { deactivate: text, acts, done } = texts.value.users;
  const params = useParams(user);
  const name = nameOf(user);
  const deactivate = async (): Promise<void> => {
    await dataOf(api.PATCH('/v1/orgs/{org}/users/{user}', { params, body: { status: 'inactive' } }));
    await refresh('directory', 'consumption');
    toast(done.deactivated(name));
  };
  return (
    <ConfirmDialog title={text.title(name)} act={acts.deactivate} onConfirm={deactivate} onClose={onClose}>
      <p>
        {text.text(name)} {user.status === 'active' && text.seat}
      </p>
      <p class="muted">{text.kept}</p>
    </ConfirmDialog>
  );
}

export function RemoveDialog({ user, onClose }: StatusDialogProps) {
  const { remove: text, acts, done } = texts.value.users;
  const org = useOrg();
  const params = useParams(user);
  const name = nameOf(user);
  const consumed = org.quotas.flatMap(({ quota, unit }) => {
    const units = user.quotas[quota]?.consumed ?? 0;
    return units > 0 ? [`${quotaName(quota)}: ${amount(units, unit)}`] : [];
  });
  const remove = async (): Promise<void> => {
    await dataOf(api.DELETE('/v1/orgs/{org}/users/{user}', { params }));
    await refresh('directory', 'consumption');
    toast(done.removed(name));
  };
  return (
    <ConfirmDialog title={text.title(name)} act={acts.remove} onConfirm={remove} onClose={onClose}>
      <p>{text.text(name)}</p>
      <p>{user.status === 'active' ? text.seat(seatsText(org, -1)) : text.noSeat}</p>
      <p class="muted">{text.kept(consumed.join(', ') || text.nothing)}</p>
    </ConfirmDialog>
  );
}

export function ActivateDialog({ user, onClose }: StatusDialogProps) {
  const { activate: text, acts, done } = texts.value.users;
  const org = useOrg();
  const params = useParams(user);
  const name = nameOf(user);
  const body = { status: 'active' as const };
  const { data } = useQuery({
    key: `activate ${org.id} ${user.id} ${user.etag}`,
    kinds: ['directory', 'consumption'],
    read: (options) =>
      api.PATCH('/v1/orgs/{org}/users/{user}', {
        params: { path: params.path, query: { dryRun: true } },
        body,
        ...options,
      }),
  });
  const preview = data as Schemas['AccessPreview'] | undefined;
  const activate = async (): Promise<void> => {
    await dataOf(api.PATCH('/v1/orgs/{org}/users/{user}', { params, body }));
    await refresh('directory', 'consumption');
    toast(done.activated(name));
  };
  const isReturn = user.status === 'removed';
  return (
    <ConfirmDialog
      title={isReturn ? text.returnTitle(name) : text.title(name)}
      act={isReturn ? acts.restore : acts.activate}
      kind="primary"
      onConfirm={activate}
      onClose={onClose}
    >
      <p>
        {text.text(name)} {text.seat(seatsText(org, 1))}
      </p>
      {preview?.wouldBlock && (
        <Banner tone="warn" alert>
          {text.blocks(name, preview.quotas.map(quotaName).join(', '))}
        </Banner>
      )}
    </ConfirmDialog>
  );
}
