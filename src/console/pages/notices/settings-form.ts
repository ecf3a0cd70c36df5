/** The settings of notices as a form has them, and as the API gets them. */
import { api, dataOf, type Schemas } from '../../api/client.js';
import { refresh } from '../../api/query.js';
import { type Form, useForm } from '../../forms/use-form.js';
import { texts } from '../../i18n/index.js';
import { useOrg } from '../../state/org.js';
import { toast } from '../../ui/toasts.js';

export const SCOPES = ['users', 'groups', 'org'] as const;
type Scope = (typeof SCOPES)[number];

/** The part of the settings that a dialog shows. The API gets all of them. */
export type Section = 'when' | 'email';

type Settings = Pick<Schemas['Notifications'], 'thresholds' | 'refusals' | 'email'>;

export type SettingsValues = Record<Scope | `${Scope}Refusals` | 'enabled' | 'admins' | 'recipients', string>;

const boxOf = (on: boolean): string => (on ? 'yes' : '');

function valuesOf({ thresholds, refusals, email }: Settings): SettingsValues {
  return {
    users: thresholds.users.join(', '),
    groups: thresholds.groups.join(', '),
    org: thresholds.org.join(', '),
    usersRefusals: boxOf(refusals.users),
    groupsRefusals: boxOf(refusals.groups),
    orgRefusals: boxOf(refusals.org),
    enabled: boxOf(email.enabled),
    admins: boxOf(email.admins),
    recipients: email.recipients.join('\n'),
  };
}

const partsOf = (text: string): string[] => text.split(/[\s,;%]+/).filter((part) => part !== '');
const percentsIn = (text: string): number[] => [...new Set(partsOf(text).map(Number))];
const isPercent = (value: number): boolean => Number.isInteger(value) && value >= 1 && value <= 100;

function bodyOf(values: SettingsValues) {
  return {
    thresholds: {
      users: percentsIn(values.users),
      groups: percentsIn(values.groups),
      org: percentsIn(values.org),
    },
    refusals: {
      users: values.usersRefusals === 'yes',
      groups: values.groupsRefusals === 'yes',
      org: values.orgRefusals === 'yes',
    },
    email: {
      enabled: values.enabled === 'yes',
      admins: values.admins === 'yes',
      recipients: partsOf(values.recipients),
    },
  };
}

/** The API names the address that it refuses by its place. */
const RECIPIENTS_MAX = 50;
const FIELDS = Object.fromEntries(
  Array.from({ length: RECIPIENTS_MAX }, (_, index) => [`email/recipients/${index}`, 'recipients'] as const),
);

interface SettingsFormOptions {
  readonly settings: Schemas['Notifications'];
  readonly onClose: () => void;
}

export function useSettingsForm({ settings, onClose }: SettingsFormOptions): Form<SettingsValues> {
  const { id: org } = useOrg();
  const { dialog: text, done } = texts.value.notices;
  return useForm<SettingsValues>({
    initial: valuesOf(settings),
    draft: `notices ${org}`,
    etag: settings.etag,
    fields: FIELDS,
    reload: async () => {
      const now = await dataOf(api.GET('/v1/orgs/{org}/notifications', { params: { path: { org } } }));
      return { values: valuesOf(now), etag: now.etag };
    },
    check: (values) =>
      Object.fromEntries(
        SCOPES.filter((scope) => !percentsIn(values[scope]).every(isPercent)).map((scope) => [
          scope,
          text.percentWrong,
        ]),
      ),
    save: async (values, etag) => {
      const header = etag === undefined ? {} : { 'If-Match': etag };
      const params = { path: { org }, header };
      await dataOf(api.PUT('/v1/orgs/{org}/notifications', { params, body: bodyOf(values) }));
      await refresh('directory');
      toast(done.saved);
      onClose();
    },
  });
}
