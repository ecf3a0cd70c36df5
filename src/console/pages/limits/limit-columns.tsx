/** The columns of the table of limits. */
import { Ellipsis, Pencil, Timer, TimerOff, Trash2 } from 'lucide-preact';
import { nameOf } from '../../api/subjects.js';
import { amount, exactPercent, percent } from '../../format/amounts.js';
import { texts } from '../../i18n/index.js';
import type { Limit } from '../../parts/limits/limit.js';
import type { LimitAct } from '../../parts/limits/limit-dialogs.js';
import { SubjectCell } from '../../parts/subject-cell.js';
import { setQuery } from '../../router.js';
import { may } from '../../state/session.js';
import { Badge, StatusBadge } from '../../ui/badge.js';
import { IconButton } from '../../ui/button.js';
import { Menu } from '../../ui/menu.js';
import { ProgressBar } from '../../ui/progress-bar.js';
import type { Column } from '../../ui/table.js';
import { Time } from '../../ui/time.js';

export function limitColumns(unit: string): Column<Limit>[] {
  const { columns } = texts.value.limits;
  return [
    { id: 'subject', label: columns.subject, cell: subjectOf },
    { id: 'role', label: columns.role, cell: (limit) => <span class="wraps">{roleOf(limit)}</span> },
    {
      id: 'limit',
      label: columns.limit,
      sort: 'cap',
      numeric: true,
      cell: (limit) => <CapCell limit={limit} unit={unit} />,
    },
    {
      id: 'consumed',
      label: columns.consumed,
      sort: 'percentUsed',
      cell: (limit) => <ConsumedCell limit={limit} unit={unit} />,
    },
    {
      id: 'left',
      label: columns.left,
      sort: 'remaining',
      numeric: true,
      cell: ({ remaining }) => amount(Math.max(0, remaining)),
    },
    { id: 'status', label: columns.status, cell: ({ status }) => <StatusBadge status={status} /> },
    { id: 'actions', label: '', cell: (limit) => <RowActions limit={limit} /> },
  ];
}

function subjectOf({ subject: { scope, id, name } }: Limit) {
  const note = nameOf({ id, name }) === id ? {} : { note: id };
  return <SubjectCell scope={scope} id={id} name={name} {...note} />;
}

interface CellProps {
  readonly limit: Limit;
}

function roleOf({ subject }: Limit): string {
  if (subject.scope === 'group') return texts.value.limits.group;
  return subject.role === '' ? '–' : subject.role;
}

function CapCell({
  limit: { cap, percent: share, raise, shadow },
  unit,
}: CellProps & { readonly unit: string }) {
  const { limits } = texts.value;
  return (
    <div>
      <div>{amount(cap, unit)}</div>
      {share !== undefined && <div class="small muted">{limits.ofPool(exactPercent(share))}</div>}
      {raise !== undefined && (
        <div class="small muted">
          {limits.raisedBy(amount(raise.units))} <Time at={raise.until} as="day" />
        </div>
      )}
      {shadow && (
        <span title={limits.shadowTitle}>
          <Badge>{limits.shadow}</Badge>
        </span>
      )}
    </div>
  );
}

function ConsumedCell({ limit, unit }: CellProps & { readonly unit: string }) {
  const { consumed, held, cap, percentUsed, status } = limit;
  return (
    <div class="consumed">
      <div class="row spread">
        <span>{amount(consumed)}</span>
        <span class="muted">{percent(percentUsed)}</span>
      </div>
      <ProgressBar consumed={consumed} held={held} limit={cap} unit={unit} status={status} />
    </div>
  );
}

function RowActions({ limit }: CellProps) {
  const { limits, common } = texts.value;
  const open = (act: LimitAct) => () => setQuery({ [act]: limit.id });
  const name = nameOf(limit.subject);
  if (!may('changeLimit')) return null;
  return (
    <div class="row-actions">
      <IconButton icon={Pencil} size="small" label={`${common.edit}: ${name}`} onClick={open('edit')} />
      <Menu
        label={limits.actionsFor(name)}
        buttonClass="button button-menu"
        button={<Ellipsis size={16} aria-hidden="true" />}
        items={[
          { label: limits.raise, icon: Timer, onSelect: open('raise') },
          ...(limit.raise === undefined
            ? []
            : [{ label: limits.endRaise, icon: TimerOff, onSelect: open('endRaise') }]),
          { label: common.delete, icon: Trash2, kind: 'danger' as const, onSelect: open('delete') },
        ]}
      />
    </div>
  );
}
