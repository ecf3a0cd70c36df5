/** A table of one page of a list: sorted and paged by the API. On phones each row becomes a block. */
import { ArrowDown, ArrowUp, ChevronLeft, ChevronRight } from 'lucide-preact';
import type { ComponentChildren } from 'preact';
import type { QueryState } from '../api/query.js';
import { texts } from '../i18n/index.js';
import { Button } from './button.js';
import type { Paging } from './paging.js';
import { Loaded } from './states.js';

export interface Column<Row> {
  readonly id: string;
  /** Empty for the column of actions. */
  readonly label: string;
  readonly cell: (row: Row) => ComponentChildren;
  /** The name by which the API sorts. */
  readonly sort?: string;
  readonly numeric?: boolean;
}

interface Page<Row> {
  readonly items: readonly Row[];
  readonly cursor?: string | null;
}

interface TableProps<Row> {
  /** For screen readers. */
  readonly caption: string;
  readonly query: QueryState<Page<Row>>;
  readonly columns: readonly Column<Row>[];
  readonly keyOf: (row: Row) => string;
  readonly paging: Paging;
  /** In place of a table without rows. */
  readonly empty: ComponentChildren;
}

export function Table<Row>({ caption, query, columns, keyOf, paging, empty }: TableProps<Row>) {
  return (
    <div class="table-card" aria-busy={query.loading}>
      <Loaded query={query} lines={8}>
        {({ items, cursor = null }) => (
          <>
            {items.length === 0 ? (
              empty
            ) : (
              <Rows caption={caption} columns={columns} items={items} keyOf={keyOf} paging={paging} />
            )}
            <PageButtons next={cursor} paging={paging} />
          </>
        )}
      </Loaded>
    </div>
  );
}

type RowsProps<Row> = Pick<TableProps<Row>, 'caption' | 'columns' | 'keyOf' | 'paging'> & {
  readonly items: readonly Row[];
};

function Rows<Row>({ caption, columns, items, keyOf, paging }: RowsProps<Row>) {
  return (
    <table class="table">
      <caption class="visually-hidden">{caption}</caption>
      <thead>
        <tr>
          {columns.map((column) => (
            <Head key={column.id} column={column} paging={paging} />
          ))}
        </tr>
      </thead>
      <tbody>
        {items.map((row) => (
          <tr key={keyOf(row)}>
            {columns.map(({ id, label, numeric, cell }) => (
              <td key={id} data-label={label} class={numeric ? 'numeric' : undefined}>
                {cell(row)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

interface HeadProps<Row> {
  readonly column: Column<Row>;
  readonly paging: Paging;
}

function Head<Row>({ column: { label, sort, numeric }, paging }: HeadProps<Row>) {
  const className = numeric ? 'numeric' : undefined;
  if (sort === undefined)
    return (
      <th scope="col" class={className}>
        {label === '' ? <span class="visually-hidden">{texts.value.common.actions}</span> : label}
      </th>
    );
  const state = paging.sort === sort ? 'ascending' : paging.sort === `-${sort}` ? 'descending' : 'none';
  const Icon = state === 'descending' ? ArrowDown : ArrowUp;
  // Figures are first sorted from the largest.
  const first = numeric ? `-${sort}` : sort;
  const next = paging.sort === first ? (numeric ? sort : `-${sort}`) : first;
  return (
    <th scope="col" class={className} aria-sort={state}>
      <button type="button" class="sort" onClick={() => paging.setSort(next)}>
        {label}
        <Icon size={14} aria-hidden="true" />
      </button>
    </th>
  );
}

function PageButtons({ next, paging }: { readonly next: string | null; readonly paging: Paging }) {
  if (next === null && paging.cursor === '') return null;
  const { common } = texts.value;
  return (
    <nav class="paging" aria-label={common.pages}>
      <Button size="small" icon={ChevronLeft} disabled={paging.cursor === ''} onClick={paging.back}>
        {common.previousPage}
      </Button>
      <Button
        size="small"
        icon={ChevronRight}
        disabled={next === null}
        onClick={() => next !== null && paging.next(next)}
      >
        {common.nextPage}
      </Button>
    </nav>
  );
}
