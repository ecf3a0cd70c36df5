/** Pages of long lists: selected in one pass, without sorting the whole list or blocking the event loop. */
import { setImmediate as turn } from 'node:timers/promises';
import { invalid } from './problems.js';
import { PAGE_SIZE_MAX } from './validate.js';

export type Rank = string | number;

export interface Listing<Item> {
  readonly rows: Iterable<Item>;
  /** Unique: orders equal rows. */
  readonly id: (row: Item) => string;
  readonly accept: (row: Item) => boolean;
  /** The names that `sort` accepts, and the rank that each gives to a row; the first is the default. */
  readonly ranks: Readonly<Record<string, (row: Item) => Rank>>;
}

export interface PageQuery {
  readonly cursor?: string;
  readonly pageSize?: number;
  /** A name of `ranks`, with `-` before it for descending order. */
  readonly sort?: string;
}

export interface Page<Item> {
  readonly rows: readonly Item[];
  /** The cursor of the next page; null on the last one. */
  readonly cursor: string | null;
}

interface Placed<Item> {
  readonly row: Item;
  readonly rank: Rank;
  readonly id: string;
}

const PAGE_SIZE = 100;
/** The event loop, shared with the gateway, gets its turn after this time; it is looked at once in so many rows. */
const TURN_MS = 1;
const ROWS_A_LOOK = 64;

export async function pageOf<Item>(listing: Listing<Item>, query: PageQuery): Promise<Page<Item>> {
  const size = Math.min(query.pageSize ?? PAGE_SIZE, PAGE_SIZE_MAX);
  const sort = query.sort ?? Object.keys(listing.ranks)[0] ?? '';
  const rankOf = ranking(listing, sort);
  const sign = sort.startsWith('-') ? -1 : 1;
  const after = query.cursor === undefined ? undefined : decodeCursor(query.cursor, sort);
  // One more than the page, to detect whether there is a next page.
  const order = { sign, most: size + 1 };
  const best: Placed<Item>[] = [];
  let seen = 0;
  let turnEnds = performance.now() + TURN_MS;
  for (const row of listing.rows) {
    seen += 1;
    if (seen % ROWS_A_LOOK === 0 && performance.now() > turnEnds) {
      await turn();
      turnEnds = performance.now() + TURN_MS;
    }
    if (!listing.accept(row)) continue;
    const placed = { row, rank: rankOf(row), id: listing.id(row) };
    if (after === undefined || sign * compare(placed, after) > 0) keepBest(best, placed, order);
  }
  const page = best.slice(0, size);
  const last = page.at(-1);
  const cursor = best.length > size && last !== undefined ? encodeCursor(sort, last) : null;
  return { rows: page.map(({ row }) => row), cursor };
}

function ranking<Item>(listing: Listing<Item>, sort: string): (row: Item) => Rank {
  const name = sort.replace(/^-/, '');
  const rank = Object.hasOwn(listing.ranks, name) ? listing.ranks[name] : undefined;
  if (rank === undefined) throw invalid('sort', `must be one of ${Object.keys(listing.ranks).join(', ')}`);
  return rank;
}

interface Place {
  readonly rank: Rank;
  readonly id: string;
}

function compare(a: Place, b: Place): number {
  if (a.rank !== b.rank) return a.rank < b.rank ? -1 : 1;
  return a.id === b.id ? 0 : a.id < b.id ? -1 : 1;
}

interface Order {
  /** 1 for ascending, -1 for descending. */
  readonly sign: number;
  readonly most: number;
}

/** Keeps the first `most` rows in order; most rows of a long list are dropped at the first comparison. */
function keepBest<Item>(best: Placed<Item>[], placed: Placed<Item>, { sign, most }: Order): void {
  const worst = best.at(-1);
  if (best.length === most && worst !== undefined && sign * compare(placed, worst) > 0) return;
  let low = 0;
  let high = best.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const other = best[middle];
    if (other !== undefined && sign * compare(other, placed) < 0) low = middle + 1;
    else high = middle;
  }
  best.splice(low, 0, placed);
  if (best.length > most) best.pop();
}

function encodeCursor(sort: string, { rank, id }: Place): string {
  return Buffer.from(JSON.stringify([sort, rank, id])).toString('base64url');
}

function decodeCursor(cursor: string, sort: string): Place {
  try {
    const [of, rank, id] = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as unknown[];
    const usable = (typeof rank === 'string' || typeof rank === 'number') && typeof id === 'string';
    if (of === sort && usable) return { rank, id };
  } catch {
    // Not a cursor of this API.
  }
  throw invalid('cursor', 'belongs to another list or order');
}

/** Returns whether one of the strings contains `q`, ignoring case. */
export function matches(q: string | undefined, ...texts: readonly string[]): boolean {
  if (q === undefined || q === '') return true;
  const sought = q.toLowerCase();
  return texts.some((text) => text.toLowerCase().includes(sought));
}
