/** What the dashboard shows, row by row: each chart with its queries. A test runs every query on a real Prometheus. */
import { increase, perSecond, type Query, quantile, series, sum } from './queries.js';

export interface Chart {
  readonly title: string;
  readonly about: string;
  /** Of Grafana: `reqps`, `s`, `bytes` … */
  readonly unit: string;
  readonly stacked?: true;
  readonly queries: readonly Query[];
}

export interface Row {
  readonly title: string;
  readonly charts: readonly Chart[];
}

const requests: Row = {
  title: 'Requests',
  charts: [
    {
      title: 'Requests',
      about: 'Forwarded to an upstream, or answered by the gateway itself: refusals and errors.',
      unit: 'reqps',
      stacked: true,
      queries: [
        { expr: perSecond('quotagate_upstream_outcomes_total'), legend: 'forwarded' },
        { expr: perSecond('quotagate_refusals_total'), legend: 'answered by the gateway' },
      ],
    },
    {
      title: 'Requests in flight',
      about: 'Requests whose response is still being sent.',
      unit: 'short',
      stacked: true,
      queries: [{ expr: series('quotagate_requests_in_flight'), legend: '{{instance}}' }],
    },
    {
      title: 'Alerts that fire',
      about: 'Each has a section in docs/runbooks.md. Needs the rules of alerts.yaml in this Prometheus.',
      unit: 'short',
      stacked: true,
      queries: [
        {
          expr: 'count by (alertname) (ALERTS{job="$job",alertname=~"Quotagate.+",alertstate="firing"})',
          legend: '{{alertname}}',
        },
      ],
    },
  ],
};

const decisions: Row = {
  title: 'Decisions',
  charts: [
    {
      title: 'Decisions by quota and outcome',
      about:
        'One per charged quota. admitted; shadow: admitted past a soft or shadow limit; spent, held: refused.',
      unit: 'ops',
      stacked: true,
      queries: [
        {
          expr: perSecond('quotagate_decisions_total', 'quota, outcome'),
          legend: '{{quota}} {{outcome}}',
        },
      ],
    },
    {
      title: 'Exceeded limits by quota and scope',
      about: 'Whose limit refused: of the user, a group, or the org.',
      unit: 'ops',
      stacked: true,
      queries: [
        {
          expr: perSecond('quotagate_decisions_total', 'quota, scope', 'outcome=~"spent|held"'),
          legend: '{{quota}} {{scope}}',
        },
      ],
    },
    {
      title: 'Claims of unknown groups',
      about: 'Requests whose credential claims a group that the directory does not have.',
      unit: 'reqps',
      queries: [{ expr: perSecond('quotagate_unknown_groups_total', 'outcome'), legend: '{{outcome}}' }],
    },
  ],
};

const latency: Row = {
  title: 'Added latency',
  charts: [
    {
      title: 'Time of a decision',
      about: 'From asking the ledger to its decision. Every metered request waits for it.',
      unit: 's',
      queries: [0.5, 0.95, 0.99].map((of) => quantile(of, 'quotagate_decision_seconds')),
    },
    {
      title: 'Time of a decision by gateway',
      about: 'The 99th percentile. One gateway far above the others has too much work.',
      unit: 's',
      queries: [quantile(0.99, 'quotagate_decision_seconds', 'instance')],
    },
    {
      title: 'Event loop delay',
      about: 'The 99th percentile. Every request of the process waits that long.',
      unit: 's',
      queries: [{ expr: series('nodejs_eventloop_lag_p99_seconds'), legend: '{{instance}}' }],
    },
  ],
};

const refusals: Row = {
  title: 'Refusals',
  charts: [
    {
      title: 'Refusals by reason',
      about: 'Requests that the gateway answered itself, by the code of the error.',
      unit: 'reqps',
      stacked: true,
      queries: [{ expr: perSecond('quotagate_refusals_total', 'code'), legend: '{{code}}' }],
    },
    {
      title: 'Open mode',
      about: 'Requests on routes with open mode while the store gives no decisions.',
      unit: 'reqps',
      queries: [{ expr: perSecond('quotagate_open_requests_total', 'outcome'), legend: '{{outcome}}' }],
    },
  ],
};

