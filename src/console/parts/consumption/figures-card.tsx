/** The figures of a user or a group of one quota: what is left, the bar, and the own limit. */
import type { Schemas } from '../../api/client.js';
import { amount, quotaName } from '../../format/amounts.js';
import { texts } from '../../i18n/index.js';
import type { QuotaOverview } from '../../state/org.js';
import { type LimitStatus, StatusBadge } from '../../ui/badge.js';
import { Card } from '../../ui/card.js';
import { ProgressBar } from '../../ui/progress-bar.js';

interface FiguresCardProps {
  readonly quota: QuotaOverview;
  readonly cap: number | null;
  readonly consumed: number;
  readonly held: number;
  /** Null: nothing limits it. */
  readonly left: number | null;
  readonly leftNote?: string;
  readonly status: LimitStatus;
}

export function FiguresCard(props: FiguresCardProps) {
  const { quota, cap, consumed, held, left, leftNote, status } = props;
  const { user } = texts.value;
  return (
    <Card title={quotaName(quota.quota)} action={left !== null && <StatusBadge status={status} />}>
      {left !== null && (
        <p>
          <span class="figure">{amount(Math.max(0, left))}</span>{' '}
          <span class="figure-unit">
            {user.left(quota.unit)}
            {leftNote !== undefined && `, ${leftNote}`}
          </span>
        </p>
      )}
      {cap !== null && (
        <ProgressBar consumed={consumed} held={held} limit={cap} unit={quota.unit} status={status} large />
      )}
      <dl class="facts">
        <div>
          <dt>{user.consumed}</dt>
          <dd>{amount(consumed)}</dd>
        </div>
        {held > 0 && (
          <div>
            <dt>{user.held}</dt>
            <dd>{amount(held)}</dd>
          </div>
        )}
        <div>
          <dt>{user.cap}</dt>
          <dd>{cap === null ? user.noCap : amount(cap, quota.unit)}</dd>
        </div>
      </dl>
    </Card>
  );
}

/** The figures of a quota of a group, with and without a limit. */
export function figuresOfGroup(figures: Schemas['Group']['quotas'][string] | undefined) {
  const { consumed = 0, held = 0 } = figures ?? {};
  if (figures === undefined || figures.limit === null)
    return { limit: null, cap: null, consumed, held, left: null, status: 'ok' as const };
  const { limit, cap, remaining, status } = figures;
  return { limit, cap, consumed, held, left: remaining, status };
}
