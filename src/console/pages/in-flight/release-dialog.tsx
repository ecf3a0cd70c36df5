/** Releases a hold by hand: its units can be consumed by others at once. */
import { api, dataOf, type Schemas } from '../../api/client.js';
import { refresh } from '../../api/query.js';
import { texts } from '../../i18n/index.js';
import { useOrg } from '../../state/org.js';
import { ConfirmDialog } from '../../ui/confirm-dialog.js';
import { toast } from '../../ui/toasts.js';
import { useCharges } from './hold-columns.js';

interface ReleaseDialogProps {
  readonly hold: Schemas['Hold'];
  readonly onDone: () => void;
  readonly onClose: () => void;
}

export function ReleaseDialog({ hold, onDone, onClose }: ReleaseDialogProps) {
  const { id: org } = useOrg();
  const { dialog: text, release, done } = texts.value.inFlight;
  const charges = useCharges(hold);
  const end = async (): Promise<void> => {
    const params = { path: { org, hold: hold.id } };
    await dataOf(api.DELETE('/v1/orgs/{org}/holds/{hold}', { params }));
    await refresh('consumption');
    toast(done(hold.user));
    onDone();
  };
  return (
    <ConfirmDialog title={text.title(hold.user, hold.action)} act={release} onConfirm={end} onClose={onClose}>
      <p>{text.text(charges.join(', '))}</p>
      <p class="muted">{text.later}</p>
    </ConfirmDialog>
  );
}
