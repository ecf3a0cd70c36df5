/** Creates, renames or deletes a group. */
import { api, dataOf } from '../../api/client.js';
import { refresh } from '../../api/query.js';
import { nameOf } from '../../api/subjects.js';
import { amount, quotaName } from '../../format/amounts.js';
import { TextField } from '../../forms/field.js';
import { FormDialog } from '../../forms/form-dialog.js';
import { useForm } from '../../forms/use-form.js';
import { texts } from '../../i18n/index.js';
import { useOrg } from '../../state/org.js';
import { ConfirmDialog } from '../../ui/confirm-dialog.js';
import { toast } from '../../ui/toasts.js';
import { figuresOfGroup } from '../consumption/figures-card.js';
import { type Group, readGroup } from './group.js';

type GroupValues = Record<'id' | 'name', string>;

export function CreateGroupDialog({ onClose }: { readonly onClose: () => void }) {
  const { id: org } = useOrg();
  const { dialog: text, done } = texts.value.groups;
  const form = useForm<GroupValues>({
    initial: { id: '', name: '' },
    draft: `group ${org}`,
    check: ({ id }) => (id.trim() === '' ? { id: text.idMissing } : {}),
    save: async ({ id, name }) => {
      const body = { id: id.trim(), ...(name.trim() === '' ? {} : { name: name.trim() }) };
      const group = await dataOf(api.POST('/v1/orgs/{org}/groups', { params: { path: { org } }, body }));
      await refresh('directory');
      toast(done.created(nameOf(group)));
      onClose();
    },
  });
  return (
    <FormDialog form={form} title={text.title} act={text.submit} onClose={onClose} labels={{}}>
      <TextField form={form} name="id" label={text.id} help={text.idHelp} input={{ maxLength: 64 }} />
      <TextField form={form} name="name" label={text.name} input={{ maxLength: 128 }} />
    </FormDialog>
  );
}

interface GroupDialogProps {
  readonly group: Group;
  readonly onClose: () => void;
}

export function RenameGroupDialog({ group, onClose }: GroupDialogProps) {
  const { id: org } = useOrg();
  const { dialog: text, done } = texts.value.groups;
  const path = { org, group: group.id };
  const form = useForm({
    initial: { name: group.name },
    draft: `rename ${org} ${group.id}`,
    etag: group.etag,
    reload: async () => {
      const now = await readGroup(org, group.id);
      return { values: { name: now.name }, etag: now.etag };
    },
    check: ({ name }) => (name.trim() === '' ? { name: text.nameMissing } : {}),
    save: async ({ name }, etag) => {
      const header = etag === undefined ? {} : { 'If-Match': etag };
      const body = { name: name.trim() };
      await dataOf(api.PATCH('/v1/orgs/{org}/groups/{group}', { params: { path, header }, body }));
      await refresh('directory');
      toast(done.renamed(body.name));
      onClose();
    },
  });
  return (
    <FormDialog
      form={form}
      title={text.renameTitle(nameOf(group))}
      act={text.save}
      onClose={onClose}
      labels={{ name: text.name }}
    >
      <TextField form={form} name="name" label={text.name} input={{ maxLength: 128 }} />
    </FormDialog>
  );
}

export function DeleteGroupDialog({ group, onClose }: GroupDialogProps) {
  const { id: org, quotas } = useOrg();
  const { deleteDialog: text, acts, done } = texts.value.groups;
  const name = nameOf(group);
  const limits = quotas.flatMap(({ quota, unit }) => {
    const { cap } = figuresOfGroup(group.quotas[quota]);
    return cap === null ? [] : [`${quotaName(quota)} ${amount(cap, unit)}`];
  });
  const remove = async (): Promise<void> => {
    const params = { path: { org, group: group.id }, header: { 'If-Match': group.etag } };
    await dataOf(api.DELETE('/v1/orgs/{org}/groups/{group}', { params }));
    await refresh('directory', 'consumption');
    toast(done.deleted(name));
  };
  return (
    <ConfirmDialog title={text.title(name)} act={acts.delete} onConfirm={remove} onClose={onClose}>
      <p>{text.members(group.members)}</p>
      <p>{limits.length > 0 ? text.limits(limits.join(', ')) : text.noLimits}</p>
      <p class="muted">{text.kept}</p>
    </ConfirmDialog>
  );
}
