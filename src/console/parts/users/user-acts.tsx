/** What can be done with a user: the entries of its menu, and the dialog that the address names. */
import { Pencil, UserCheck, UserMinus, UserX } from 'lucide-preact';
import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { OperationId } from '../../api/client.js';
import { problemIn } from '../../api/problem.js';
import { texts } from '../../i18n/index.js';
import { queryOf, setQuery } from '../../router.js';
import { useOrg } from '../../state/org.js';
import { may } from '../../state/session.js';
import type { MenuItem } from '../../ui/menu.js';
import { problemText } from '../../ui/states.js';
import { toast } from '../../ui/toasts.js';
import { ProfileDialog } from './profile-dialog.js';
import { ActivateDialog, DeactivateDialog, RemoveDialog } from './status-dialogs.js';
import { readUser, type User } from './user.js';

interface DialogOfUserProps {
  readonly user: User;
  readonly onClose: () => void;
}

const DIALOGS = {
  profile: ProfileDialog,
  deactivate: DeactivateDialog,
  activate: ActivateDialog,
  remove: RemoveDialog,
} satisfies Record<string, ComponentType<DialogOfUserProps>>;

type UserAct = keyof typeof DIALOGS;
const USER_ACTS = Object.keys(DIALOGS) as UserAct[];
const operationOf = (act: UserAct): OperationId => (act === 'remove' ? 'removeUser' : 'changeUser');

export function userActs({ id, status }: User): MenuItem[] {
  const { acts } = texts.value.users;
  const open = (act: UserAct) => () => setQuery({ [act]: id });
  const mayChange = may('changeUser');
  return [
    ...(mayChange ? [{ label: acts.edit, icon: Pencil, onSelect: open('profile') }] : []),
    ...(mayChange && status !== 'active'
      ? [
          {
            label: status === 'removed' ? acts.restore : acts.activate,
            icon: UserCheck,
            onSelect: open('activate'),
          },
        ]
      : []),
    ...(mayChange && status !== 'inactive' && status !== 'removed'
      ? [{ label: acts.deactivate, icon: UserMinus, onSelect: open('deactivate') }]
      : []),
    ...(may('removeUser') && status !== 'removed'
      ? [{ label: acts.remove, icon: UserX, kind: 'danger' as const, onSelect: open('remove') }]
      : []),
  ];
}

/** The dialog of the act that the address names, for its user. */
export function OpenUserDialog() {
  const act = USER_ACTS.find((one) => queryOf(one) !== '');
  if (act === undefined || !may(operationOf(act))) return null;
  const id = queryOf(act);
  return <UserDialog key={id} act={act} id={id} onClose={() => setQuery({ [act]: undefined })} />;
}

interface UserDialogProps {
  readonly act: UserAct;
  readonly id: string;
  readonly onClose: () => void;
}

/** Reads the user first: what is changed is the newest version, also from an old link. */
function UserDialog({ act, id, onClose }: UserDialogProps) {
  const { id: org } = useOrg();
  const [user, setUser] = useState<User | undefined>(undefined);
  useEffect(() => {
    const fail = (error: unknown): void => {
      toast(problemText(problemIn(error)), 'bad');
      onClose();
    };
    readUser(org, id).then(setUser, fail);
  }, [org, id]);
  const DialogOfAct = DIALOGS[act];
  return user === undefined ? null : <DialogOfAct user={user} onClose={onClose} />;
}
