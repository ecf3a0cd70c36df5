/** Declines a request for a raise, with the reason that is typed. */
import { useState } from 'preact/hooks';
import { api, dataOf } from '../../api/client.js';
import { problemIn } from '../../api/problem.js';
import { refresh } from '../../api/query.js';
import { nameOf } from '../../api/subjects.js';
import { texts } from '../../i18n/index.js';
import { useOrg } from '../../state/org.js';
import { Button } from '../../ui/button.js';
import { problemText } from '../../ui/states.js';
import { toast } from '../../ui/toasts.js';
import type { Limit } from './limit.js';

interface DeclineButtonProps {
  readonly limit: Limit;
  readonly reason: string;
  readonly onClose: () => void;
}

export function DeclineButton({ limit, reason, onClose }: DeclineButtonProps) {
  const { id: org } = useOrg();
  const [busy, setBusy] = useState(false);
  const { limits } = texts.value;
  const decline = async (): Promise<void> => {
    setBusy(true);
    const body = { answer: 'declined', ...(reason.trim() === '' ? {} : { reason: reason.trim() }) } as const;
    const params = { path: { org, limit: limit.id } };
    try {
      await dataOf(api.POST('/v1/orgs/{org}/raise-requests/{limit}/answer', { params, body }));
      await refresh('directory', 'events');
      toast(limits.done.declined(nameOf(limit.subject)));
      onClose();
    } catch (error) {
      toast(problemText(problemIn(error)), 'bad');
      setBusy(false);
    }
  };
  return (
    <Button busy={busy} onClick={() => void decline()}>
      {limits.raiseDialog.decline}
    </Button>
  );
}
