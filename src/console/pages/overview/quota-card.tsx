/** One quota: what is left, how it is used, when it refills, and whether it lasts. */
import { amount, percent, quotaName } from '../../format/amounts.js';
import { dateAt, dayAt } from '../../format/dates.js';
import { type Forecast, forecastOf } from '../../format/forecast.js';
import { texts } from '../../i18n/index.js';
import { linkToPage } from '../../pages.js';
import type { Overview, QuotaOverview } from '../../state/org.js';
import { may } from '../../state/session.js';
import { Badge, type LimitStatus } from '../../ui/badge.js';
import { LinkButton } from '../../ui/button.js';
import { Card } from '../../ui/card.js';
import { ProgressBar } from '../../ui/progress-bar.js';
import { Sparkline } from '../../ui/sparkline.js';
import { Time } from '../../ui/time.js';

interface QuotaCardProps {
  readonly quota: QuotaOverview;
  readonly org: Overview;
  /** What was consumed per day, the oldest first. */
  readonly daily: readonly number[];
}

const WARNING_PERCENT = 80;

function statusOf({ remaining, percentUsed }: QuotaOverview): LimitStatus {
  if (remaining <= 0) return 'blocked';
  return percentUsed >= WARNING_PERCENT ? 'warning' : 'ok';
}

export function QuotaCard({ quota, org, daily }: QuotaCardProps) {
  const { card } = texts.value.overview;
  const { unit, consumed, held, pool, remaining, percentUsed, mode } = quota;
  return (
    <Card
      title={quotaName(quota.quota)}
      action={
        <div class="row">
          {mode !== 'hard' && <Badge>{mode === 'soft' ? card.soft : card.shadow}</Badge>}
          <TopUpLink org={org.id} quota={quota.quota} />
        </div>
      }
    >
      <div>
        <div class="figure">
          {amount(remaining)} <span class="figure-unit">{unit}</span>
        </div>
        <div class="row spread muted">
          <span>{card.leftOf(amount(pool, unit))}</span>
          <span>{card.used(percent(percentUsed))}</span>
        </div>
      </div>
      <div class="stack quota-bar">
        <ProgressBar
          consumed={consumed}
          held={held}
          limit={pool}
          unit={unit}
          status={statusOf(quota)}
          large
        />
        <BarLegend quota={quota} />
      </div>
      <ForecastLine quota={quota} org={org} />
      <Facts quota={quota} />
      <Sparkline values={daily} label={card.sparkline(quotaName(quota.quota))} />
    </Card>
  );
}

function TopUpLink({ org, quota }: { readonly org: string; readonly quota: string }) {
  const { settings, overview } = texts.value;
  const href = may('addExtra') ? linkToPage('settings', { org }, { topUp: quota }) : undefined;
  return (
    href !== undefined && (
      <LinkButton size="small" href={href} label={settings.plans.topUpOf(quotaName(quota))}>
        {overview.attention.topUp}
      </LinkButton>
    )
  );
}

function BarLegend({ quota }: { readonly quota: QuotaOverview }) {
  const { common, overview } = texts.value;
  const { consumed, held, overshoot, unit } = quota;
  return (
    <div class="legend">
      <span>
        <span class="swatch progress-consumed" />
        {common.consumed} {amount(consumed)}
      </span>
      <span>
        <span class="swatch progress-held" />
        {common.held} {amount(held)}
      </span>
      {overshoot > 0 && <Badge tone="warn">{overview.card.overshoot(amount(overshoot, unit))}</Badge>}
    </div>
  );
}

function Facts({ quota }: { readonly quota: QuotaOverview }) {
  const { card } = texts.value.overview;
  const { allowance, extra, extraLeft, refillsAt, next } = quota;
  return (
    <dl class="facts-list">
      <div>
        <dt>{card.allowance}</dt>
        <dd>{amount(allowance)}</dd>
        {next && <dd class="small muted">{card.next(amount(next.allowance))}</dd>}
      </div>
      <div>
        <dt>{card.extra}</dt>
        <dd>{extra > 0 ? card.extraLeft(amount(extraLeft)) : '–'}</dd>
      </div>
      <div>
        <dt>{card.refills}</dt>
        <dd>
          <Time at={refillsAt} as="date" />
        </dd>
      </div>
    </dl>
  );
}

const DAY_MS = 86_400_000;

function ForecastLine({ quota, org }: { readonly quota: QuotaOverview; readonly org: Overview }) {
  const { forecast: text } = texts.value.overview;
  const { consumed, remaining, unit } = quota;
  const [start, now, end] = [org.window.start, org.window.end, org.cycle.end].map(Date.parse) as [
    number,
    number,
    number,
  ];
  const forecast = forecastOf({ consumed, remaining, start, now, end });
  const perDay = amount(Math.round((consumed / Math.max(1, now - start)) * DAY_MS), unit);
  return (
    <p class="forecast" data-kind={forecast.kind} title={text.explained(perDay)}>
      {wordsFor(forecast, org, unit)}
    </p>
  );
}

function wordsFor(forecast: Forecast, { cycle }: Overview, unit: string): string {
  const { forecast: text } = texts.value.overview;
  if (forecast.kind === 'lasts') return text.lasts(amount(Math.round(forecast.left), unit));
  if (forecast.kind !== 'runs-out') return text[forecast.kind];
  const isNear = new Date(cycle.end).getTime() - forecast.at < 300 * DAY_MS;
  return text.runsOut((isNear ? dayAt : dateAt)(forecast.at, cycle.timeZone));
}
