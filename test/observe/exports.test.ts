// What the export of the journal tells an operator: counters, lag, one log line for many failures, an alarm for a loss.
import { pino } from 'pino';
import t from 'tap';
import { Metrics } from '../../src/observe/metrics.js';

t.test('sent, failed, lost and late', async (t) => {
  const lines: Record<string, unknown>[] = [];
  const logger = pino({ level: 'debug' }, { write: (text: string) => void lines.push(JSON.parse(text)) });
  const metrics = new Metrics({ quotas: {}, state: () => undefined });
  const alarm = () => metrics.process.alarm('journal-entries-lost');
  const observer = metrics.exports.observer({ logger, targets: ['bills', 'archive'], alarm });
  observer.sent('bills', 7);
  for (const org of ['acme', 'globex']) observer.failed('bills', org, 'the receiver answered 503');
  observer.lost('bills', 'acme', 50);
  observer.lost('bills', 'acme', 20);
  observer.lag('bills', 'acme', { oldestAt: Date.now() - 90_000, nextAt: Date.now() });
  observer.lag('bills', 'globex', { oldestAt: Date.now() - 30_000, nextAt: Date.now() });
  observer.lag('archive', 'acme', { oldestAt: Date.now() - 400_000, nextAt: Date.now() - 100_000 });
  const text = await metrics.text();
  const value = (name: string): number => Number(text.split(`\n${name} `)[1]?.split('\n')[0]);
  t.equal(value('quotagate_journal_events_exported_total{target="bills"}'), 7);
  t.equal(value('quotagate_journal_export_failures_total{target="bills"}'), 2);
  t.equal(value('quotagate_journal_entries_lost_total{target="bills"}'), 70);
  t.equal(value('quotagate_alarms_total{what="journal-entries-lost"}'), 1);
  t.equal(Math.round(value('quotagate_journal_export_lag_seconds{target="bills"}')), 90);
  t.equal(value('quotagate_journal_export_lag_seconds{target="archive"}'), 0, 'another process exports it');
  t.equal(value('quotagate_journal_entries_lost_total{target="archive"}'), 0);
  observer.lag('bills', 'acme', undefined);
  t.match(await metrics.text(), /export_lag_seconds\{target="bills"\} 30/);
  t.match(lines, [
    { level: 40, event: 'journal_export_failed', target: 'bills', reason: 'the receiver answered 503' },
    { level: 50, event: 'journal_entries_lost', target: 'bills', org: 'acme', entries: 50 },
  ]);
  t.equal(lines.length, 2, 'one line in ten seconds');
});
