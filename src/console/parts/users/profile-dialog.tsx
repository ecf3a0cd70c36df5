/** Invites a user, or changes the profile and the groups of one. */
import { useState } from 'preact/hooks';
import { api, dataOf, type Schemas } from '../../api/client.js';
import { refresh } from '../../api/query.js';
import { nameOf } from '../../api/subjects.js';
import { quotaName } from '../../format/amounts.js';
import { CheckField, SelectField, TextField } from '../../forms/field.js';
import { FormDialog } from '../../forms/form-dialog.js';
import { type Form, useForm } from '../../forms/use-form.js';
import { texts } from '../../i18n/index.js';
import { useOrg } from '../../state/org.js';
import { Banner } from '../../ui/banner.js';
import { toast } from '../../ui/toasts.js';
import { GroupsField } from './groups-field.js';
import { readUser, type User } from './user.js';

type ProfileValues = Record<'name' | 'email' | 'role' | 'groups', string>;
type InviteValues = ProfileValues & Record<'id' | 'status' | 'mail', string>;

/** No id of a group has one. */
const BETWEEN = ' ';
const groupsOf = ({ groups }: ProfileValues): string[] => groups.split(BETWEEN).filter(Boolean);

function profileOf(values: ProfileValues) {
  const { name, email, role } = values;
  return { name: name.trim(), email: email.trim(), role: role.trim(), groups: groupsOf(values) };
}

const NOBODY: InviteValues = {
  id: '',
  name: '',
  email: '',
  role: '',
  groups: '',
  status: 'invited',
  mail: '',
};

export function InviteDialog({ onClose }: { readonly onClose: () => void }) {
  const { profile: text } = texts.value.users;
  const form = useInviteForm(onClose);
  const isInvited = form.values.status === 'invited';
  return (
    <FormDialog form={form} title={text.inviteTitle} act={text.submit} onClose={onClose} labels={{}}>
      <TextField form={form} name="id" label={text.id} help={text.idHelp} input={{ maxLength: 256 }} />
      <ProfileFields form={form} />
      <SelectField
        form={form}
        name="status"
        label={text.status}
        options={[
          { value: 'invited', label: text.invited },
          { value: 'active', label: text.active },
        ]}
      />
      {isInvited && <CheckField form={form} name="mail" label={text.mail} />}
      {form.errors.mail !== undefined && (
        <Banner tone="bad" alert>
          {text.mail}: {form.errors.mail}
        </Banner>
      )}
    </FormDialog>
  );
}

function useInviteForm(onClose: () => void): Form<InviteValues> {
  const { id: org } = useOrg();
  const { profile: text, done } = texts.value.users;
  return useForm<InviteValues>({
    initial: NOBODY,
    draft: `invite ${org}`,
    check: ({ id, email, status, mail }) => ({
      ...(id.trim() === '' ? { id: text.idMissing } : {}),
      ...(status === 'invited' && mail === 'yes' && email.trim() === '' ? { email: text.emailMissing } : {}),
    }),
    save: async (values) => {
      const isInvited = values.status === 'invited';
      const body = {
        id: values.id.trim(),
        ...profileOf(values),
        status: isInvited ? ('invited' as const) : ('active' as const),
        ...(isInvited && values.mail === 'yes' ? { mail: true } : {}),
      };
      const user = await dataOf(api.POST('/v1/orgs/{org}/users', { params: { path: { org } }, body }));
      await refresh('directory');
      toast(isInvited ? done.invited(nameOf(user)) : done.added(nameOf(user)));
      onClose();
    },
  });
}

function ProfileFields<V extends ProfileValues>({ form: given }: { readonly form: Form<V> }) {
  const { profile: text } = texts.value.users;
  // What is shown here are the fields that both forms have.
  const form = given as unknown as Form<ProfileValues>;
  return (
    <>
      <TextField form={form} name="name" label={text.name} input={{ maxLength: 128 }} />
      <TextField form={form} name="email" label={text.email} input={{ type: 'email', maxLength: 254 }} />
      <TextField form={form} name="role" label={text.role} help={text.roleHelp} input={{ maxLength: 128 }} />
      <GroupsField
        groups={groupsOf(form.values)}
        error={form.errors.groups}
        onChange={(groups) => form.set({ groups: groups.join(BETWEEN) })}
      />
    </>
  );
}

interface ProfileDialogProps {
  readonly user: User;
  readonly onClose: () => void;
}

function valuesOf({ name, email, role, groups }: User): ProfileValues {
  return { name, email, role, groups: groups.join(BETWEEN) };
}

export function ProfileDialog({ user, onClose }: ProfileDialogProps) {
  const { profile: text } = texts.value.users;
  const { form, blocked } = useProfileForm({ user, onClose });
  const isWarned = blocked !== undefined && blocked.groups === form.values.groups;
  return (
    <FormDialog
      form={form}
      title={text.editTitle(nameOf(user))}
      act={text.save}
      kind={isWarned ? 'danger' : 'primary'}
      onClose={onClose}
      labels={{
        name: text.name,
        email: text.email,
        role: text.role,
        groups: texts.value.users.columns.groups,
      }}
    >
      <ProfileFields form={form} />
      {isWarned && (
        <Banner tone="warn" alert>
          {text.blocks(blocked.quotas.map(quotaName).join(', '))}
        </Banner>
      )}
    </FormDialog>
  );
}

interface Blocked {
  /** The groups that the warning is about. */
  readonly groups: string;
  readonly quotas: readonly string[];
}

function useProfileForm({ user, onClose }: ProfileDialogProps) {
  const { id: org } = useOrg();
  const [blocked, setBlocked] = useState<Blocked | undefined>(undefined);
  const path = { org, user: user.id };
  const form = useForm<ProfileValues>({
    initial: valuesOf(user),
    draft: `profile ${org} ${user.id}`,
    etag: user.etag,
    reload: async () => {
      const now = await readUser(org, user.id);
      return { values: valuesOf(now), etag: now.etag };
    },
    check: () => ({}),
    save: async (values, etag) => {
      const body = profileOf(values);
      if (values.groups !== valuesOf(user).groups && blocked?.groups !== values.groups) {
        const params = { path, query: { dryRun: true } };
        const answer = await dataOf(api.PATCH('/v1/orgs/{org}/users/{user}', { params, body }));
        const { wouldBlock, quotas } = answer as Schemas['AccessPreview'];
        if (wouldBlock) {
          setBlocked({ groups: values.groups, quotas });
          return false;
        }
      }
      const header = etag === undefined ? {} : { 'If-Match': etag };
      await dataOf(api.PATCH('/v1/orgs/{org}/users/{user}', { params: { path, header }, body }));
      await refresh('directory', 'consumption');
      toast(texts.value.users.done.saved(values.name || user.id));
      onClose();
      return undefined;
    },
  });
  return { form, blocked };
}
