/** The overview: period and seats in a line, what needs attention, a card per quota, and the consumption of the period. */
import './overview.css';
import { History, Users } from 'lucide-preact';
import { api } from '../../api/client.js';
import { useQuery } from '../../api/query.js';
import { dayRange } from '../../format/dates.js';
import { daysBetween } from '../../format/zones.js';
import { texts } from '../../i18n/index.js';
import { linkToPage } from '../../pages.js';
import { type Overview, useOrg } from '../../state/org.js';
import { LinkButton } from '../../ui/button.js';
import { PageHead } from '../../ui/page-head.js';
import { Attention } from './attention.js';
import { PeriodChart } from './period-chart.js';
import { QuotaCard } from './quota-card.js';

export default function OverviewPage() {
  const org = useOrg();
  const { overview } = texts.value;
  const history = linkToPage('history', { org: org.id });
  const users = linkToPage('users', { org: org.id });
  return (
    <>
      <PageHead
        title={org.name || org.id}
        about={<PeriodLine org={org} />}
        action={
          <>
            {history && (
              <LinkButton icon={History} href={history}>
                {overview.usageHistory}
              </LinkButton>
            )}
            {users && (
              <LinkButton icon={Users} href={users}>
                {overview.manageUsers}
              </LinkButton>
            )}
          </>
        }
      />
      <Attention org={org} />
      <QuotaCards org={org} />
      <PeriodChart org={org} />
    </>
  );
}

function PeriodLine({ org }: { readonly org: Overview }) {
  const { cycle, window, seats } = org;
  const { overview } = texts.value;
  return (
    <span class="facts-line">
      <span>{overview.period(dayRange(cycle.from, cycle.to))}</span>
      <span>{overview.window(dayRange(window.from, window.to))}</span>
      <span>
        {seats.total === null
          ? overview.seatsUnlimited(seats.used)
          : overview.seats(String(seats.used), String(seats.total))}
      </span>
      <span>{overview.zone(cycle.timeZone)}</span>
    </span>
  );
}

function QuotaCards({ org }: { readonly org: Overview }) {
  const dailyOf = useDaily(org.id);
  return (
    <div class="quota-cards">
      {org.quotas.map((quota) => (
        <QuotaCard key={quota.quota} quota={quota} org={org} daily={dailyOf(quota.quota)} />
      ))}
    </div>
  );
}

/** What was consumed of a quota on each of the last 30 days. */
function useDaily(org: string): (quota: string) => number[] {
  const { data } = useQuery({
    key: `history-30d ${org}`,
    kinds: ['consumption'],
    read: (options) =>
      api.GET('/v1/orgs/{org}/usage/history', {
        params: { path: { org }, query: { period: '30d', users: 0 } },
        ...options,
      }),
  });
  if (data === undefined) return () => [];
  const { period, daily } = data;
  const units = new Map(daily.map(({ day, quota, units }) => [`${quota} ${day}`, units]));
  return (quota) => daysBetween(period.from, period.to).map((day) => units.get(`${quota} ${day}`) ?? 0);
}
