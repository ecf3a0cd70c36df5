/** What can be done with a group: the entries of its menu, and the dialog that the address names. */
import { Gauge, Pencil, Trash2 } from 'lucide-preact';
import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { OperationId } from '../../api/client.js';
import { problemIn } from '../../api/problem.js';
import { nameOf } from '../../api/subjects.js';
import { texts } from '../../i18n/index.js';
import { queryOf, setQuery } from '../../router.js';
import { useOrg } from '../../state/org.js';
import { may } from '../../state/session.js';
import type { MenuItem } from '../../ui/menu.js';
import { problemText } from '../../ui/states.js';
import { toast } from '../../ui/toasts.js';
import { figuresOfGroup } from '../consumption/figures-card.js';
import { LimitDialog } from '../limits/limit-dialog.js';
import { type Group, readGroup } from './group.js';
import { DeleteGroupDialog, RenameGroupDialog } from './group-dialogs.js';

interface DialogOfGroupProps {
  readonly group: Group;
  /** For a new limit. */
  readonly quota: string;
  readonly onClose: () => void;
}

const DIALOGS = {
  rename: RenameGroupDialog,
  setGroup: ({ group, quota, onClose }: DialogOfGroupProps) => (
    <LimitDialog
      quota={quota}
      subject={{ scope: 'group', id: group.id, name: nameOf(group) }}
      onClose={onClose}
    />
  ),
  deleteGroup: DeleteGroupDialog,
} satisfies Record<string, ComponentType<DialogOfGroupProps>>;

type GroupAct = keyof typeof DIALOGS;
const GROUP_ACTS = Object.keys(DIALOGS) as GroupAct[];

const OPERATIONS: Readonly<Record<GroupAct, OperationId>> = {
  rename: 'renameGroup',
  setGroup: 'createLimit',
  deleteGroup: 'deleteGroup',
};

/** `quota`: that of the limit, if the org has a plan. */
export function groupActs({ id, quotas }: Group, quota: string | undefined): MenuItem[] {
  const { acts } = texts.value.groups;
  const open = (act: GroupAct) => () => setQuery({ [act]: id });
  const { limit } = figuresOfGroup(quota === undefined ? undefined : quotas[quota]);
  return [
    ...(quota !== undefined && limit === null && may('createLimit')
      ? [{ label: acts.setLimit, icon: Gauge, onSelect: open('setGroup') }]
      : []),
    ...(limit !== null && may('changeLimit')
      ? [{ label: acts.changeLimit, icon: Gauge, onSelect: () => setQuery({ edit: limit }) }]
      : []),
    ...(may('renameGroup') ? [{ label: acts.rename, icon: Pencil, onSelect: open('rename') }] : []),
    ...(may('deleteGroup')
      ? [{ label: acts.delete, icon: Trash2, kind: 'danger' as const, onSelect: open('deleteGroup') }]
      : []),
  ];
}

/** The dialog of the act that the address names, for its group. */
export function OpenGroupDialog({ quota }: { readonly quota: string | undefined }) {
  const act = GROUP_ACTS.find((one) => queryOf(one) !== '');
  if (act === undefined || !may(OPERATIONS[act])) return null;
  const id = queryOf(act);
  const close = (): void => setQuery({ [act]: undefined });
  return <GroupDialog key={id} act={act} id={id} quota={quota ?? ''} onClose={close} />;
}

interface GroupDialogProps {
  readonly act: GroupAct;
  readonly id: string;
  readonly quota: string;
  readonly onClose: () => void;
}

/** Reads the group first: what is changed is its newest version, also from an old link. */
function GroupDialog({ act, id, quota, onClose }: GroupDialogProps) {
  const { id: org } = useOrg();
  const [group, setGroup] = useState<Group | undefined>(undefined);
  useEffect(() => {
    const fail = (error: unknown): void => {
      toast(problemText(problemIn(error)), 'bad');
      onClose();
    };
    readGroup(org, id).then(setGroup, fail);
  }, [org, id]);
  const DialogOfAct = DIALOGS[act];
  return group === undefined ? null : <DialogOfAct group={group} quota={quota} onClose={onClose} />;
}
