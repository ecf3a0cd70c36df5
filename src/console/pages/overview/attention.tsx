/** What needs attention, the most urgent first: at most five rows, each with what to do. */
import { CircleSlash, Hand, type LucideIcon, MailWarning, TriangleAlert, Unplug } from 'lucide-preact';
import { api, type Schemas } from '../../api/client.js';
import { useQuery } from '../../api/query.js';
import { nameOf } from '../../api/subjects.js';
import { amount, exactPercent, quotaName } from '../../format/amounts.js';
import { relative } from '../../format/dates.js';
import { texts } from '../../i18n/index.js';
import { linkToPage } from '../../pages.js';
import { useRaiseRequests } from '../../parts/limits/answer-dialog.js';
import type { Overview, QuotaOverview } from '../../state/org.js';
import { may } from '../../state/session.js';
import { LinkButton } from '../../ui/button.js';
import { Card } from '../../ui/card.js';

interface Row {
  readonly id: string;
  readonly icon: LucideIcon;
  readonly tone: 'bad' | 'warn';
  readonly title: string;
  /** The page that says more about it. */
  readonly about?: string | undefined;
  readonly detail: string;
  readonly act: string;
  /** Undefined: the page where it is done is not there. */
  readonly to: string | undefined;
}

const ROWS_MAX = 5;

export function Attention({ org }: { readonly org: Overview }) {
  const { attention } = texts.value.overview;
  const rows = [
    ...poolRows(org),
    ...exportRows(org),
    ...useAsked(org),
    ...useBlocked(org),
    ...useFailures(org.id),
    ...capRows(org),
  ];
  const hidden = rows.length - ROWS_MAX;
  const more = linkToPage('limits', { org: org.id }, { status: 'blocked' });
  return (
    <Card
      title={attention.title}
      action={hidden > 0 && more !== undefined && <a href={more}>{attention.more(hidden)}</a>}
    >
      {rows.length === 0 ? (
        <p class="muted">{attention.none}</p>
      ) : (
        <ul class="attention">
          {rows.slice(0, ROWS_MAX).map((row) => (
            <AttentionRow key={row.id} row={row} />
          ))}
        </ul>
      )}
    </Card>
  );
}

function AttentionRow({ row: { icon: Icon, tone, title, about, detail, act, to } }: { readonly row: Row }) {
  return (
    <li data-tone={tone}>
      <Icon size={18} aria-hidden="true" />
      <div>
        <strong>{about === undefined ? title : <a href={about}>{title}</a>}</strong>{' '}
        <span class="muted">{detail}</span>
      </div>
      {to !== undefined && (
        <LinkButton size="small" href={to}>
          {act}
        </LinkButton>
      )}
    </li>
  );
}

function poolRows({ id: org, quotas }: Overview): Row[] {
  const { attention } = texts.value.overview;
  const mayTopUp = may('addExtra');
  return quotas
    .filter(({ remaining, mode }) => remaining <= 0 && mode !== 'shadow')
    .map(({ quota, mode }) => ({
      id: `pool ${quota}`,
      icon: CircleSlash,
      tone: mode === 'hard' ? 'bad' : 'warn',
      title: attention.pool(quotaName(quota)),
      detail: mode === 'hard' ? attention.poolHard : attention.poolSoft,
      act: mayTopUp ? attention.topUp : attention.show,
      to: linkToPage('settings', { org }, mayTopUp ? { topUp: quota } : {}),
    }));
}

function useAsked({ id: org }: Overview): Row[] {
  const { attention } = texts.value.overview;
  const { data } = useRaiseRequests();
  return (data?.items ?? []).map(({ limit, user, quota, units, unit, reason }) => ({
    id: `asked ${limit}`,
    icon: Hand,
    tone: 'warn',
    title: attention.asks(user, quotaName(quota)),
    detail: [units === null ? '' : amount(units, unit), reason].filter(Boolean).join(' · '),
    act: may('answerRaiseRequest') ? attention.answer : attention.show,
    to: linkToPage('limits', { org }, { quota, ...(may('answerRaiseRequest') ? { answer: limit } : {}) }),
  }));
}

