/** Order and page of a list, kept in the address so that it can be shared. */
import { useRef } from 'preact/hooks';
import { queryOf, setQuery } from '../router.js';

export interface Paging {
  /** Empty: the first page. */
  readonly cursor: string;
  readonly sort: string;
  readonly setSort: (sort: string) => void;
  readonly next: (cursor: string) => void;
  readonly back: () => void;
}

/** As many rows as a slow machine draws without a stall: `npm run console:speed`. */
const PAGE_SIZE = 25;

export function usePaging(defaultSort: string): Paging {
  const earlier = useRef<string[]>([]);
  const cursor = queryOf('cursor');
  const sort = queryOf('sort') || defaultSort;
  return {
    cursor,
    sort,
    setSort: (next) => setQuery({ sort: next === defaultSort ? undefined : next, cursor: undefined }),
    next: (next) => {
      earlier.current.push(cursor);
      setQuery({ cursor: next });
    },
    back: () => setQuery({ cursor: earlier.current.pop() || undefined }),
  };
}

/** The part of a query that asks for the page. */
export function pageQuery({ cursor }: Paging, pageSize = PAGE_SIZE) {
  return { pageSize, ...(cursor === '' ? {} : { cursor }) };
}

/** The page in its order. */
export function sortedPageQuery(paging: Paging) {
  return { sort: paging.sort, ...pageQuery(paging) };
}

/** The sorted page of a list that has a search and no other filter. */
export function searchedPageQuery(paging: Paging) {
  const q = queryOf('q');
  return { ...sortedPageQuery(paging), ...(q === '' ? {} : { q }) };
}

/** Changes filters: the list begins again at its first page. */
export function setFilters(filters: Readonly<Record<string, string | undefined>>): void {
  setQuery({ ...filters, cursor: undefined });
}
