/** CSV: RFC 4180, with cells that no spreadsheet runs. */

export type CsvCell = string | number;

const FORMULA = /^[=+\-@\t\r]/;
const SPECIAL = /[",\r\n]/;

/** An apostrophe stands before text that a spreadsheet would run as a formula; numbers stay numbers. */
export function csvLine(cells: readonly CsvCell[]): string {
  return `${cells.map(cellText).join(',')}\r\n`;
}

function cellText(cell: CsvCell): string {
  if (typeof cell === 'number') return String(cell);
  const text = FORMULA.test(cell) ? `'${cell}` : cell;
  return SPECIAL.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export const CSV_HEADERS = { 'content-type': 'text/csv; charset=utf-8; header=present' } as const;
