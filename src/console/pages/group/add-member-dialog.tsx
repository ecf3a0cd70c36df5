/** Adds a user to a group, and warns where its limits would block the user at once. */
import { useState } from 'preact/hooks';
import { api, dataOf, type Schemas } from '../../api/client.js';
import { refresh } from '../../api/query.js';
import { type FoundSubject, nameOf } from '../../api/subjects.js';
import { quotaName } from '../../format/amounts.js';
import { FormDialog } from '../../forms/form-dialog.js';
import { SubjectField } from '../../forms/subject-field.js';
import { useForm } from '../../forms/use-form.js';
import { texts } from '../../i18n/index.js';
import type { Group } from '../../parts/groups/group.js';
import { useOrg } from '../../state/org.js';
import { Banner } from '../../ui/banner.js';
import { toast } from '../../ui/toasts.js';

interface AddMemberDialogProps {
  readonly group: Group;
  readonly onClose: () => void;
}

interface Blocked {
  /** The user that the warning is about. */
  readonly user: string;
  readonly quotas: readonly string[];
}

const MEMBER_PATH = '/v1/orgs/{org}/groups/{group}/members/{user}';

export function AddMemberDialog({ group, onClose }: AddMemberDialogProps) {
  const { add: text } = texts.value.groups;
  const { form, blocked } = useAddForm({ group, onClose });
  const { id, name } = form.values;
  const refused = (found: FoundSubject): string | undefined =>
    found.scope === 'user' && found.groups.includes(group.id) ? text.has : undefined;
  const isWarned = blocked !== undefined && blocked.user === id;
  return (
    <FormDialog
      form={form}
      title={text.title(nameOf(group))}
      act={isWarned ? text.submitBlocking : text.submit}
      kind={isWarned ? 'danger' : 'primary'}
      onClose={onClose}
      labels={{}}
    >
      <SubjectField
        label={text.user}
        scope="user"
        error={form.errors.id}
        subject={id === '' ? undefined : { scope: 'user', id, name }}
        refused={refused}
        onChange={(subject) => form.set({ id: subject?.id ?? '', name: subject?.name ?? '' })}
      />
      {isWarned && (
        <Banner tone="warn" alert>
          {text.blocks(name, blocked.quotas.map(quotaName).join(', '))}
        </Banner>
      )}
    </FormDialog>
  );
}

function useAddForm({ group, onClose }: AddMemberDialogProps) {
  const { id: org } = useOrg();
  const { add: text, done } = texts.value.groups;
  const [blocked, setBlocked] = useState<Blocked | undefined>(undefined);
  const form = useForm({
    initial: { id: '', name: '' },
    check: ({ id }) => (id === '' ? { id: text.userMissing } : {}),
    save: async ({ id, name }) => {
      const path = { org, group: group.id, user: id };
      if (blocked?.user !== id) {
        const params = { path, query: { dryRun: true } };
        const { wouldBlock, quotas } = (await dataOf(
          api.PUT(MEMBER_PATH, { params }),
        )) as Schemas['AccessPreview'];
        if (wouldBlock) {
          setBlocked({ user: id, quotas });
          return false;
        }
      }
      await dataOf(api.PUT(MEMBER_PATH, { params: { path } }));
      await refresh('directory', 'consumption');
      toast(done.joined(name));
      onClose();
      return undefined;
    },
  });
  return { form, blocked };
}
