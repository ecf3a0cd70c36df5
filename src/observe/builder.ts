/** Creates metrics and keeps the list from which the metrics reference is generated. */
import { Registry } from 'prom-client';
import {
  type Counter,
  counters,
  type Description,
  gauges,
  type Histogram,
  histograms,
  type MetricOf,
  type Sample,
} from './metric-store.js';

export interface MetricRow extends Description {
  readonly type: 'counter' | 'gauge' | 'histogram';
}

export class Builder {
  readonly registry = new Registry();
  /** In the order of creation. */
  readonly rows: MetricRow[] = [];

  counters(about: Description): MetricOf<Counter> {
    return counters(this.registry, this.listed(about, 'counter'));
  }

  histograms(about: Description, bounds: readonly number[]): MetricOf<Histogram> {
    return histograms(this.registry, this.listed(about, 'histogram'), bounds);
  }

  gauges(about: Description, read: () => Iterable<Sample>): void {
    gauges(this.registry, this.listed(about, 'gauge'), read);
  }

  /** Without labels; undefined while there is no value. */
  reading(name: string, help: string, read: () => number | undefined): void {
    this.gauges({ name, help }, () => {
      const value = read();
      return value === undefined ? [] : [[{}, value]];
    });
  }

  private listed(about: Description, type: MetricRow['type']): Description {
    this.rows.push({ ...about, type });
    return about;
  }
}
