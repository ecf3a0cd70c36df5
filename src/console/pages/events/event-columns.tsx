/** The columns of the table of events. */
import { CircleSlash, Gauge, Hand, Timer } from 'lucide-preact';
import { amount, exactPercent, quotaName } from '../../format/amounts.js';
import { texts } from '../../i18n/index.js';
import { linkToPage } from '../../pages.js';
import { SubjectCell } from '../../parts/subject-cell.js';
import { setQuery } from '../../router.js';
import { useOrg } from '../../state/org.js';
import { may } from '../../state/session.js';
import { Badge } from '../../ui/badge.js';
import { Button, LinkButton } from '../../ui/button.js';
import { setFilters } from '../../ui/paging.js';
import type { Column } from '../../ui/table.js';
import { Time } from '../../ui/time.js';
import { type Event, isPast, limitOf } from './event.js';

interface CellProps {
  readonly event: Event;
}

/** `asked`: the limits of which a caller waits for an answer. */
export function eventColumns(asked: ReadonlySet<string>): Column<Event>[] {
  const { columns } = texts.value.events;
  return [
    { id: 'whose', label: columns.whose, cell: (event) => <WhoseCell event={event} /> },
    { id: 'what', label: columns.what, cell: (event) => <WhatCell event={event} /> },
    { id: 'actions', label: columns.actions, cell: (event) => <ActionsCell event={event} /> },
    { id: 'consumed', label: columns.consumed, numeric: true, cell: consumedOf },
    { id: 'times', label: columns.times, cell: (event) => <TimesCell event={event} /> },
    {
      id: 'count',
      label: columns.count,
      numeric: true,
      cell: ({ refused }) => (refused === undefined ? '–' : amount(refused.count)),
    },
    { id: 'acts', label: '', cell: (event) => <ActCell event={event} asked={asked} /> },
  ];
}

function WhoseCell({ event: { scope, subject, name, user, kind } }: CellProps) {
  const { events } = texts.value;
  const isOwn = scope === 'user' && subject === user;
  const by = kind === 'raise-request' ? events.askedBy(user) : events.requestOf(user);
  const note = isOwn ? (name === '' || name === subject ? undefined : subject) : by;
  return <SubjectCell scope={scope} id={subject} name={name} {...(note === undefined ? {} : { note })} />;
}

const LOOKS = {
  blocked: { tone: 'bad', icon: CircleSlash },
  threshold: { tone: 'warn', icon: Gauge },
  'raise-request': { tone: 'accent', icon: Hand },
} as const;

function WhatCell({ event }: CellProps) {
  const { events } = texts.value;
  const { tone, icon: Icon } = LOOKS[event.kind];
  return (
    <div>
      <Badge tone={tone}>
        <Icon size={13} aria-hidden="true" />
        {events.kinds[event.kind]}
      </Badge>
      <div class="small muted">{detailOf(event)}</div>
    </div>
  );
}

function detailOf({ kind, quota, threshold = 0, requested, unit, reason = '' }: Event): string {
  const { details } = texts.value.events;
  const name = quotaName(quota);
  if (kind === 'threshold') return details.threshold(exactPercent(threshold), name);
  if (kind === 'blocked') return details.blocked(name);
  const asked = requested ? details.asks(amount(requested, unit), name) : details.asksMore(name);
  return reason === '' ? asked : `${asked}: “${reason}”`;
}

/** Each action is a filter. */
function ActionsCell({ event: { action, refused } }: CellProps) {
  const { events } = texts.value;
  const actions = refused?.actions ?? (action === '' ? [] : [{ action, count: 0 }]);
  if (actions.length === 0) return <>–</>;
  return (
    <div class="event-actions">
      {actions.map((one) => (
        <button
          key={one.action}
          type="button"
          class="chip"
          title={events.onlyAction(one.action)}
          onClick={() => setFilters({ action: one.action })}
        >
          {one.action}
          {actions.length > 1 && <span class="muted">{amount(one.count)}</span>}
        </button>
      ))}
    </div>
  );
}

function consumedOf({ consumed, limit, unit }: Event) {
  return (
    <div>
      {amount(consumed)}
      <div class="small muted">{texts.value.events.of(amount(limit, unit))}</div>
    </div>
  );
}

/** When it happened, and when the last request was refused: the history keeps those by the hour, older ones by the day. */
function TimesCell({ event: { refused, at } }: CellProps) {
  const { events } = texts.value;
  return (
    <div class="event-times">
      <Time at={at} />
      {refused !== undefined && refused.last !== at && (
        <div class="small muted">
          {events.last[refused.precision]}{' '}
          <Time at={refused.last} as={refused.precision === 'day' ? 'date' : 'time'} />
        </div>
      )}
    </div>
  );
}

function ActCell({ event, asked }: CellProps & { readonly asked: ReadonlySet<string> }) {
  const { id: org } = useOrg();
  const { events } = texts.value;
  const name = `${event.name || event.subject}, ${quotaName(event.quota)}`;
  const limit = limitOf(event);
  if (isPast(event)) return null;
  if (limit === undefined) {
    const href = may('addExtra') ? linkToPage('settings', { org }, { topUp: event.quota }) : undefined;
    return href === undefined ? null : (
      <LinkButton size="small" href={href}>
        {events.topUp}
      </LinkButton>
    );
  }
  if (event.kind === 'raise-request' && asked.has(limit) && may('answerRaiseRequest'))
    return (
      <Button
        size="small"
        icon={Hand}
        aria-label={`${events.answer}: ${name}`}
        onClick={() => setQuery({ answer: limit })}
      >
        {events.answer}
      </Button>
    );
  return may('raiseLimit') ? (
    <Button
      size="small"
      icon={Timer}
      aria-label={`${events.raise}: ${name}`}
      onClick={() => setQuery({ raise: limit })}
    >
      {events.raise}
    </Button>
  ) : null;
}
