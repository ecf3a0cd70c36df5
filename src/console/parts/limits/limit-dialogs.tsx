/** The dialogs of one limit, by its id: for rows of any page, and for links that open one. */
import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { OperationId } from '../../api/client.js';
import { problemIn } from '../../api/problem.js';
import { queryOf, setQuery } from '../../router.js';
import { useOrg } from '../../state/org.js';
import { may } from '../../state/session.js';
import { problemText } from '../../ui/states.js';
import { toast } from '../../ui/toasts.js';
import { AnswerDialog } from './answer-dialog.js';
import { DeleteLimitDialog, EndRaiseDialog } from './end-dialogs.js';
import { type Limit, readLimit } from './limit.js';
import { LimitDialog } from './limit-dialog.js';
import { RaiseDialog } from './raise-dialog.js';

interface DialogOfLimitProps {
  readonly limit: Limit;
  readonly onClose: () => void;
}

const DIALOGS = {
  edit: ({ limit, onClose }: DialogOfLimitProps) => (
    <LimitDialog quota={limit.quota} limit={limit} onClose={onClose} />
  ),
  raise: ({ limit, onClose }: DialogOfLimitProps) => <RaiseDialog limit={limit} onClose={onClose} />,
  answer: AnswerDialog,
  endRaise: EndRaiseDialog,
  delete: DeleteLimitDialog,
} satisfies Record<string, ComponentType<DialogOfLimitProps>>;

export type LimitAct = keyof typeof DIALOGS;
const LIMIT_ACTS = Object.keys(DIALOGS) as LimitAct[];

const OPERATIONS: Readonly<Record<LimitAct, OperationId>> = {
  edit: 'changeLimit',
  raise: 'raiseLimit',
  answer: 'answerRaiseRequest',
  endRaise: 'endRaise',
  delete: 'deleteLimit',
};

interface LimitActDialogProps {
  readonly act: LimitAct;
  /** The id of the limit. */
  readonly id: string;
  readonly onClose: () => void;
}

/** The dialog of the act that the address names, for its limit: links of e-mails and of other pages open it. */
export function OpenLimitDialog() {
  const act = LIMIT_ACTS.find((one) => queryOf(one) !== '');
  if (act === undefined || !may(OPERATIONS[act])) return null;
  return <LimitActDialog act={act} id={queryOf(act)} onClose={() => setQuery({ [act]: undefined })} />;
}

/** Reads the limit first: what is changed is its newest version, also from an old link. */
function LimitActDialog({ act, id, onClose }: LimitActDialogProps) {
  const { id: org } = useOrg();
  const [limit, setLimit] = useState<Limit | undefined>(undefined);
  useEffect(() => {
    const fail = (error: unknown): void => {
      toast(problemText(problemIn(error)), 'bad');
      onClose();
    };
    readLimit(org, id).then(setLimit, fail);
  }, [org, id]);
  const DialogOfAct = DIALOGS[act];
  return limit === undefined ? null : <DialogOfAct limit={limit} onClose={onClose} />;
}
