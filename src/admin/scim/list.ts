/** Lists: `startIndex`, `count`, filter and selection of attributes (RFC 7644, section 3.4.2). */
import { setImmediate as turn } from 'node:timers/promises';
import { URN } from './attributes.js';
import type { Projection, Resource } from './projection.js';

export interface ListQuery {
  readonly filter?: string | undefined;
  readonly startIndex?: number | undefined;
  readonly count?: number | undefined;
  readonly attributes?: string | readonly string[] | undefined;
  readonly excludedAttributes?: string | readonly string[] | undefined;
}

export const COUNT_MAX = 500;
const COUNT = 100;
/** Rows processed before the event loop, shared with the gateway, gets its turn. */
const ROWS_A_TURN = 500;

export interface ListAnswer {
  readonly schemas: readonly string[];
  readonly totalResults: number;
  readonly startIndex: number;
  readonly itemsPerPage: number;
  readonly Resources: readonly Resource[];
}

export interface Rows<Row> {
  /** In order. */
  readonly rows: Iterable<Row>;
  readonly accept: (row: Row) => boolean;
  /** Called for the rows of the page only. */
  readonly show: (row: Row) => Resource;
}

export async function listOf<Row>(
  { rows, accept, show }: Rows<Row>,
  { startIndex = 1, count = COUNT }: ListQuery,
  projection: Projection,
): Promise<ListAnswer> {
  const first = Math.max(1, startIndex);
  const most = Math.min(Math.max(0, count), COUNT_MAX);
  const page: Row[] = [];
  let [seen, total] = [0, 0];
  for (const row of rows) {
    seen += 1;
    if (seen % ROWS_A_TURN === 0) await turn();
    if (!accept(row)) continue;
    total += 1;
    if (total >= first && page.length < most) page.push(row);
  }
  return {
    schemas: [URN.list],
    totalResults: total,
    startIndex: first,
    itemsPerPage: page.length,
    Resources: page.map((row) => projection.apply(show(row))),
  };
}

const SORTED_AT_ONCE = 1_000;

/** In order, so that pages follow each other; long lists in pieces, so that no piece holds the event loop. */
export async function sorted(keys: Iterable<string>): Promise<readonly string[]> {
  const all = [...keys];
  let runs: string[][] = [];
  for (let from = 0; from < all.length; from += SORTED_AT_ONCE) {
    runs.push(all.slice(from, from + SORTED_AT_ONCE).sort());
    await turn();
  }
  while (runs.length > 1) {
    const merged: string[][] = [];
    for (let index = 0; index < runs.length; index += 2)
      merged.push(await mergedRuns(runs[index] ?? [], runs[index + 1] ?? []));
    runs = merged;
  }
  return runs[0] ?? [];
}

async function mergedRuns(left: readonly string[], right: readonly string[]): Promise<string[]> {
  const merged: string[] = [];
  let [atLeft, atRight] = [0, 0];
  while (atLeft < left.length || atRight < right.length) {
    const [a, b] = [left[atLeft], right[atRight]];
    const takesLeft = b === undefined || (a !== undefined && a < b);
    merged.push((takesLeft ? a : b) ?? '');
    if (takesLeft) atLeft += 1;
    else atRight += 1;
    if (merged.length % (10 * SORTED_AT_ONCE) === 0) await turn();
  }
  return merged;
}
