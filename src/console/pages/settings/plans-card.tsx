/** The plan of each quota: what the org gets in a cycle, the extra balance beyond it, and what is set for the next cycle. */
import { CirclePlus, Pencil, Plus } from 'lucide-preact';
import { amount, quotaName } from '../../format/amounts.js';
import { texts } from '../../i18n/index.js';
import { setQuery } from '../../router.js';
import { type QuotaOverview, useOrg } from '../../state/org.js';
import { may } from '../../state/session.js';
import { Button, IconButton } from '../../ui/button.js';
import { usePaging } from '../../ui/paging.js';
import { EmptyState } from '../../ui/states.js';
import { type Column, Table } from '../../ui/table.js';
import { Time } from '../../ui/time.js';

interface PlansCardProps {
  /** An archived org has nothing to change. */
  readonly isOpen: boolean;
}

export function PlansCard({ isOpen }: PlansCardProps) {
  const { quotas, withoutPlan } = useOrg();
  const { plans } = texts.value.settings;
  const paging = usePaging('');
  const query = {
    data: { items: quotas },
    current: true,
    problem: undefined,
    loading: false,
    refresh: () => undefined,
  };
  const add = isOpen && withoutPlan.length > 0 && may('setPlan') && (
    <Button size="small" icon={Plus} onClick={() => setQuery({ open: 'plan' })}>
      {plans.add}
    </Button>
  );
  return (
    <section class="stack" aria-labelledby="plans">
      <div class="row spread">
        <h2 id="plans">{plans.title}</h2>
        {quotas.length > 0 && add}
      </div>
      <Table<QuotaOverview>
        caption={plans.title}
        query={query}
        paging={paging}
        columns={planColumns(isOpen)}
        keyOf={({ quota }) => quota}
        empty={
          <EmptyState icon={CirclePlus} title={plans.empty.title} action={add}>
            {plans.empty.text}
          </EmptyState>
        }
      />
    </section>
  );
}

function planColumns(isOpen: boolean): Column<QuotaOverview>[] {
  const { plans } = texts.value.settings;
  const { columns } = plans;
  return [
    {
      id: 'quota',
      label: columns.quota,
      cell: ({ quota }) => <span class="subject-name">{quotaName(quota)}</span>,
    },
    { id: 'mode', label: columns.mode, cell: ({ mode }) => plans.modes[mode].name },
    {
      id: 'allowance',
      label: columns.allowance,
      numeric: true,
      cell: (quota) => <AllowanceCell quota={quota} />,
    },
    { id: 'extra', label: columns.extra, numeric: true, cell: ({ extraLeft }) => amount(extraLeft) },
    { id: 'consumed', label: columns.consumed, numeric: true, cell: ({ consumed }) => amount(consumed) },
    {
      id: 'left',
      label: columns.left,
      numeric: true,
      cell: ({ remaining }) => amount(Math.max(0, remaining)),
    },
    ...(isOpen
      ? [{ id: 'actions', label: '', cell: (quota: QuotaOverview) => <ActsCell quota={quota} /> }]
      : []),
  ];
}

interface CellProps {
  readonly quota: QuotaOverview;
}

function AllowanceCell({ quota: { allowance, unit, next, refillsAt } }: CellProps) {
  const { plans } = texts.value.settings;
  return (
    <div>
      <div>{amount(allowance, unit)}</div>
      {next !== null && (
        <div class="small muted">
          {plans.next(amount(next.allowance), plans.modes[next.mode].name)} <Time at={refillsAt} as="day" />
        </div>
      )}
    </div>
  );
}

function ActsCell({ quota: { quota } }: CellProps) {
  const { plans } = texts.value.settings;
  const name = quotaName(quota);
  return (
    <div class="row-actions">
      {may('addExtra') && (
        <Button
          size="small"
          icon={CirclePlus}
          aria-label={plans.topUpOf(name)}
          onClick={() => setQuery({ topUp: quota })}
        >
          {plans.topUp}
        </Button>
      )}
      {may('setPlan') && (
        <IconButton
          icon={Pencil}
          size="small"
          label={plans.changeOf(name)}
          onClick={() => setQuery({ plan: quota })}
        />
      )}
    </div>
  );
}
