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

export const PAGE_SIZE = 50;

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

/** Changes filters: the list begins again at its first page. */
export function setFilters(filters: Readonly<Record<string, string | undefined>>): void {
  setQuery({ ...filters, cursor: undefined });
}
