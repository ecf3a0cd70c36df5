/** Changes when notices are sent, or who gets them by e-mail. */
import { AreaField, CheckField, TextField } from '../../forms/field.js';
import { FormDialog } from '../../forms/form-dialog.js';
import type { Form } from '../../forms/use-form.js';
import { texts } from '../../i18n/index.js';
import { queryOf, setQuery } from '../../router.js';
import { may } from '../../state/session.js';
import type { Notifications } from './notices-page.js';
import { SCOPES, type Section, type SettingsValues, useSettingsForm } from './settings-form.js';

const SECTIONS = ['when', 'email'] as const satisfies readonly Section[];

/** The dialog that the address names. */
export function OpenSettingsDialog({ settings }: { readonly settings: Notifications }) {
  const section = SECTIONS.find((one) => one === queryOf('change'));
  if (section === undefined || !may('setNotifications')) return null;
  return (
    <SettingsDialog settings={settings} section={section} onClose={() => setQuery({ change: undefined })} />
  );
}

interface SettingsDialogProps {
  readonly settings: Notifications;
  readonly section: Section;
  readonly onClose: () => void;
}

function SettingsDialog({ settings, section, onClose }: SettingsDialogProps) {
  const { notices, common } = texts.value;
  const form = useSettingsForm({ settings, onClose });
  return (
    <FormDialog
      form={form}
      title={notices[section].edit}
      act={common.save}
      onClose={onClose}
      labels={labelsOf()}
    >
      {section === 'when' ? <WhenFields form={form} /> : <EmailFields form={form} />}
    </FormDialog>
  );
}

function labelsOf(): Record<keyof SettingsValues, string> {
  const { when, email, dialog } = texts.value.notices;
  const { users, groups, org } = when.scopes;
  return {
    users,
    groups,
    org,
    usersRefusals: `${users}: ${dialog.refusals}`,
    groupsRefusals: `${groups}: ${dialog.refusals}`,
    orgRefusals: `${org}: ${dialog.refusals}`,
    enabled: email.state,
    admins: email.admins,
    recipients: dialog.recipients,
  };
}

interface FieldsProps {
  readonly form: Form<SettingsValues>;
}

function WhenFields({ form }: FieldsProps) {
  const { when, dialog } = texts.value.notices;
  return (
    <>
      <p class="muted">{dialog.thresholdsHelp}</p>
      {SCOPES.map((scope) => (
        <fieldset key={scope} class="stack notice-scope">
          <legend class="field-label">{when.scopes[scope]}</legend>
          <TextField
            form={form}
            name={scope}
            label={dialog.thresholds}
            unit="%"
            input={{ inputMode: 'decimal' }}
          />
          <CheckField form={form} name={`${scope}Refusals`} label={dialog.refusals} />
        </fieldset>
      ))}
    </>
  );
}

function EmailFields({ form }: FieldsProps) {
  const { email, dialog } = texts.value.notices;
  return (
    <>
      <CheckField form={form} name="enabled" label={email.state} />
      <CheckField form={form} name="admins" label={email.admins} help={dialog.adminsHelp} />
      <AreaField
        form={form}
        name="recipients"
        label={dialog.recipients}
        help={dialog.recipientsHelp}
        rows={4}
      />
    </>
  );
}
