/** Messages that could not be delivered: to whom, what they say, why; and send again. */
import { MailCheck, RotateCw } from 'lucide-preact';
import { useState } from 'preact/hooks';
import { api, dataOf, type Schemas } from '../../api/client.js';
import { problemIn } from '../../api/problem.js';
import { refresh, useQuery } from '../../api/query.js';
import { nameOf } from '../../api/subjects.js';
import { amount, percent, quotaName } from '../../format/amounts.js';
import { texts } from '../../i18n/index.js';
import { useOrg } from '../../state/org.js';
import { may } from '../../state/session.js';
import { Button } from '../../ui/button.js';
import { sortedPageQuery, usePaging } from '../../ui/paging.js';
import { EmptyState, problemText } from '../../ui/states.js';
import { type Column, Table } from '../../ui/table.js';
import { Time } from '../../ui/time.js';
import { toast } from '../../ui/toasts.js';
import type { Notifications } from './notices-page.js';
import { targetName } from './test-dialog.js';

type Failure = Schemas['FailedDelivery'];

interface FailuresProps {
  readonly webhooks: Notifications['webhooks'];
}

export function FailuresTab({ webhooks }: FailuresProps) {
  const { id: org } = useOrg();
  const { failures: text } = texts.value.notices;
  const paging = usePaging('-createdAt');
  const query = sortedPageQuery(paging);
  const list = useQuery({
    key: `failed-notices ${org} ${JSON.stringify(query)}`,
    kinds: ['events', 'directory'],
    read: (options) =>
      api.GET('/v1/orgs/{org}/notifications/failures', { params: { path: { org }, query }, ...options }),
  });
  return (
    <Table<Failure>
      caption={text.caption}
      query={list}
      columns={failureColumns(webhooks)}
      keyOf={({ id }) => id}
      paging={paging}
      empty={
        <EmptyState icon={MailCheck} title={text.empty.title}>
          {text.empty.text}
        </EmptyState>
      }
    />
  );
}

function failureColumns(webhooks: FailuresProps['webhooks']): Column<Failure>[] {
  const { failures: text } = texts.value.notices;
  return [
    {
      id: 'target',
      label: text.target,
      sort: 'target',
      cell: ({ target, channel }) => (
        <div>
          <div class="url">{targetName(target, webhooks)}</div>
          <div class="small muted">{text.channels[channel]}</div>
        </div>
      ),
    },
    { id: 'about', label: text.about, cell: (failure) => <AboutCell failure={failure} /> },
    { id: 'since', label: text.since, sort: 'createdAt', cell: ({ createdAt }) => <Time at={createdAt} /> },
    {
      id: 'error',
      label: text.error,
      cell: ({ error, attempts }) => (
        <div>
          <div class="url">{error}</div>
          <div class="small muted">{text.attempts(attempts)}</div>
        </div>
      ),
    },
    { id: 'actions', label: '', cell: (failure) => <SendAgain failure={failure} /> },
  ];
}

function AboutCell({ failure: { notices, invited } }: { readonly failure: Failure }) {
  const { failures: text } = texts.value.notices;
  if (invited !== undefined) return <>{text.invitation(invited)}</>;
  const [first] = notices;
  if (first === undefined) return <>–</>;
  const { subject, name, quota, threshold, limit, unit } = first;
  const reached = threshold === undefined ? text.blocked : text.reached(percent(threshold));
  return (
    <div>
      <div>
        {nameOf({ id: subject, name })}: {reached} · {quotaName(quota)} {amount(limit, unit)}
      </div>
      {notices.length > 1 && <div class="small muted">{text.more(notices.length - 1)}</div>}
    </div>
  );
}

function SendAgain({ failure: { id, target } }: { readonly failure: Failure }) {
  const { id: org } = useOrg();
  const { failures: text } = texts.value.notices;
  const [busy, setBusy] = useState(false);
  const send = async (): Promise<void> => {
    if (busy) return;
    setBusy(true);
    try {
      const params = { path: { org, delivery: id } };
      const path = '/v1/orgs/{org}/notifications/failures/{delivery}/resend';
      await dataOf(api.POST(path, { params, body: {} }));
      await refresh('events', 'directory');
      toast(text.sent);
    } catch (error) {
      toast(problemText(problemIn(error)), 'bad');
    }
    setBusy(false);
  };
  if (!may('resendFailedNotice')) return null;
  return (
    <div class="row-actions">
      <Button
        size="small"
        icon={RotateCw}
        busy={busy}
        aria-label={text.sendAgainTo(target)}
        onClick={() => void send()}
      >
        {text.sendAgain}
      </Button>
    </div>
  );
}
