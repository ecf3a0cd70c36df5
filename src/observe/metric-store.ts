/**
 * Metric values for the hot path: plain numbers, 15 ns per update. prom-client (600 to 1,000 ns per update, because it
 * looks up label values) reads them when Prometheus scrapes.
 */
import { Counter as PromCounter, Gauge as PromGauge, type Registry } from 'prom-client';

/** Counts up. */
export class Counter {
  value = 0;

  add(by = 1): void {
    this.value += by;
  }
}

/** Counts how many values are below each bound. */
export class Histogram {
  readonly counts: Float64Array;
  sum = 0;
  count = 0;

  constructor(private readonly bounds: readonly number[]) {
    this.counts = new Float64Array(bounds.length + 1);
  }

  note(value: number): void {
    const { bounds, counts } = this;
    let at = 0;
    while (at < bounds.length && value > (bounds[at] ?? 0)) at += 1;
    counts[at] = (counts[at] ?? 0) + 1;
    this.sum += value;
    this.count += 1;
  }
}

/** One metric, as the table of metrics lists it. */
export interface Description {
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
}

type Labels = Record<string, string>;

/** The values of one metric, by the values of its labels. */
class SeriesByLabels<C> {
  readonly all: { readonly labels: Labels; readonly value: C }[] = [];
  private readonly byKey = new Map<string, C>();

  constructor(
    private readonly names: readonly string[],
    private readonly make: () => C,
  ) {}

  /** For boot and rare events, because it looks the values up. */
  of(values: readonly string[]): C {
    const key = values.join('\n');
    const known = this.byKey.get(key);
    if (known !== undefined) return known;
    const labels = Object.fromEntries(this.names.map((name, index) => [name, values[index] ?? '']));
    const value = this.make();
    this.byKey.set(key, value);
    this.all.push({ labels, value });
    return value;
  }
}

export type MetricOf<C> = (...values: string[]) => C;

export function counters(registry: Registry, about: Description): MetricOf<Counter> {
  const { name, help, labels = [] } = about;
  const series = new SeriesByLabels(labels, () => new Counter());
  new PromCounter({
    name,
    help,
    labelNames: labels,
    registers: [registry],
    collect() {
      this.reset();
      for (const { labels: values, value } of series.all) this.inc(values, value.value);
    },
  });
  return (...values) => series.of(values);
}

export function histograms(
  registry: Registry,
  about: Description,
  bounds: readonly number[],
): MetricOf<Histogram> {
  const series = new SeriesByLabels(about.labels ?? [], () => new Histogram(bounds));
  new HistogramMetric(registry, { about, bounds, series });
  return (...values) => series.of(values);
}

type Exposed = Awaited<ReturnType<PromGauge['get']>>;

interface HistogramSource {
  readonly about: Description;
  readonly bounds: readonly number[];
  readonly series: SeriesByLabels<Histogram>;
}

/** prom-client's own histogram takes single values only; a custom metric class may return any values. */
class HistogramMetric extends PromGauge {
  constructor(
    registry: Registry,
    private readonly source: HistogramSource,
  ) {
    const { about } = source;
    super({ name: about.name, help: about.help, labelNames: about.labels ?? [], registers: [registry] });
  }

  override async get(): Promise<Exposed> {
    const { about, series } = this.source;
    const { name, help } = about;
    const values = series.all.flatMap(({ labels, value }) => this.lines(name, labels, value));
    return { name, help, type: 'histogram', values, aggregator: 'sum' } as unknown as Exposed;
  }

  private lines(name: string, labels: Labels, { counts, count, sum }: Histogram) {
    let below = 0;
    const buckets = this.source.bounds.map((bound, at) => {
      below += counts[at] ?? 0;
      return { metricName: `${name}_bucket`, labels: { ...labels, le: String(bound) }, value: below };
    });
    return [
      ...buckets,
      { metricName: `${name}_bucket`, labels: { ...labels, le: '+Inf' }, value: count },
      { metricName: `${name}_sum`, labels, value: sum },
      { metricName: `${name}_count`, labels, value: count },
    ];
  }
}

export type Sample = readonly [labels: Labels, value: number];

/** Values that are read when Prometheus scrapes. */
export function gauges(registry: Registry, about: Description, read: () => Iterable<Sample>): void {
  const { name, help, labels = [] } = about;
  new PromGauge({
    name,
    help,
    labelNames: labels,
    registers: [registry],
    collect() {
      this.reset();
      for (const [values, value] of read()) this.set(values, value);
    },
  });
}
