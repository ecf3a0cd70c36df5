/** Creates an admin token with a role and orgs, or deletes one. */
import { api, dataOf, type Schemas } from '../../api/client.js';
import { refresh } from '../../api/query.js';
import { SelectField, TextField } from '../../forms/field.js';
import { FormDialog } from '../../forms/form-dialog.js';
import { ReasonField } from '../../forms/reason-field.js';
import { type Form, useForm } from '../../forms/use-form.js';
import { texts } from '../../i18n/index.js';
import { ExpiryField, expiryAfter } from '../../parts/secrets/expiry.js';
import { useOrg } from '../../state/org.js';
import { session } from '../../state/session.js';
import { Banner } from '../../ui/banner.js';
import { ConfirmDialog } from '../../ui/confirm-dialog.js';
import { toast } from '../../ui/toasts.js';

type Token = Schemas['Token'];

const ROLES = ['viewer', 'quota-manager', 'admin', 'scim'] as const satisfies readonly Token['role'][];

/** The token of this session: deleting it ends the session. The API names callers `name (id)`. */
export function isOwn({ id }: Token): boolean {
  return session.value?.who.endsWith(`(${id})`) ?? false;
}

type TokenValues = Record<'name' | 'role' | 'reach' | 'orgs' | 'days' | 'reason', string>;

interface CreateTokenDialogProps {
  readonly onMade: (token: string) => void;
  readonly onClose: () => void;
}

export function CreateTokenDialog({ onMade, onClose }: CreateTokenDialogProps) {
  const { dialog: text } = texts.value.tokens;
  const form = useTokenForm({ onMade, onClose });
  return (
    <FormDialog form={form} title={text.title} act={text.submit} onClose={onClose} labels={{}}>
      <TextField form={form} name="name" label={text.name} help={text.nameHelp} input={{ maxLength: 128 }} />
      <RoleField form={form} />
      <OrgFields form={form} />
      <ExpiryField form={form} />
      <ReasonField form={form} />
    </FormDialog>
  );
}

function useTokenForm({ onMade, onClose }: CreateTokenDialogProps): Form<TokenValues> {
  const { id: org } = useOrg();
  const { dialog: text } = texts.value.tokens;
  return useForm<TokenValues>({
    initial: { name: '', role: 'viewer', reach: 'some', orgs: org, days: '', reason: '' },
    draft: 'token',
    check: ({ name, reach, orgs }) => ({
      ...(name.trim() === '' ? { name: text.nameMissing } : {}),
      ...(reach === 'some' && idsIn(orgs).length === 0 ? { orgs: text.orgsMissing } : {}),
    }),
    save: async ({ name, role, reach, orgs, days, reason }) => {
      const body = {
        name: name.trim(),
        role: ROLES.find((one) => one === role) ?? 'viewer',
        orgs: reach === 'all' ? 'all' : idsIn(orgs),
        expiresAt: expiryAfter(days),
        ...(reason.trim() === '' ? {} : { reason: reason.trim() }),
      };
      const { token } = await dataOf(api.POST('/v1/tokens', { body }));
      await refresh('directory');
      onClose();
      if (token !== null) onMade(token);
    },
  });
}

function idsIn(text: string): string[] {
  return text.split(/[\s,;]+/).filter((id) => id !== '');
}

interface FieldProps {
  readonly form: Form<TokenValues>;
}

function RoleField({ form }: FieldProps) {
  const { dialog: text, roles } = texts.value.tokens;
  const role = ROLES.find((one) => one === form.values.role) ?? 'viewer';
  return (
    <SelectField
      form={form}
      name="role"
      label={text.role}
      help={roles[role].may}
      options={ROLES.map((value) => ({ value, label: roles[value].name }))}
    />
  );
}

function OrgFields({ form }: FieldProps) {
  const { dialog: text, allOrgs } = texts.value.tokens;
  return (
    <>
      {session.value?.allOrgs && (
        <SelectField
          form={form}
          name="reach"
          label={text.reach}
          help={form.values.reach === 'all' ? text.allHelp : undefined}
          options={[
            { value: 'some', label: text.someOrgs },
            { value: 'all', label: allOrgs },
          ]}
        />
      )}
      {form.values.reach === 'some' && (
        <TextField form={form} name="orgs" label={text.orgs} help={text.orgsHelp} />
      )}
    </>
  );
}

interface DeleteTokenDialogProps {
  readonly token: Token;
  readonly onClose: () => void;
}

export function DeleteTokenDialog({ token, onClose }: DeleteTokenDialogProps) {
  const { deleteDialog: text, done } = texts.value.tokens;
  const { id, name } = token;
  const remove = async (): Promise<void> => {
    await dataOf(api.DELETE('/v1/tokens/{token}', { params: { path: { token: id } } }));
    await refresh('directory');
    toast(done.deleted(name));
  };
  return (
    <ConfirmDialog
      title={text.title(name)}
      act={texts.value.common.delete}
      onConfirm={remove}
      onClose={onClose}
    >
      <p>{text.text}</p>
      {isOwn(token) && <Banner tone="warn">{text.own}</Banner>}
    </ConfirmDialog>
  );
}
