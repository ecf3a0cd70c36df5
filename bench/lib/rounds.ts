/**
 * Interleaved rounds: every contestant runs once per round, and each round starts with another one. A slow minute of the machine
 * affects all of them, and none always runs after the same one. The median counts.
 */
export interface Contestant<Sample> {
  readonly name: string;
  run(): Promise<Sample>;
}

/** The samples of each contestant, by name. The first round warms up and is discarded. */
export async function interleave<Sample>(
  contestants: readonly Contestant<Sample>[],
  rounds: number,
): Promise<Map<string, Sample[]>> {
  const samples = new Map<string, Sample[]>(contestants.map(({ name }) => [name, []]));
  for (let round = 0; round <= rounds; round += 1) {
    const first = round % contestants.length;
    for (const contestant of [...contestants.slice(first), ...contestants.slice(0, first)]) {
      const sample = await contestant.run();
      if (round > 0) samples.get(contestant.name)?.push(sample);
    }
  }
  return samples;
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** The value that `share` of the values do not exceed; between two values, their mean. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const place = (sorted.length - 1) * share;
  const below = sorted[Math.floor(place)] ?? Number.NaN;
  const above = sorted[Math.ceil(place)] ?? Number.NaN;
  return (below + above) / 2;
}