const store: Row = {
  title: 'Store',
  charts: [
    {
      title: 'Round trip to the store',
      about: 'Time to the answer of a call. One call has many decisions and settlements.',
      unit: 's',
      queries: [0.5, 0.99].map((of) => quantile(of, 'quotagate_store_call_seconds')),
    },
    {
      title: 'Calls and operations',
      about: 'Operations are decisions, settlements, refunds and renewals.',
      unit: 'ops',
      queries: [
        { expr: perSecond('quotagate_store_call_seconds_count'), legend: 'calls' },
        { expr: perSecond('quotagate_store_call_operations_sum'), legend: 'operations' },
      ],
    },
    {
      title: 'Store can be reached',
      about: '1 while the gateway reaches its store.',
      unit: 'short',
      queries: [{ expr: series('quotagate_store_up'), legend: '{{instance}}' }],
    },
    {
      title: 'Lost data',
      about: 'Calls that a fail-over or a backup lost, and orgs whose data is missing.',
      unit: 'short',
      queries: [
        { expr: increase('quotagate_store_lost_calls_total'), legend: 'lost calls' },
        { expr: `max(${series('quotagate_orgs_lost')})`, legend: 'orgs without data' },
      ],
    },
    {
      title: 'Waiting for the store',
      about: 'At 10,000 settlements a gateway refuses new requests.',
      unit: 'short',
      queries: [
        { expr: sum(series('quotagate_settlements_backlog')), legend: 'settlements' },
        { expr: sum(series('quotagate_operations_waiting')), legend: 'operations that wait for a call' },
        { expr: sum(series('quotagate_lanes_in_flight')), legend: 'calls in flight' },
      ],
    },
    {
      title: 'Unanswered calls',
      about: 'They may have run; the gateway reconciles them later.',
      unit: 'short',
      queries: [
        { expr: increase('quotagate_store_calls_unanswered_total'), legend: 'without an answer' },
        { expr: sum(series('quotagate_lanes_in_doubt')), legend: 'being reconciled' },
      ],
    },
  ],
};

const holds: Row = {
  title: 'Holds',
  charts: [
    {
      title: 'Open holds',
      about: 'Holds of open requests.',
      unit: 'short',
      stacked: true,
      queries: [{ expr: series('quotagate_holds_open'), legend: '{{instance}}' }],
    },
    {
      title: 'Expired holds',
      about: 'Holds that ended without a settlement: their gateway stopped, or could not reach the store.',
      unit: 'short',
      queries: [{ expr: increase('quotagate_holds_expired_total'), legend: 'expired' }],
    },
    {
      title: 'Overshoot by quota',
      about: 'Units charged above a hold, past a hard limit.',
      unit: 'short',
      queries: [{ expr: increase('quotagate_overshoot_units_total', 'quota'), legend: '{{quota}}' }],
    },
  ],
};

const tokens: Row = {
  title: 'AI tokens',
  charts: [
    {
      title: 'Tokens by model',
      about: 'The model is a row of `models` in the config; `other` without one.',
      unit: 'short',
      stacked: true,
      queries: [{ expr: perSecond('quotagate_tokens_total', 'model'), legend: '{{model}}' }],
    },
    {
      title: 'Tokens by class',
      about: 'Input, cached input, cache write, output, reasoning.',
      unit: 'short',
      stacked: true,
      queries: [{ expr: perSecond('quotagate_tokens_total', 'class'), legend: '{{class}}' }],
    },
    {
      title: 'Estimated answers by model',
      about: 'AI responses without usable usage figures, charged an estimate.',
      unit: 'reqps',
      queries: [{ expr: perSecond('quotagate_answers_estimated_total', 'model'), legend: '{{model}}' }],
    },
  ],
};

