/** Archives the org, or restores it: what happens then is said before. */
import { api, dataOf } from '../../api/client.js';
import { refresh } from '../../api/query.js';
import { texts } from '../../i18n/index.js';
import { ConfirmDialog } from '../../ui/confirm-dialog.js';
import { toast } from '../../ui/toasts.js';
import type { Org } from './settings-page.js';

interface ArchiveDialogProps {
  readonly org: Org;
  readonly onClose: () => void;
}

export function ArchiveDialog({ org: { id, name, seatsUsed, etag }, onClose }: ArchiveDialogProps) {
  const { archiveDialog: text, archive, done } = texts.value.settings;
  const end = async (): Promise<void> => {
    const params = { path: { org: id }, header: { 'If-Match': etag } };
    await dataOf(api.DELETE('/v1/orgs/{org}', { params }));
    await refresh('directory');
    toast(done.archived(name));
  };
  return (
    <ConfirmDialog title={text.title(name)} act={archive} onConfirm={end} onClose={onClose}>
      <p>
        <strong>{text.refused(seatsUsed)}</strong>
      </p>
      <p>{text.kept}</p>
      <p class="muted">{text.undo(id)}</p>
    </ConfirmDialog>
  );
}

export function RestoreDialog({ org: { id, name, etag }, onClose }: ArchiveDialogProps) {
  const { restoreDialog: text, restore, done } = texts.value.settings;
  const reopen = async (): Promise<void> => {
    const params = { path: { org: id }, header: { 'If-Match': etag } };
    await dataOf(api.POST('/v1/orgs/{org}/restore', { params, body: {} }));
    await refresh('directory');
    toast(done.restored(name));
  };
  return (
    <ConfirmDialog title={text.title(name)} act={restore} kind="primary" onConfirm={reopen} onClose={onClose}>
      <p>{text.text}</p>
    </ConfirmDialog>
  );
}
