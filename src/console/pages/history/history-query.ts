/** What the page of the usage history asks for, as its address has it. */
import { api } from '../../api/client.js';
import { useQuery } from '../../api/query.js';
import type { HistoryRow } from '../../parts/consumption/series.js';
import { queryOf } from '../../router.js';
import { useOrg } from '../../state/org.js';

export const DIMENSIONS = ['action', 'user', 'group', 'model', 'key', 'quota'] as const;
export type Dimension = (typeof DIMENSIONS)[number];

export const PERIODS = ['7d', '30d', '90d', 'cycle', 'last-month', 'year'] as const;

export const MEASURES = ['units', 'raw', 'refused'] as const;
export type Measure = (typeof MEASURES)[number];

export interface Asked {
  readonly dimension: Dimension;
  readonly period: (typeof PERIODS)[number];
  readonly measure: Measure;
  readonly cumulative: boolean;
  /** Undefined: all quotas, each as a series. */
  readonly quota: string | undefined;
}

export function useAsked(): Asked {
  const { quotas } = useOrg();
  const dimension = DIMENSIONS.find((one) => one === queryOf('by')) ?? 'action';
  const quota = quotas.find((one) => one.quota === queryOf('quota')) ?? quotas[0];
  return {
    dimension,
    period: PERIODS.find((one) => one === queryOf('period')) ?? '30d',
    measure: MEASURES.find((one) => one === queryOf('measure')) ?? 'units',
    cumulative: queryOf('figures') === 'cumulative',
    quota: dimension === 'quota' ? undefined : quota?.quota,
  };
}

/** The parameters of the API, without the interval. */
export function rangeOf({ dimension, period, quota }: Asked) {
  return { period, groupBy: dimension, ...(quota === undefined ? {} : { quota }) };
}

/** A year has too many days for a chart. */
export function intervalOf({ period }: Asked): 'day' | 'week' {
  return period === 'year' ? 'week' : 'day';
}

/** With more rows than the API gives at once, the answer is by longer intervals. */
const TOO_MANY = 422;
const LONGER = ['week', 'cycle', 'total'] as const;

export function useHistory(asked: Asked) {
  const { id: org } = useOrg();
  const range = { ...rangeOf(asked), users: 0 };
  return useQuery({
    key: `history ${org} ${JSON.stringify(range)}`,
    kinds: ['consumption'],
    read: async (options) => {
      const read = (by: 'day' | 'week' | 'cycle' | 'total') =>
        api.GET('/v1/orgs/{org}/usage/history', {
          params: { path: { org }, query: { ...range, by } },
          ...options,
        });
      let answer = await read(intervalOf(asked));
      for (const by of LONGER) {
        if (answer.response.status !== TOO_MANY) break;
        answer = await read(by);
      }
      return answer;
    },
  });
}

/** What a row has of the dimension. */
export function memberOf(row: HistoryRow, dimension: Dimension): string {
  return row[dimension] ?? '';
}

export function refusedOf({ refused: { user, group, org } }: Pick<HistoryRow, 'refused'>): number {
  return user + group + org;
}

export function measured(row: HistoryRow, measure: Measure): number {
  return measure === 'refused' ? refusedOf(row) : row[measure];
}
