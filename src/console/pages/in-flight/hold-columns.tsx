/** The columns of the table of holds. */

import { Undo2 } from 'lucide-preact';
import type { Schemas } from '../../api/client.js';
import { amount, quotaName } from '../../format/amounts.js';
import { texts } from '../../i18n/index.js';
import { linkToPage } from '../../pages.js';
import { useOrg } from '../../state/org.js';
import { Button } from '../../ui/button.js';
import { NamedCell } from '../../ui/named-cell.js';
import type { Column } from '../../ui/table.js';
import { Time } from '../../ui/time.js';

type Hold = Schemas['Hold'];

/** `onRelease`: left out where the token may not release. */
export function holdColumns(onRelease: ((hold: Hold) => void) | undefined): Column<Hold>[] {
  const { columns } = texts.value.inFlight;
  return [
    { id: 'user', label: columns.user, cell: (hold) => <UserCell hold={hold} /> },
    { id: 'action', label: columns.action, cell: ({ action }) => action },
    { id: 'units', label: columns.units, numeric: true, cell: (hold) => <ChargesCell hold={hold} /> },
    {
      id: 'since',
      label: columns.since,
      sort: 'admittedAt',
      cell: ({ admittedAt }) => <Time at={admittedAt} as="relative" />,
    },
    {
      id: 'expires',
      label: columns.expires,
      sort: 'expiresAt',
      cell: ({ expiresAt }) => <Time at={expiresAt} as="relative" />,
    },
    ...(onRelease === undefined
      ? []
      : [
          {
            id: 'actions',
            label: '',
            cell: (hold: Hold) => <ReleaseButton hold={hold} onRelease={onRelease} />,
          },
        ]),
  ];
}

interface CellProps {
  readonly hold: Hold;
}

function UserCell({ hold: { id, user } }: CellProps) {
  const { id: org } = useOrg();
  const href = linkToPage('user', { org, user });
  return <NamedCell name={user} href={href} note={id} />;
}

/** `5 units of Usage`, for each quota of the request. */
export function useCharges({ charges }: Hold): string[] {
  const { quotas } = useOrg();
  return charges.map(({ quota, units }) => {
    const unit = quotas.find((one) => one.quota === quota)?.unit;
    return texts.value.inFlight.charge(amount(units, unit), quotaName(quota));
  });
}

function ChargesCell({ hold }: CellProps) {
  const lines = useCharges(hold);
  return (
    <div>
      {lines.map((line) => (
        <div key={line}>{line}</div>
      ))}
    </div>
  );
}

interface ReleaseButtonProps extends CellProps {
  readonly onRelease: (hold: Hold) => void;
}

function ReleaseButton({ hold, onRelease }: ReleaseButtonProps) {
  const { inFlight } = texts.value;
  return (
    <div class="row-actions">
      <Button
        size="small"
        icon={Undo2}
        aria-label={inFlight.releaseOf(hold.user, hold.action)}
        onClick={() => onRelease(hold)}
      >
        {inFlight.release}
      </Button>
    </div>
  );
}
