/** `/quota/me/history`: what the caller consumed over time, and how many of their requests were refused. */
import type { IncomingMessage } from 'node:http';
import { ProblemError } from '../errors/catalogue.js';
import { daysOfPeriod, PERIOD_DEFAULT, PERIOD_NAMES, type Period } from '../history/periods.js';
import { type HistoryQuery, type HistoryRow, queryHistory } from '../history/query.js';
import { instant } from '../ledger/view/limit-lines.js';
import { readOrg } from '../ledger/view/org-view.js';
import { userIdOf } from '../quota/id.js';
import { formatUnits } from '../quota/units.js';
import { type Caller, jsonAnswer, type MeOptions } from './me.js';
import type { Refusal } from './refusal.js';

export function historyTo({ ledger, quotas }: MeOptions) {
  const definitions = new Map(Object.entries(quotas));
  return async ({ org, user }: Caller, request: IncomingMessage): Promise<Refusal> => {
    const period = periodIn(request);
    const view = await readOrg({ ledger, quotas: definitions }, org);
    const days = daysOfPeriod(period, view);
    const query: HistoryQuery = {
      org,
      rule: view.rule,
      ...days,
      by: 'day',
      groupBy: ['action'],
      only: { user },
    };
    const rows = await queryHistory(ledger, query);
    const { from, to, since } = days;
    const start = since === undefined ? null : instant(since);
    return jsonAnswer({
      org,
      user: userIdOf(user),
      period: { name: period, from, to, start, timeZone: view.rule.timeZone },
      // Amounts of quotas that the config no longer has have no scale any more.
      daily: rows.flatMap((row) => {
        const definition = definitions.get(row.at.quota);
        return definition === undefined ? [] : [shown(row, definition.decimals)];
      }),
    });
  };
}

function shown({ bucket, at, units, raw, refused }: HistoryRow, decimals: number) {
  const { quota, action } = at;
  return {
    day: bucket,
    quota,
    action,
    units: formatUnits(units, decimals),
    raw: formatUnits(raw, decimals),
    refused,
  };
}

function periodIn({ url = '' }: IncomingMessage): Period {
  const period = new URLSearchParams(url.split('?')[1] ?? '').get('period') ?? PERIOD_DEFAULT;
  const known = PERIOD_NAMES.find((name) => name === period);
  if (known === undefined)
    throw new ProblemError(
      'request-malformed',
      `period ${JSON.stringify(period)} is not one of ${PERIOD_NAMES.join(', ')}`,
    );
  return known;
}
