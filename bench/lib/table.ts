/** Tables and verdicts in Markdown that is readable in a terminal. */

/** The first column is text, the others are figures. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => (row[column] ?? '').length)),
  );
  const line = (cells: readonly string[]): string => {
    const padded = widths.map((width, column) => {
      const cell = cells[column] ?? '';
      return column === 0 ? cell.padEnd(width) : cell.padStart(width);
    });
    return `| ${padded.join(' | ')} |`;
  };
  const rule = widths.map((width, column) =>
    column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`,
  );
  return [line(head), line(rule), ...rows.map(line)].join('\n');
}

export type Aim = {
  readonly text: string;
  readonly measured: number;
  readonly unit: string;
} & ({ readonly most: number } | { readonly least: number });

export function verdicts(aims: readonly Aim[]): string {
  const lines = aims.map((aim) => {
    const { text, measured, unit } = aim;
    const isMost = 'most' in aim;
    const bound = isMost ? aim.most : aim.least;
    // NaN, a figure that could not be measured, misses every aim.
    const met = isMost ? measured <= bound : measured >= bound;
    const asked = `aim: at ${isMost ? 'most' : 'least'} ${bound}${unit}`;
    return `${met ? 'met   ' : 'MISSED'}  ${text}: ${measured.toFixed(2)}${unit} (${asked})`;
  });
  return lines.join('\n');
}

/** 12345.6 as `12,346`. */
export function whole(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}