const upstreams: Row = {
  title: 'Upstreams',
  charts: [
    {
      title: 'Responses by upstream and outcome',
      about: 'not-sent: no connection; no-answer: no response in time; cut-short: the response broke off.',
      unit: 'reqps',
      stacked: true,
      queries: [
        {
          expr: perSecond('quotagate_upstream_outcomes_total', 'upstream, outcome'),
          legend: '{{upstream}} {{outcome}}',
        },
      ],
    },
    {
      title: 'Time of a response by upstream',
      about: 'From sending the request to the end of the response, the client’s reading included.',
      unit: 's',
      queries: [0.5, 0.99].map((of) => quantile(of, 'quotagate_upstream_seconds', 'upstream')),
    },
    {
      title: 'Dropped request headers by upstream',
      about: 'Headers that were not forwarded; `upstreams.*.passHeaders` passes those that are needed.',
      unit: 'short',
      queries: [
        {
          expr: perSecond('quotagate_request_fields_dropped_total', 'upstream, reason'),
          legend: '{{upstream}} {{reason}}',
        },
      ],
    },
  ],
};

const notices: Row = {
  title: 'Notices and journal export',
  charts: [
    {
      title: 'Messages to admins by channel',
      about: 'Failed attempts are repeated for three days; then a message is given up.',
      unit: 'short',
      queries: [
        { expr: increase('quotagate_notice_messages_sent_total', 'channel'), legend: '{{channel}} sent' },
        {
          expr: increase('quotagate_notice_attempts_failed_total', 'channel'),
          legend: '{{channel}} failed attempts',
        },
        {
          expr: increase('quotagate_notice_messages_given_up_total', 'channel'),
          legend: '{{channel}} given up',
        },
      ],
    },
    {
      title: 'Messages that wait',
      about: 'Messages that have not arrived yet.',
      unit: 'short',
      queries: [{ expr: sum(series('quotagate_notice_messages_waiting')), legend: 'messages' }],
    },
    {
      title: 'Age of the oldest message',
      about: 'Above 15 minutes the alert QuotagateNoticesStuck fires.',
      unit: 's',
      queries: [{ expr: `max(${series('quotagate_notice_oldest_age_seconds')})`, legend: 'oldest' }],
    },
    {
      title: 'Exported events by target',
      about: 'Events of the journal that a target of `journal.exports` confirmed.',
      unit: 'ops',
      queries: [
        { expr: perSecond('quotagate_journal_events_exported_total', 'target'), legend: '{{target}}' },
      ],
    },
    {
      title: 'Lag of the export by target',
      about: 'Age of the oldest entry that a target lacks.',
      unit: 's',
      queries: [
        {
          expr: `max by (target) (${series('quotagate_journal_export_lag_seconds')})`,
          legend: '{{target}}',
        },
      ],
    },
    {
      title: 'Lost journal entries by target',
      about: 'Entries that were deleted before the target had them.',
      unit: 'short',
      queries: [{ expr: increase('quotagate_journal_entries_lost_total', 'target'), legend: '{{target}}' }],
    },
  ],
};

const processes: Row = {
  title: 'Processes',
  charts: [
    {
      title: 'CPU',
      about: 'A gateway uses one core; add replicas above 70 %.',
      unit: 'percentunit',
      queries: [{ expr: perSecond('process_cpu_seconds_total', 'instance'), legend: '{{instance}}' }],
    },
    {
      title: 'Memory',
      about: 'Resident memory, and the heap of Node.js in it.',
      unit: 'bytes',
      queries: [
        { expr: series('process_resident_memory_bytes'), legend: '{{instance}} resident' },
        { expr: series('nodejs_heap_size_used_bytes'), legend: '{{instance}} heap' },
      ],
    },
    {
      title: 'Garbage collection',
      about: 'Share of the time in which the process is stopped for it.',
      unit: 'percentunit',
      queries: [{ expr: perSecond('nodejs_gc_duration_seconds_sum', 'instance'), legend: '{{instance}}' }],
    },
  ],
};

export const ROWS: readonly Row[] = [
  requests,
  decisions,
  latency,
  refusals,
  store,
  holds,
  tokens,
  upstreams,
  notices,
  processes,
];
