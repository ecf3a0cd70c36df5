/** The columns that tables of API keys and of admin tokens share. */
import { Trash2 } from 'lucide-preact';
import { texts } from '../../i18n/index.js';
import { Badge } from '../../ui/badge.js';
import { IconButton } from '../../ui/button.js';
import type { Column } from '../../ui/table.js';
import { Time } from '../../ui/time.js';

interface Secret {
  readonly id: string;
  readonly name: string;
  /** Null: it was created before that was stored. */
  readonly createdAt: string | null;
  readonly createdBy: string;
  readonly expiresAt: string | null;
  readonly expired: boolean;
}

/** `onDelete`: left out where the token may not delete. */
export function secretColumns<Row extends Secret>(onDelete: ((row: Row) => void) | undefined): Column<Row>[] {
  const { secrets: text, common } = texts.value;
  return [
    {
      id: 'created',
      label: text.created,
      sort: 'createdAt',
      cell: ({ createdAt, createdBy }) => (
        <div>
          {createdAt === null ? '–' : <Time at={createdAt} as="date" />}
          {createdBy !== '' && <div class="small muted">{text.by(createdBy)}</div>}
        </div>
      ),
    },
    { id: 'expires', label: text.expires, sort: 'expiresAt', cell: (row) => <Expiry secret={row} /> },
    ...(onDelete === undefined
      ? []
      : [
          {
            id: 'actions',
            label: '',
            cell: (row: Row) => (
              <div class="row-actions">
                <IconButton
                  icon={Trash2}
                  size="small"
                  label={`${common.delete}: ${row.name || row.id}`}
                  onClick={() => onDelete(row)}
                />
              </div>
            ),
          },
        ]),
  ];
}

function Expiry({ secret: { expiresAt, expired } }: { readonly secret: Secret }) {
  const { secrets: text } = texts.value;
  if (expiresAt === null) return <span class="muted">{text.never}</span>;
  return (
    <span class="row">
      <Time at={expiresAt} as="date" />
      {expired && <Badge tone="warn">{text.expired}</Badge>}
    </span>
  );
}
