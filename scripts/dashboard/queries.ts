/** Queries in PromQL, over the gateways that are selected. */

export interface Query {
  readonly expr: string;
  /** Grafana fills in the labels in braces. */
  readonly legend: string;
}

/** The gateways that the variables of the dashboard select. */
const SELECTED = 'job="$job",instance=~"$instance"';

export const series = (metric: string, more = ''): string =>
  `${metric}{${SELECTED}${more === '' ? '' : `,${more}`}}`;
export const sum = (what: string, by = ''): string =>
  by === '' ? `sum(${what})` : `sum by (${by}) (${what})`;
export const perSecond = (metric: string, by = '', more = ''): string =>
  sum(`rate(${series(metric, more)}[$__rate_interval])`, by);
export const increase = (metric: string, by = ''): string =>
  sum(`increase(${series(metric)}[$__rate_interval])`, by);

/** Of a histogram; `by`: a label that stays. */
export function quantile(of: number, metric: string, by = ''): Query {
  const label = by === '' ? '' : `, ${by}`;
  const legend = by === '' ? `p${of * 100}` : `{{${by}}} p${of * 100}`;
  const expr = `histogram_quantile(${of}, sum by (le${label}) (rate(${series(`${metric}_bucket`)}[$__rate_interval])))`;
  return { expr, legend };
}
