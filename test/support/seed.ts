/** An org with one quota of 100 units a year. */
export const QUOTAS = { usage: { unit: 'units', decimals: 0 } };
export const SEED = {
  cycle: { every: 'year', anchor: 101, timeZone: 'UTC' },
  plans: { usage: { allowance: 100 } },
} as const;