function useBlocked({ id: org, quotas }: Overview): Row[] {
  const { attention } = texts.value.overview;
  const { data } = useQuery({
    key: `blocked ${org}`,
    kinds: ['directory', 'consumption'],
    read: (options) =>
      api.GET('/v1/orgs/{org}/limits', {
        params: { path: { org }, query: { status: 'blocked', sort: '-percentUsed', pageSize: 50 } },
        ...options,
      }),
  });
  const unitOf = (quota: string) => quotas.find((one) => one.quota === quota)?.unit;
  return (data?.items ?? [])
    .filter(({ shadow }) => !shadow)
    .map((limit) => ({
      id: limit.id,
      icon: CircleSlash,
      tone: 'bad',
      title: attention.blocked(nameOf(limit.subject), quotaName(limit.quota)),
      about: linkToPage('events', { org }, { kind: 'blocked', who: limit.subject.id, quota: limit.quota }),
      detail: attention.blockedFigures(amount(limit.consumed), amount(limit.cap, unitOf(limit.quota))),
      act: may('raiseLimit') ? attention.raise : attention.show,
      to: linkToLimit(org, limit),
    }));
}

function linkToLimit(org: string, { id, quota }: Schemas['Limit']): string | undefined {
  return linkToPage(
    'limits',
    { org },
    { quota, ...(may('raiseLimit') ? { raise: id } : { status: 'blocked' }) },
  );
}

/** Its cause is in the config or at the receiver: no page of the console helps. */
function exportRows({ exports }: Overview): Row[] {
  const { attention } = texts.value.overview;
  return exports
    .filter(({ state }) => state !== 'ok')
    .map(({ target, lagSeconds, lost, error }) => ({
      id: `export ${target}`,
      icon: Unplug,
      tone: lost > 0 ? 'bad' : 'warn',
      title: error === null ? attention.exportLags(target) : attention.exportFails(target),
      detail: [
        error ?? '',
        attention.exportLag(relative(Date.now() - lagSeconds * 1_000)),
        lost > 0 ? attention.exportLost(lost) : '',
      ]
        .filter(Boolean)
        .join(' · '),
      act: attention.show,
      to: undefined,
    }));
}

function useFailures(org: string): Row[] {
  const { attention } = texts.value.overview;
  const isAllowed = may('listFailedNotices');
  const { data } = useQuery({
    key: isAllowed ? `failures ${org}` : undefined,
    kinds: ['events', 'directory'],
    read: (options) =>
      api.GET('/v1/orgs/{org}/notifications/failures', { params: { path: { org } }, ...options }),
  });
  const [first] = data?.items ?? [];
  if (data === undefined || first === undefined) return [];
  return [
    {
      id: 'failures',
      icon: MailWarning,
      tone: 'warn',
      title: attention.failures(data.items.length),
      detail: attention.failuresText(first.target, first.error),
      act: attention.show,
      to: linkToPage('notices', { org }, { tab: 'failures' }),
    },
  ];
}

function capRows({ id: org, quotas }: Overview): Row[] {
  const { attention } = texts.value.overview;
  return quotas
    .filter(
      ({ caps }) => caps.state === 'oversubscribed' || (caps.state === 'short' && caps.unconsumable !== null),
    )
    .map((quota) => ({
      id: `caps ${quota.quota}`,
      icon: TriangleAlert,
      tone: 'warn',
      title: attention.short(quotaName(quota.quota), exactPercent(quota.caps.percentSum)),
      detail: capsDetail(quota),
      act: may('distributeLimits') ? attention.distribute : attention.show,
      to: linkToPage(
        'limits',
        { org },
        { quota: quota.quota, ...(may('distributeLimits') ? { distribute: quota.quota } : {}) },
      ),
    }));
}

function capsDetail({ caps, unit }: QuotaOverview): string {
  const { attention } = texts.value.overview;
  if (caps.state === 'oversubscribed') return attention.oversubscribedText;
  return attention.shortText(amount(caps.unconsumable ?? 0, unit));
}
