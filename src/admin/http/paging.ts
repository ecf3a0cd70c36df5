/** Pages of long lists: taken from sorted rows, or selected in one pass, without sorting the whole list or blocking the event loop. */
import { invalid } from './problems.js';
import { Turns } from './turns.js';
import { PAGE_SIZE_MAX } from './validate.js';

export type Rank = string | number;

export interface Listing<Item> {
  readonly rows: Iterable<Item>;
  /** Unique: orders equal rows. */
  readonly id: (row: Item) => string;
  readonly accept: (row: Item) => boolean;
  /** The names that `sort` accepts, and the rank that each gives to a row; the first is the default. */
  readonly ranks: Readonly<Record<string, (row: Item) => Rank>>;
  /** All rows in ascending order of a rank, then of the id, where they are kept so: `rows` are not passed over then. */
  readonly sorted?: (name: string, rank: (row: Item) => Rank) => Promise<readonly Placed<Item>[]>;
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

interface Place {
  readonly rank: Rank;
  readonly id: string;
}

export interface Placed<Item> extends Place {
  readonly row: Item;
}

const PAGE_SIZE = 100;

export async function pageOf<Item>(listing: Listing<Item>, query: PageQuery): Promise<Page<Item>> {
  const size = Math.min(query.pageSize ?? PAGE_SIZE, PAGE_SIZE_MAX);
  const sort = query.sort ?? Object.keys(listing.ranks)[0] ?? '';
  const name = sort.replace(/^-/, '');
  const rankOf = ranking(listing, name);
  const part: Part = {
    sign: sort.startsWith('-') ? -1 : 1,
    after: query.cursor === undefined ? undefined : decodeCursor(query.cursor, sort),
    // One more than the page, to detect whether there is a next page.
    most: size + 1,
  };
  const sorted = await listing.sorted?.(name, rankOf);
  const found =
    sorted === undefined
      ? await selected(listing, rankOf, part)
      : await accepted(sorted, listing.accept, part);
  const page = found.slice(0, size);
  const last = page.at(-1);
  const cursor = found.length > size && last !== undefined ? encodeCursor(sort, last) : null;
  return { rows: page.map(({ row }) => row), cursor };
}

/** What is asked for of a list in its order. */
interface Part {
  /** 1 for ascending, -1 for descending. */
  readonly sign: number;
  readonly after: Place | undefined;
  readonly most: number;
}

async function selected<Item>(
  listing: Listing<Item>,
  rankOf: (row: Item) => Rank,
  part: Part,
): Promise<Placed<Item>[]> {
  const { sign, after } = part;
  const best: Placed<Item>[] = [];
  const turns = new Turns();
  for (const row of listing.rows) {
    if (turns.isDue()) await turns.next();
    if (!listing.accept(row)) continue;
    const placed = { row, rank: rankOf(row), id: listing.id(row) };
    if (after === undefined || sign * comparePlaces(placed, after) > 0) keepBest(best, placed, part);
  }
  return best;
}

/** Only the rows up to the last of the page are looked at. */
async function accepted<Item>(
  sorted: readonly Placed<Item>[],
  accept: (row: Item) => boolean,
  { sign, after, most }: Part,
): Promise<Placed<Item>[]> {
  const found: Placed<Item>[] = [];
  const turns = new Turns();
  const isPast = (placed: Place): boolean =>
    after === undefined ? sign < 0 : comparePlaces(placed, after) < (sign > 0 ? 1 : 0);
  const bound = countOfFirst(sorted, isPast);
  for (let at = sign > 0 ? bound : bound - 1; found.length < most; at += sign) {
    const placed = sorted[at];
    if (placed === undefined) break;
    if (turns.isDue()) await turns.next();
    if (accept(placed.row)) found.push(placed);
  }
  return found;
}

function ranking<Item>({ ranks }: Listing<Item>, name: string): (row: Item) => Rank {
  const rank = Object.hasOwn(ranks, name) ? ranks[name] : undefined;
  if (rank === undefined) throw invalid('sort', `must be one of ${Object.keys(ranks).join(', ')}`);
  return rank;
}

export function comparePlaces(a: Place, b: Place): number {
  if (a.rank !== b.rank) return a.rank < b.rank ? -1 : 1;
  return a.id === b.id ? 0 : a.id < b.id ? -1 : 1;
}

/** Of a list that begins with those for which `isFirst` holds, how many these are. */
export function countOfFirst<Item>(list: readonly Item[], isFirst: (item: Item) => boolean): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isFirst(list[middle] as Item)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Keeps the first `most` rows in order; most rows of a long list are dropped at the first comparison. */
function keepBest<Item>(best: Placed<Item>[], placed: Placed<Item>, { sign, most }: Part): void {
  const worst = best.at(-1);
  if (best.length === most && worst !== undefined && sign * comparePlaces(placed, worst) > 0) return;
  const at = countOfFirst(best, (other) => sign * comparePlaces(other, placed) < 0);
  best.splice(at, 0, placed);
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
