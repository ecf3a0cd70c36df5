/** Figures as a chart shows them: stacked, and summed up over time if wanted. */

export interface Series {
  readonly name: string;
  /** One value for each label. */
  readonly values: readonly number[];
}

/** Each value with all before it. */
export function runningSums(values: readonly number[]): number[] {
  let sum = 0;
  return values.map((value) => {
    sum += value;
    return sum;
  });
}

/** Each series on top of those before it. */
export function stacked(series: readonly Series[]): number[][] {
  const sums: number[][] = [];
  for (const { values } of series) {
    const below = sums.at(-1);
    sums.push(values.map((value, index) => value + (below?.[index] ?? 0)));
  }
  return sums;
}

export function totalOf({ values }: Series): number {
  return values.reduce((sum, value) => sum + value, 0);
}

/** The largest series first; those beyond the last colour are added up under `others`. */
export function largestFirst(series: readonly Series[], most: number, others: string): Series[] {
  const sorted = series.toSorted((a, b) => totalOf(b) - totalOf(a));
  if (sorted.length <= most) return sorted;
  const rest = sorted.slice(most - 1);
  const length = rest[0]?.values.length ?? 0;
  const values = Array.from({ length }, (_, index) =>
    rest.reduce((sum, one) => sum + (one.values[index] ?? 0), 0),
  );
  return [...sorted.slice(0, most - 1), { name: others, values }];
}
