/**
 * Which upstream responses are charged, by quota. The table is built at boot, because it is used for every response.
 */
import type { Counts } from './settle.js';

const STATUS_MAX = 999;

/** `counts` lists statuses and ranges: 404, '404', '200-299'. */
export function statusSets(
  quotas: Readonly<Record<string, { readonly counts: readonly (string | number)[] }>>,
): Counts {
  const tables = new Map(Object.entries(quotas).map(([quota, { counts }]) => [quota, tableOf(counts)]));
  return (quota, status) => tables.get(quota)?.[status] === 1;
}

function tableOf(counts: readonly (string | number)[]): Uint8Array {
  const table = new Uint8Array(STATUS_MAX + 1);
  for (const entry of counts) {
    const [first = '', last = first] = String(entry).split('-');
    table.fill(1, Number(first), Number(last) + 1);
  }
  return table;
}
