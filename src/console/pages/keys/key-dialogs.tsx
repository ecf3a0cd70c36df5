/** Creates an API key for a user, or deletes one. */
import { api, dataOf, type Schemas } from '../../api/client.js';
import { refresh } from '../../api/query.js';
import type { FoundSubject } from '../../api/subjects.js';
import { TextField } from '../../forms/field.js';
import { FormDialog } from '../../forms/form-dialog.js';
import { SubjectField } from '../../forms/subject-field.js';
import { useForm } from '../../forms/use-form.js';
import { texts } from '../../i18n/index.js';
import { ExpiryField, expiryAfter } from '../../parts/secrets/expiry.js';
import { useOrg } from '../../state/org.js';
import { ConfirmDialog } from '../../ui/confirm-dialog.js';
import { toast } from '../../ui/toasts.js';

interface CreateKeyDialogProps {
  readonly onMade: (key: string) => void;
  readonly onClose: () => void;
}

export function CreateKeyDialog({ onMade, onClose }: CreateKeyDialogProps) {
  const { id: org } = useOrg();
  const { dialog: text } = texts.value.keys;
  const form = useForm({
    initial: { user: '', userName: '', name: '', days: '' },
    draft: `key ${org}`,
    check: ({ user }) => (user === '' ? { user: text.userMissing } : {}),
    save: async ({ user, name, days }) => {
      const body = { user, name: name.trim(), expiresAt: expiryAfter(days) };
      const { key } = await dataOf(api.POST('/v1/orgs/{org}/keys', { params: { path: { org } }, body }));
      await refresh('directory');
      onClose();
      if (key !== null) onMade(key);
    },
  });
  const { user, userName } = form.values;
  const refused = (found: FoundSubject): string | undefined =>
    found.scope === 'user' && found.status !== 'active' ? text.notActive : undefined;
  return (
    <FormDialog form={form} title={text.title} act={text.submit} onClose={onClose} labels={{}}>
      <SubjectField
        label={text.user}
        help={text.userHelp}
        scope="user"
        error={form.errors.user}
        subject={user === '' ? undefined : { scope: 'user', id: user, name: userName }}
        refused={refused}
        onChange={(subject) => form.set({ user: subject?.id ?? '', userName: subject?.name ?? '' })}
      />
      <TextField
        form={form}
        name="name"
        label={`${text.name} (${texts.value.common.optional})`}
        help={text.nameHelp}
        input={{ maxLength: 128 }}
      />
      <ExpiryField form={form} />
    </FormDialog>
  );
}

interface DeleteKeyDialogProps {
  readonly apiKey: Schemas['Key'];
  readonly onClose: () => void;
}

export function DeleteKeyDialog({ apiKey: { id, name, user }, onClose }: DeleteKeyDialogProps) {
  const { id: org } = useOrg();
  const { deleteDialog: text, done } = texts.value.keys;
  const title = name || id;
  const remove = async (): Promise<void> => {
    await dataOf(api.DELETE('/v1/orgs/{org}/keys/{key}', { params: { path: { org, key: id } } }));
    await refresh('directory');
    toast(done.deleted(title));
  };
  return (
    <ConfirmDialog
      title={text.title(title)}
      act={texts.value.common.delete}
      onConfirm={remove}
      onClose={onClose}
    >
      <p>{text.text(user)}</p>
      <p class="muted">{text.kept}</p>
    </ConfirmDialog>
  );
}
