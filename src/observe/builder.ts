/** Makes metrics, and keeps the list of them that the README's table is made from. */
import { Registry } from 'prom-client';
import {
  type CellOf,
  type Description,
  type Reading,
  readings,
  type Spread,
  spreads,
  type Tally,
  tallies,
} from './cells.js';

export interface Row extends Description {
  readonly type: 'counter' | 'gauge' | 'histogram';
}

export class Builder {
  readonly registry = new Registry();
  /** In the order of their making. */
  readonly rows: Row[] = [];

  tallies(about: Description): CellOf<Tally> {
    return tallies(this.registry, this.listed(about, 'counter'));
  }

  spreads(about: Description, bounds: readonly number[]): CellOf<Spread> {
    return spreads(this.registry, this.listed(about, 'histogram'), bounds);
  }

  readings(about: Description, read: () => Iterable<Reading>): void {
    readings(this.registry, this.listed(about, 'gauge'), read);
  }

  /** Without labels; undefined where there is nothing to tell yet. */
  reading(name: string, help: string, read: () => number | undefined): void {
    this.readings({ name, help }, () => {
      const value = read();
      return value === undefined ? [] : [[{}, value]];
    });
  }

  private listed(about: Description, type: Row['type']): Description {
    this.rows.push({ ...about, type });
    return about;
  }
}
