/** How long the history is kept. */

export interface HistoryRetention {
  /** Days for which users are kept by the hour. */
  readonly userHoursDays: number;
  /** Months for which users are kept by the day, and groups and the org by the hour. */
  readonly historyMonths: number;
}

export const HISTORY_RETENTION: HistoryRetention = { userHoursDays: 35, historyMonths: 13 };
export const HISTORY_MONTHS_MAX = 36;
